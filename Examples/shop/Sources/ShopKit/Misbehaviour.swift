// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// How a service is told to misbehave. The default is to behave.
public struct Misbehaviour: Sendable, Equatable {
    /// The share of requests that are answered with 500.
    public var errors = 0.0
    /// Added to every request.
    public var latency = Duration.zero
    /// Bytes per second that are taken and never given back.
    public var leak = 0
    /// Bytes per second that are written into the data folder.
    public var fillDisk = 0
    /// Where `leak` and `fillDisk` stop, each.
    public var cap = 1 << 30
    /// What `/readyz` says.
    public var ready = true
    /// What `/healthz` says.
    public var live = true
    /// Whether the process ends with exit code 1.
    public var crash = false

    public init() {}

    /// Everything that is wrong with a text, at once.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let problems: [String]
        public var description: String { problems.joined(separator: "; ") }
    }

    static let keys = ["errors", "latency", "leak", "fillDisk", "cap", "ready", "live", "crash"]

    /// These settings with those of `text` on top: `key=value` pairs, separated by commas, `&` or line ends.
    public func applying(_ text: String) throws(Invalid) -> Misbehaviour {
        var result = self
        var problems: [String] = []
        let pairs = text.split { $0 == "," || $0 == "&" || $0.isNewline }.map(\.trimmed).filter { !$0.isEmpty }
        for pair in pairs {
            guard let equals = pair.firstIndex(of: "=") else {
                problems.append("'\(pair)' is not of the form key=value")
                continue
            }
            let key = pair[..<equals].trimmed
            if let problem = result.set(key, to: pair[pair.index(after: equals)...].trimmed) {
                problems.append(problem)
            }
        }
        guard problems.isEmpty else { throw Invalid(problems: problems) }
        return result
    }

    /// Returns what is wrong, if anything.
    private mutating func set(_ key: String, to value: String) -> String? {
        switch key {
        case "errors": assign(&errors, Quantity.share(value), key, value, "a share from 0 to 1, such as 0.5 or 50%")
        case "latency": assign(&latency, Quantity.duration(value), key, value, "a duration, such as 300ms or 2s")
        case "leak": assign(&leak, Quantity.bytesPerSecond(value), key, value, "a rate, such as 1Mi/s, or 0")
        case "fillDisk": assign(&fillDisk, Quantity.bytesPerSecond(value), key, value, "a rate, such as 10Mi/s, or 0")
        case "cap": assign(&cap, Quantity.bytes(value), key, value, "an amount, such as 512Mi")
        case "ready": assign(&ready, Self.boolean(value), key, value, "true or false")
        case "live": assign(&live, Self.boolean(value), key, value, "true or false")
        case "crash": assign(&crash, value == "now" ? true : nil, key, value, "'now'")
        default: "unknown key '\(key)'; did you mean '\(Self.nearestKey(to: key))'?"
        }
    }

    private func assign<Value>(
        _ field: inout Value,
        _ parsed: Value?,
        _ key: String,
        _ value: String,
        _ expected: String
    ) -> String? {
        guard let parsed else { return "\(key): '\(value)' is not \(expected)" }
        field = parsed
        return nil
    }

    private static func boolean(_ text: String) -> Bool? {
        ["true": true, "false": false][text]
    }

    private static func nearestKey(to key: String) -> String {
        keys.min { distance($0.lowercased(), key.lowercased()) < distance($1.lowercased(), key.lowercased()) }
            ?? keys[0]
    }

    /// Edits (insert, delete, replace) between two words.
    private static func distance(_ left: String, _ right: String) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }

    /// What `GET /misbehave` shows.
    var json: String {
        """
        {"errors":\(errors),"latency":"\(latency.milliseconds)ms","leak":"\(leak)/s","fillDisk":"\(fillDisk)/s",\
        "cap":"\(cap)","ready":\(ready),"live":\(live)}

        """
    }
}
