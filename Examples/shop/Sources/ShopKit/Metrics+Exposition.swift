// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

extension Metrics.Family {
    /// HELP, TYPE and one line per series.
    var exposition: String {
        var out = "# HELP \(name) \(Self.escapedHelp(help))\n# TYPE \(name) \(kind.rawValue)\n"
        for (labelValues, value) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let value = read.map({ $0() }) ?? value else { continue }
            out += "\(name)\(labelSet(labelValues)) \(Self.number(value))\n"
        }
        for (labelValues, buckets) in histograms.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            out += exposition(of: buckets, labelValues)
        }
        return out
    }

    private func exposition(of buckets: Metrics.Buckets, _ labelValues: [String]) -> String {
        var out = ""
        var cumulative: UInt64 = 0
        for (bound, count) in zip(bounds + [.infinity], buckets.counts) {
            cumulative += count
            out += "\(name)_bucket\(labelSet(labelValues, ("le", Self.number(bound)))) \(cumulative)\n"
        }
        out += "\(name)_sum\(labelSet(labelValues)) \(Self.number(buckets.sum))\n"
        return out + "\(name)_count\(labelSet(labelValues)) \(cumulative)\n"
    }

    private func labelSet(_ labelValues: [String], _ extra: (String, String)...) -> String {
        let pairs = (Array(zip(labels, labelValues)) + extra).map { "\($0)=\"\(Self.escapedLabel($1))\"" }
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return "\(value)"
    }

    static func escapedLabel(_ text: String) -> String {
        escape(text, quotes: true)
    }

    static func escapedHelp(_ text: String) -> String {
        escape(text, quotes: false)
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
