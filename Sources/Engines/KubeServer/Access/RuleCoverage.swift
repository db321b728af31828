// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Whether somebody who hands out rules holds them, rule by smallest part.
struct RuleCoverage {
    let held: [PolicyRule]

    /// The parts of `wanted` that are not held.
    func missing(of wanted: [PolicyRule]) -> [PolicyRule] {
        wanted.flatMap(Self.atoms).filter { atom in !held.contains { Self.covers($0, atom) } }
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
        for atom in missing {
            let place = compact.firstIndex {
                $0.apiGroups == atom.apiGroups && $0.resources == atom.resources
                    && $0.resourceNames == atom.resourceNames && $0.nonResourceURLs.isEmpty
                    && atom.nonResourceURLs.isEmpty
            }
            guard let place else {
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
