// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What became of putting a release back, in one sentence.
struct UndoWords: Sendable {
    let record: ReleaseRecord
    /// The pod at fault, where there is one.
    let pod: String?

    func text(of results: [ClusterName: FleetUndo.Result], in order: [ClusterName]) -> String? {
        if record.clusters.count == 1, let only = results.values.first { return alone(only) }
        var parts: [String] = []
        var numbers: [Int: [ClusterName]] = [:]
        for case (let name, .undone(let number, _)?) in order.map({ ($0, results[$0]) }) {
            numbers[number, default: []].append(name)
        }
        for (number, names) in numbers.sorted(by: { $0.key > $1.key }) {
            parts.append("rolled back to release \(number) in \(ReleaseWords.list(names))")
        }
        for name in order {
            switch results[name] {
            case .undone(_, let trouble?): parts.append("not all pods are ready in '\(name)': \(trouble)")
            case .nothingBefore: parts.append("'\(name)' had no earlier release and is left for you to look at")
            case .forgotten: parts.append("'\(name)' is no longer known and is left as it is")
            case .failed(let why): parts.append("'\(name)' could not be rolled back (\(why)) and is tried again")
            default: break
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private func alone(_ result: FleetUndo.Result) -> String {
        switch result {
        case .undone(let number, nil): return "rolled back to release \(number)"
        case .undone(let number, let trouble?):
            return "rolled back to release \(number), whose pods are not all ready: \(trouble)"
        case .nothingBefore:
            let here = "kubectl -n \(record.namespace)"
            let look = pod.map { "'\(here) describe pod \($0)'" } ?? "'\(here) get pods,events'"
            return "there is no earlier release to go back to, so everything is left for you to look at: \(look)"
        case .forgotten: return "the cluster is no longer known and is left as it is"
        case .failed(let why):
            return "it could not be rolled back (\(why)), which is tried again; or release again once that is mended"
        }
    }
}
