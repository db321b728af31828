// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases

/// What is awaited in all clusters, as lines for a terminal: first what is in trouble, then what is under way.
struct AwaitedBoard {
    struct Line: Hashable {
        var mark: String
        var colour: Terminal.Colour?
        var text: String
    }

    private var reports: [HealthReport] = []

    /// Replaces what was known of the report's cluster.
    mutating func take(_ report: HealthReport) {
        if let place = reports.firstIndex(where: { $0.cluster == report.cluster }) {
            reports[place] = report
        } else {
            reports.append(report)
        }
    }

    mutating func forget(_ cluster: String) { reports.removeAll { $0.cluster == cluster } }

    private static func isDone(_ object: HealthReport.Object) -> Bool {
        object.state == .current || object.state == .suspended
    }

    /// "3 of 5 objects as asked in 2 clusters".
    var summary: String {
        let objects = reports.flatMap(\.objects)
        let done = objects.count(where: Self.isDone)
        let places = reports.count > 1 ? " in \(reports.count) clusters" : ""
        return "\(done) of \(objects.count) objects as asked\(places)"
    }

    /// Whether a single object is awaited in a single cluster: a status line says how it stands.
    var isAlone: Bool { reports.flatMap(\.objects).count < 2 }

    /// None where a single object is awaited and nothing is wrong with it.
    ///
    /// With the time it is now a cause is told with how long it may still be there before it ends the release.
    func lines(atMost limit: Int, now: Timestamp? = nil) -> [Line] {
        let all = reports.flatMap { report in report.objects.map { (report.cluster, $0) } }
        guard all.count > 1 || all.contains(where: { $0.1.suspected != nil }), limit > 0 else { return [] }
        let clusterWidth = reports.count > 1 ? (reports.map { ReleaseView.columns(of: $0.cluster) }.max() ?? 0) + 2 : 0
        let nameWidth = min(40, (all.map { $0.1.reference.kindAndName.count }.max() ?? 0) + 2)
        let open = all.filter { !Self.isDone($0.1) }
        let ranked = open.filter { $0.1.suspected != nil } + open.filter { $0.1.suspected == nil }
        let done = all.filter { Self.isDone($0.1) }
        var chosen = Array((ranked + done).prefix(limit))
        let left = all.count - chosen.count
        if left > 0 { chosen.removeLast() }
        var lines = chosen.map { cluster, object in
            let place = clusterWidth > 0 ? Self.padded(cluster, clusterWidth) : ""
            return Self.line(object, place + Self.padded(object.reference.kindAndName, nameWidth), now)
        }
        if left > 0 { lines.append(Line(mark: " ", colour: nil, text: "and \(left + 1) more")) }
        return lines
    }

    private static func line(_ object: HealthReport.Object, _ head: String, _ now: Timestamp?) -> Line {
        if isDone(object) { return Line(mark: "✓", colour: .green, text: head + object.message) }
        guard let suspected = object.suspected else { return Line(mark: "·", colour: nil, text: head + object.message) }
        let diagnosis = suspected.diagnosis
        var left = ""
        if let now, let counts = suspected.counts {
            left = " (\(max(0, (counts - now).components.seconds)) s left)"
        }
        return Line(mark: "!", colour: .yellow, text: head + "B\(diagnosis.code.rawValue)\(left) \(diagnosis.cause)")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - ReleaseView.columns(of: text)))
    }
}
