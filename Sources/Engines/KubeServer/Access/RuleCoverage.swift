// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Whether somebody who hands out rules holds them, rule by smallest part.
struct RuleCoverage {
    let held: [PolicyRule]

    /// More parts than any role has that somebody wrote. The lists of a rule multiply: one body could ask for so many that
    /// neither time nor memory would do.
    private static let limit = 100_000

    /// The parts of `wanted` that are not held; of rules with too many parts to be looked at the first one stands for all.
    func missing(of wanted: [PolicyRule]) -> [PolicyRule] {
        var left = Self.limit
        return wanted.flatMap { rule in
            left -= Self.size(of: rule, upTo: max(0, left))
            guard left >= 0 else { return Self.atoms(Self.first(of: rule)) }
            return Self.atoms(rule).filter { atom in !held.contains { Self.covers($0, atom) } }
        }
    }

    /// How many parts a rule has; above `limit` any number above it.
    private static func size(of rule: PolicyRule, upTo limit: Int) -> Int {
        func product(_ counts: [Int]) -> Int {
            counts.reduce(1) { sum, count in
                let (product, overflows) = sum.multipliedReportingOverflow(by: count)
                return overflows ? limit + 1 : min(product, limit + 1)
            }
        }
        let names = max(1, rule.resourceNames.count)
        return product([rule.verbs.count, rule.apiGroups.count, rule.resources.count, names])
            + product([rule.verbs.count, rule.nonResourceURLs.count])
    }

    private static func first(of rule: PolicyRule) -> PolicyRule {
        PolicyRule(
            verbs: Array(rule.verbs.prefix(1)),
            apiGroups: Array(rule.apiGroups.prefix(1)),
            resources: Array(rule.resources.prefix(1)),
            resourceNames: Array(rule.resourceNames.prefix(1)),
            nonResourceURLs: Array(rule.nonResourceURLs.prefix(1))
        )
    }

    /// One verb on one resource, name or path each.
    static func atoms(_ rule: PolicyRule) -> [PolicyRule] {
        var atoms: [PolicyRule] = []
        for group in rule.apiGroups {
            for resource in rule.resources {
                for verb in rule.verbs {
                    let atom = PolicyRule(verbs: [verb], apiGroups: [group], resources: [resource])
                    guard !rule.resourceNames.isEmpty else {
                        atoms.append(atom)
                        continue
                    }
                    for name in rule.resourceNames {
                        var named = atom
                        named.resourceNames = [name]
                        atoms.append(named)
                    }
                }
            }
        }
        for path in rule.nonResourceURLs {
            for verb in rule.verbs { atoms.append(PolicyRule(verbs: [verb], nonResourceURLs: [path])) }
        }
        return atoms
    }

    private static func covers(_ held: PolicyRule, _ atom: PolicyRule) -> Bool {
        guard PolicyRule.has(held.verbs, atom.verbs[0]) else { return false }
        if let path = atom.nonResourceURLs.first {
            return held.nonResourceURLs.contains { PolicyRule.covers($0, path) }
        }
        guard PolicyRule.has(held.apiGroups, atom.apiGroups[0]) else { return false }
        let parts = atom.resources[0].split(separator: "/", maxSplits: 1).map(String.init)
        guard held.coversResource(parts.first ?? "", parts.count > 1 ? parts[1] : "") else { return false }
        guard let name = atom.resourceNames.first else { return held.resourceNames.isEmpty }
        return held.resourceNames.isEmpty || held.resourceNames.contains(name)
    }

    /// What is missing, as a refusal shows it: one line for each resource, with all its verbs.
    static func text(_ missing: [PolicyRule]) -> String {
        var compact: [PolicyRule] = []
        var places: [PolicyRule: Int] = [:]
        for atom in missing {
            var object = atom
            object.verbs = []
            guard atom.nonResourceURLs.isEmpty, let place = places[object] else {
                places[object] = compact.count
                compact.append(atom)
                continue
            }
            if !compact[place].verbs.contains(atom.verbs[0]) { compact[place].verbs.append(atom.verbs[0]) }
        }
        return compact.map(line).sorted().joined(separator: "\n")
    }

    private static func line(_ rule: PolicyRule) -> String {
        let parts = [
            ("APIGroups", rule.apiGroups), ("Resources", rule.resources), ("NonResourceURLs", rule.nonResourceURLs),
            ("ResourceNames", rule.resourceNames), ("Verbs", rule.verbs),
        ]
        let shown = parts.filter { !$0.1.isEmpty }.map { name, list in
            "\(name):[\(list.map { FieldErrors.quoted($0) }.joined(separator: ", "))]"
        }
        return "{\(shown.joined(separator: ", "))}"
    }
}
