// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// Decides from signals whether a revision that is ready may stay. It knows no clock, no cluster and no task.
///
/// A container that ended or a pod that stays unready is a breach by itself. A measured value is one only if enough was
/// seen and two readings agree, so that low traffic or a single bad moment halts nothing. No answer is no evidence: the
/// window is not over before the signals were read at its end.
package struct VerifyMachine: Sendable {
    package enum Action: Sendable, Hashable {
        /// Read again at that moment.
        case hold(until: Timestamp)
        /// All held; the notes are for a person.
        case pass(notes: [String])
        case breach(String)
    }

    /// What one round of reading brought.
    package struct Round: Sendable {
        package var signals: [ReleaseSignal]
        /// Why some source did not answer.
        package var trouble: String?

        package init(_ signals: [ReleaseSignal], trouble: String? = nil) {
            self.signals = signals
            self.trouble = trouble
        }
    }

    private let end: Timestamp
    private let blindEnd: Timestamp
    private let restarts: Int
    private let objectives: [App.Objective.Kind: App.Objective]
    private var unreadySince: Timestamp?
    private var suspects: Set<App.Objective.Kind> = []
    private var scarce: [App.Objective.Kind: Int] = [:]

    package static let period = Duration.seconds(2)
    /// A pod may miss some probes.
    private static let unreadyGrace = Duration.seconds(10)
    /// How much longer than the window an answer is waited for.
    private static let blindGrace = Duration.seconds(60)

    package init(startedAt start: Timestamp, window: Duration, restarts: Int = 0, objectives: [App.Objective] = []) {
        end = start + window
        blindEnd = end + Self.blindGrace
        self.restarts = restarts
        self.objectives = Dictionary(objectives.map { ($0.kind, $0) }) { $1 }
    }

    package mutating func observe(_ round: Round, at now: Timestamp) -> Action {
        for signal in round.signals {
            if let breach = judge(signal, at: now) { return .breach(breach) }
        }
        if let trouble = round.trouble {
            guard now < blindEnd else { return .breach("the signals could not be read: \(trouble)") }
            return .hold(until: now + Self.period)
        }
        // What is suspected is looked at once more, even after the end.
        guard now >= end, suspects.isEmpty, unreadySince == nil else {
            return .hold(until: now < end ? min(end, now + Self.period) : now + Self.period)
        }
        return .pass(notes: scarcity)
    }

    private mutating func judge(_ signal: ReleaseSignal, at now: Timestamp) -> String? {
        switch signal.kind {
        case .restarts:
            guard signal.value > Double(restarts) else { return nil }
            let allowed = restarts == 0 ? "" : " (\(restarts) are allowed)"
            return "\(signal.detail)\(allowed)"
        case .unready:
            guard signal.value > 0 else {
                unreadySince = nil
                return nil
            }
            let since = unreadySince ?? now
            unreadySince = since
            return now - since < Self.unreadyGrace ? nil : signal.detail
        case .objective(let kind):
            return objectives[kind].flatMap { judge(signal, $0) }
        }
    }

    private mutating func judge(_ signal: ReleaseSignal, _ objective: App.Objective) -> String? {
        let kind = objective.kind
        guard Self.isEnough(signal, kind) else {
            scarce[kind] = signal.samples
            suspects.remove(kind)
            return nil
        }
        scarce[kind] = nil
        guard !objective.holds(for: signal.value) else {
            suspects.remove(kind)
            return nil
        }
        guard !suspects.insert(kind).inserted else { return nil }
        let detail = signal.detail.isEmpty ? "" : " (\(signal.detail))"
        return "\(kind.rawValue) is \(Self.text(signal.value, kind)), and should be \(objective.text)\(detail)"
    }

    /// One failed request of two is no rate, and the slowest of ten no percentile.
    private static func isEnough(_ signal: ReleaseSignal, _ kind: App.Objective.Kind) -> Bool {
        switch kind {
        case .errorRate: signal.samples >= 20 || signal.value * Double(signal.samples) >= 3
        case .p99: signal.samples >= 50
        case .logErrors: signal.samples >= 3 || signal.value == 0
        }
    }

    private var scarcity: [String] {
        scarce.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, samples in
            let what = kind == .logErrors ? "lines" : "requests"
            return "too little was seen to judge \(kind.rawValue) (\(samples) \(what))"
        }
    }

    private static func text(_ value: Double, _ kind: App.Objective.Kind) -> String {
        func rounded(_ value: Double) -> String {
            let hundredths = Int((value * 100).rounded())
            let rest = hundredths % 100
            guard rest != 0 else { return "\(hundredths / 100)" }
            return "\(hundredths / 100)." + (rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")
        }
        return switch kind {
        case .errorRate: "\(rounded(value * 100))%"
        case .p99: "\(rounded(value * 1000))ms"
        case .logErrors: "\(rounded(value * 60))/min"
        }
    }
}
