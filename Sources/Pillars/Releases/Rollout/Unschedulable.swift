// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What the scheduler means by "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {…}. …".
struct Unschedulable {
    struct Reason: Hashable {
        var nodes: Int
        /// The scheduler's own words, without its "node(s)".
        var text: String
    }

    private(set) var nodes: Int?
    /// How many nodes each reason rules out, the most frequent first.
    private(set) var reasons: [Reason] = []
    private let message: String

    init(_ message: String) {
        self.message = message
        // "0/3 nodes are available: REASONS. preemption: 0/3 nodes are available: …"
        guard let slash = message.firstIndex(of: "/"), message[..<slash].allSatisfy(\.isNumber),
            let head = message.firstRange(of: " nodes are available"),
            let total = Int(message[message.index(after: slash)..<head.lowerBound])
        else { return }
        nodes = total
        var rest = message[head.upperBound...]
        if rest.hasPrefix(":") { rest = rest.dropFirst() }
        // What follows the first full stop is about preemption and claims of devices.
        if let end = rest.firstRange(of: ". ") ?? rest.firstRange(of: " preemption:") { rest = rest[..<end.lowerBound] }
        reasons = Self.parts(of: rest).compactMap(Self.reason).sorted { ($1.nodes, $0.text) < ($0.nodes, $1.text) }
    }

    /// Splits at commas outside of braces: a taint may hold any of them.
    private static func parts(of text: Substring) -> [Substring] {
        var (parts, start, depth): ([Substring], Substring.Index, Int) = ([], text.startIndex, 0)
        for index in text.indices {
            switch text[index] {
            case "{": depth += 1
            case "}": depth -= 1
            case "," where depth == 0:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: continue
            }
        }
        return parts + [text[start...]]
    }

    private static func reason(_ part: Substring) -> Reason? {
        var part = part.drop { $0 == " " }
        while let last = part.last, last == "." || last == " " { part = part.dropLast() }
        guard !part.isEmpty else { return nil }
        let number = part.prefix(while: \.isNumber)
        // The scheduler may add a reason of the pod's own that rules out all nodes at once.
        guard let count = Int(number) else { return Reason(nodes: 0, text: String(part)) }
        var text = part.dropFirst(number.count).drop { $0 == " " }
        if text.hasPrefix("node(s) ") { text = text.dropFirst("node(s) ".count) }
        return Reason(nodes: count, text: String(text))
    }

    /// For people: "no node takes the pod: of 3 nodes 2 had untolerated taint {…}, 1 has insufficient cpu".
    var words: String {
        guard let nodes, !reasons.isEmpty else { return "no node takes the pod: \(message)" }
        let list = reasons.map { $0.nodes == 0 ? $0.text : "\($0.nodes) \(Self.plain($0))" }.joined(separator: ", ")
        return nodes == 1 && reasons.count == 1
            ? "the only node does not take the pod: it \(Self.plain(reasons[0]))"
            : "no node takes the pod: of \(nodes) nodes \(list)"
    }

    private static func plain(_ reason: Reason) -> String {
        let isOne = reason.nodes <= 1
        let has = isOne ? "has" : "have"
        if let found = reason.text.firstRange(of: "Insufficient ") {
            return "\(has) too little \(reason.text[found.upperBound...])"
        }
        if reason.text == "Too many pods" { return "\(has) too many pods" }
        if reason.text.hasPrefix("had untolerated taint") {
            let names = reason.text.dropFirst("had untolerated taint".count).drop { "(s) ".contains($0) }
            // Since 1.36 the scheduler does not name them.
            return names.isEmpty
                ? "\(has) taints that the pod does not tolerate" : "\(has) the taint \(names)"
        }
        if reason.text.hasPrefix("didn't match Pod's node affinity") {
            return "\(isOne ? "does" : "do") not match the pod's node affinity or selector"
        }
        if reason.text.hasPrefix("didn't find available persistent volumes") {
            return "\(has) no free volume that fits the pod's claims"
        }
        if reason.text.hasPrefix("were unschedulable") { return "\(isOne ? "is" : "are") closed to new pods" }
        if reason.text.hasPrefix("didn't have free ports") { return "\(has) the wanted host ports taken" }
        return reason.text
    }

    /// What to do about the reason that rules out most nodes.
    var advice: String {
        let table: [(sign: String, advice: String)] = [
            ("Insufficient", "lower resources.requests or add nodes"),
            ("Too many pods", "add nodes"),
            ("untolerated taint(s)", "see them with 'kubectl describe nodes': tolerate them, or add nodes without"),
            ("untolerated taint", "give the pods a toleration, or add nodes without the taint"),
            ("persistent volumes to bind", "make such a volume, or name a storage class that makes them"),
            ("node affinity", "correct nodeSelector and affinity, or label a node"),
            ("were unschedulable", "reopen a node with 'kubectl uncordon'"),
            ("free ports", "drop hostPort, or run fewer replicas"),
            ("volume node affinity", "the pod's volume is on another node or zone: add a node there"),
            ("topology spread", "relax topologySpreadConstraints or add nodes"),
            ("anti-affinity", "relax the pods' anti-affinity or add nodes"),
            ("affinity rules", "relax the pods' affinity"),
            ("PersistentVolume", "check the pod's claims and their storage class"),
        ]
        let texts = reasons.isEmpty ? [message] : reasons.map(\.text)
        for text in texts {
            if let found = table.first(where: { text.contains($0.sign) }) { return found.advice }
        }
        return "lower resources.requests or add nodes"
    }
}
