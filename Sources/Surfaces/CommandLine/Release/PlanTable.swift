// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases

/// What `ballast release --dry-run` prints: a table of what would change, the fields of changed objects one a line.
enum PlanTable {
    static func text(of plans: [ClusterPlan]) -> String {
        plans.map { plan in
            var rows: [[String]] = []
            for line in plan.lines {
                let name = line.reference.words
                switch line.action {
                case .change:
                    for (place, field) in line.fields.enumerated() {
                        rows.append([place == 0 ? "change" : "", place == 0 ? name : "", field.words])
                    }
                case .create:
                    let unchecked = line.isChecked ? "" : " (not tried: its namespace or kind is yet to come)"
                    rows.append(["create", name, line.place + unchecked])
                case .takeOver: rows.append(["take over", name, "nothing but who owns its fields"])
                case .delete: rows.append(["delete", name, "the app has it no more"])
                case .keep: rows.append(["keep", name, line.note ?? ""])
                }
                if line.action != .keep, let note = line.note { rows.append(["", "", note]) }
            }
            let head = plans.count > 1 ? "\(plan.cluster): " : ""
            guard !rows.isEmpty else {
                return "\(head)nothing would change; \(count(plan.unchanged, "object")) as wanted"
            }
            return TextTable(["ACTION", "OBJECT", "WHAT"], rows).text + "\n\n" + head + summary(plan)
        }.joined(separator: "\n\n")
    }

    private static func summary(_ plan: ClusterPlan) -> String {
        let words: [(ClusterPlan.Line.Action, String)] = [
            (.create, "created"), (.change, "changed"), (.takeOver, "taken over"), (.delete, "deleted"),
            (.keep, "kept"),
        ]
        let counts = words.compactMap { action, word -> String? in
            let number = plan.lines.count { $0.action == action }
            return number == 0 ? nil : "\(number) would be \(word)"
        }
        return (counts + ["\(plan.unchanged) stay as they are"]).joined(separator: ", ")
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun) is" : "\(number) \(noun)s are"
    }
}
