// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases

/// Release records as text.
enum ReleaseTable {
    static func text(of records: [ReleaseRecord], as format: RecordFormat) -> String {
        switch format {
        case .json: return JSON.array(records.map(\.json)).prettyText
        case .yaml: return YAMLText.of(.array(records.map(\.json)))
        case .table, .wide:
            let isWide = format == .wide
            let header = ["RELEASE", "PHASE", "STARTED", "BY", "REVISION", "IMAGE", "CLUSTERS"]
            return TextTable(
                header + (isWide ? ["NAMESPACE", "TOOK"] : []) + ["MESSAGE"],
                records.map { row($0, isWide) }
            ).text
        }
    }

    private static func row(_ record: ReleaseRecord, _ isWide: Bool) -> [String] {
        let image = record.image.map { isWide ? $0 : shortened($0) } ?? "-"
        let revision = record.revision.map { isWide ? $0 : commit($0) } ?? "-"
        let first = [
            "\(record.number)", record.phase.rawValue, "\(record.started)", record.by.isEmpty ? "-" : record.by,
            revision,
            image, clusters(record),
        ]
        let words = message(record)
        guard isWide else { return first + [words.count > 100 ? words.prefix(97) + "..." : words] }
        return first + [record.namespace.text, took(record), words]
    }

    private static func message(_ record: ReleaseRecord) -> String {
        record.rollbackTo.map { "back to release \($0): \(record.message)" } ?? record.message
    }

    private static func shortened(_ image: String) -> String {
        image.split(separator: "@").last.map { String($0.prefix(19)) } ?? image
    }

    /// Twelve digits of a commit, with its "-dirty".
    private static func commit(_ revision: String) -> String {
        revision.prefix(12) + (revision.hasSuffix("-dirty") ? "-dirty" : "")
    }

    /// "3 of 4", or the only one's name.
    private static func clusters(_ record: ReleaseRecord) -> String {
        guard record.clusters.count > 1 else { return record.clusters.first?.cluster.text ?? "-" }
        return "\(record.clusters.count { $0.phase == .succeeded }) of \(record.clusters.count)"
    }

    private static func took(_ record: ReleaseRecord) -> String {
        guard let last = record.stages.last else { return "-" }
        return PlainProgress.time(last.started + last.took - record.started)
    }

    static func details(of record: ReleaseRecord, as format: RecordFormat) -> String {
        switch format {
        case .json: return record.json.prettyText
        case .yaml: return YAMLText.of(record.json)
        case .table, .wide: break
        }
        var facts = [
            ["release", "\(record.namespace)/\(record.app) \(record.number)"], ["phase", record.phase.rawValue],
            ["message", message(record)], ["started", "\(record.started)"],
            ["by", record.by.isEmpty ? "-" : record.by],
        ]
        if let revision = record.revision { facts.append(["revision", revision]) }
        facts.append(["image", record.image ?? "-"])
        let width = facts.map { $0[0].count }.max() ?? 0
        var parts = [
            facts.map { $0[0] + ":" + String(repeating: " ", count: width - $0[0].count + 1) + $0[1] }.joined(
                separator: "\n"
            )
        ]
        if !record.stages.isEmpty {
            let rows = record.stages.map {
                [$0.stage.rawValue, "\($0.started)", PlainProgress.time($0.took), $0.error ?? "done"]
            }
            parts.append(TextTable(["STAGE", "STARTED", "TOOK", "RESULT"], rows).text)
        }
        parts.append(TextTable(["CLUSTER", "WAVE", "PHASE", "TOOK", "MESSAGE"], record.clusters.map(row)).text)
        if !record.changes.isEmpty {
            let shown = format == .wide ? record.changes[...] : record.changes.prefix(20)
            let rest = record.changes.count - shown.count
            parts.append(
                (["changes:"] + shown.map { "  \($0)" } + (rest > 0 ? ["  and \(rest) more; see -o wide"] : []))
                    .joined(separator: "\n")
            )
        }
        return parts.joined(separator: "\n\n")
    }

    private static func row(_ result: ClusterResult) -> [String] {
        var took = "-"
        if let start = result.started, let end = result.ended { took = PlainProgress.time(end - start) }
        var words = result.message
        if let number = result.undoneTo { words += (words.isEmpty ? "" : "; ") + "back to release \(number)" }
        return [result.cluster.text, "\(result.wave)", result.phase.rawValue, took, words.isEmpty ? "-" : words]
    }
}
