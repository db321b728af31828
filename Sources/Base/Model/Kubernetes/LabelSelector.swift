// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A label selector: all requirements must hold.
///
/// Covers both written forms: the query text of `labelSelector=` and the `matchLabels`/`matchExpressions` object.
package struct LabelSelector: Sendable, Hashable {
    package enum Operator: String, Sendable {
        case isIn = "In"
        case isNotIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
        case isGreater = "Gt"
        case isLess = "Lt"
    }

    package struct Requirement: Sendable, Hashable {
        package var key: String
        package var op: Operator
        package var values: [String]

        package init(_ key: String, _ op: Operator, _ values: [String] = []) {
            self.key = key
            self.op = op
            self.values = values
        }

        package func matches(_ labels: [String: String]) -> Bool {
            let value = labels[key]
            switch op {
            case .isIn: return value.map(values.contains) ?? false
            case .isNotIn: return value.map { !values.contains($0) } ?? true
            case .exists: return value != nil
            case .doesNotExist: return value == nil
            case .isGreater, .isLess:
                guard let have = value.flatMap({ Int($0) }), let bound = values.first.flatMap({ Int($0) }) else {
                    return false
                }
                return op == .isGreater ? have > bound : have < bound
            }
        }
    }

    package var requirements: [Requirement]

    package init(_ requirements: [Requirement] = []) { self.requirements = requirements }

    /// Every label must be there with that value.
    package init(matching labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map { Requirement($0.key, .isIn, [$0.value]) }
    }

    package var isEmpty: Bool { requirements.isEmpty }
    package func matches(_ labels: [String: String]) -> Bool { requirements.allSatisfy { $0.matches(labels) } }
}

extension LabelSelector {
    /// Reads a `LabelSelector` object (`matchLabels`, `matchExpressions`); `nil` for an unknown operator.
    package init?(json: JSON) {
        self.init(matching: json["matchLabels"]?.stringMap ?? [:])
        for expression in json["matchExpressions"]?.array ?? [] {
            guard let key = expression["key"]?.string,
                let op = expression["operator"]?.string.flatMap(Operator.init(rawValue:))
            else { return nil }
            requirements.append(Requirement(key, op, expression["values"]?.array?.compactMap(\.string) ?? []))
        }
    }

    /// The query text: `app=web,tier in (a,b),!old`.
    package var text: String {
        requirements.map { requirement in
            switch requirement.op {
            case .isIn where requirement.values.count == 1: "\(requirement.key)=\(requirement.values[0])"
            case .isIn: "\(requirement.key) in (\(requirement.values.joined(separator: ",")))"
            case .isNotIn where requirement.values.count == 1: "\(requirement.key)!=\(requirement.values[0])"
            case .isNotIn: "\(requirement.key) notin (\(requirement.values.joined(separator: ",")))"
            case .exists: requirement.key
            case .doesNotExist: "!\(requirement.key)"
            case .isGreater: "\(requirement.key)>\(requirement.values.first ?? "")"
            case .isLess: "\(requirement.key)<\(requirement.values.first ?? "")"
            }
        }.joined(separator: ",")
    }
}
