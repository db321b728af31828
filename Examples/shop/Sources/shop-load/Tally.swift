// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What came of the requests.
struct Tally: Sendable, Equatable {
    private(set) var codes: [Int: Int] = [:]
    private(set) var failures: [String: Int] = [:]
    /// Seconds, of answered requests.
    private var latencies: [Double] = []

    mutating func record(status: Int, latency: Double) {
        codes[status, default: 0] += 1
        latencies.append(latency)
    }

    mutating func record(failure: String) {
        failures[failure, default: 0] += 1
    }

    var answered: Int { latencies.count }
    var failed: Int { failures.values.reduce(0, +) }
    var hasErrors: Bool { failed > 0 || codes.keys.contains { $0 >= 500 } }

    /// The smallest latency that `share` of the requests did not exceed.
    func percentile(_ share: Double) -> Double? {
        let sorted = latencies.sorted()
        guard !sorted.isEmpty else { return nil }
        let rank = (share * Double(sorted.count)).rounded(.up)
        return sorted[min(max(Int(rank), 1), sorted.count) - 1]
    }

    func report(over seconds: Double) -> String {
        func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
        var out =
            "\(answered + failed) requests in \(rounded(seconds)) s (\(rounded(Double(answered) / seconds)) answers/s)\n"
        for (code, count) in codes.sorted(by: { $0.key < $1.key }) { out += "  \(code)  \(count)\n" }
        for (reason, count) in failures.sorted(by: { $0.key < $1.key }) {
            out += "  no answer  \(count)  (\(reason))\n"
        }
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)]
        let texts = shares.compactMap { name, share in percentile(share).map { "\(name) \(rounded($0 * 1000)) ms" } }
        return texts.isEmpty ? out : out + "latency  \(texts.joined(separator: "  "))\n"
    }
}
