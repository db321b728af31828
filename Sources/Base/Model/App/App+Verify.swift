// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

extension App {
    /// What must hold after the pods are ready; else the release is undone.
    package struct Verify: Sendable, Hashable {
        /// How long after readiness.
        package var window: Duration
        /// How often containers of the new pods may end within the window.
        package var restarts: Int
        /// What metrics and logs are asked for.
        package var objectives: [Objective]

        init(_ json: JSON) {
            window = json.duration("for") ?? .zero
            restarts = json["restarts"]?.int ?? 0
            objectives = Objective.Kind.allCases.compactMap { kind in
                json[kind.rawValue]?.string.flatMap { Objective(kind, $0) }
            }
        }
    }

    /// An upper bound of something measured, such as `errorRate: < 1%`.
    package struct Objective: Sendable, Hashable {
        /// By the key of `spec.deploy.verify`.
        package enum Kind: String, Sendable, CaseIterable {
            case errorRate, p99, logErrors
        }

        package var kind: Kind
        /// A share of 1, seconds, or lines a second.
        package var bound: Double
        /// Whether the bound itself is still good: `<=`.
        package var includesBound: Bool
        /// As it was written: "< 1%".
        package var text: String

        /// `nil` where the text is no bound of that kind: `< 1%`, `<= 300ms`, `< 5/min`.
        package init?(_ kind: Kind, _ text: String) {
            let trimmed = text.filter { $0 != " " }
            guard trimmed.hasPrefix("<") else { return nil }
            includesBound = trimmed.hasPrefix("<=")
            guard let bound = Self.value(kind, trimmed.dropFirst(includesBound ? 2 : 1)), bound.isFinite, bound >= 0
            else { return nil }
            self.kind = kind
            self.bound = bound
            self.text = text
        }

        /// Whether a measured value is good.
        package func holds(for value: Double) -> Bool { includesBound ? value <= bound : value < bound }

        private static func value(_ kind: Kind, _ text: Substring) -> Double? {
            switch kind {
            case .errorRate:
                return text.hasSuffix("%") ? number(text.dropLast()).map { $0 / 100 } : number(text)
            case .p99:
                guard let duration = DurationText.parse(String(text)) else { return nil }
                return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
            case .logErrors:
                let parts = text.split(separator: "/", omittingEmptySubsequences: false)
                guard parts.count == 2, let count = number(parts[0]), let seconds = spans[String(parts[1])] else {
                    return nil
                }
                return count / seconds
            }
        }

        private static let spans: [String: Double] = [
            "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600,
        ]

        /// Digits and at most one point: no sign, no exponent, no "nan".
        private static func number(_ text: Substring) -> Double? {
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) else { return nil }
            return Double(text)
        }
    }

    /// One step of a canary: a share for the new revision, and how long it must hold.
    package struct CanaryStep: Sendable, Hashable {
        package var percent: Int
        package var bake: Duration

        init(_ json: JSON) {
            percent = json["percent"]?.int ?? 0
            bake = json.duration("for") ?? .zero
        }
    }

    /// What is done about a cluster that does not answer before anything in it was changed.
    package enum UnreachablePolicy: String, Sendable, CaseIterable {
        /// The release fails.
        case fail
        /// The release goes on without it, and says so.
        case skip
    }
}
