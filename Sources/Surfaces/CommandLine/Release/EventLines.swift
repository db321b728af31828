// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Releases

/// Progress for programs: one JSON object per line on stderr, as docs/formats/release-events.md describes them.
struct EventLines: ReleaseProgress {
    private let clock: WallClock
    private let write: @Sendable (String) -> Void

    init(clock: WallClock = .ofTheMachine, write: @escaping @Sendable (String) -> Void = { Terminal.note($0) }) {
        self.clock = clock
        self.write = write
    }

    func report(_ event: ReleaseEvent) async { write(Self.json(of: event, at: clock.now).text) }

    static func json(of event: ReleaseEvent, at now: Timestamp) -> JSON {
        var line: JSON = ["time": .string(now.microText), "event": .string(event.name)]
        for (key, value) in members(of: event) { line[key] = value }
        return line
    }

    private static func members(of event: ReleaseEvent) -> [(String, JSON)] {
        switch event {
        case .started(let app, let number): [("app", .string(app.text)), ("number", JSON(number))]
        case .stageStarted(let stage): [("stage", .string(stage.rawValue))]
        case .output(let step, let line): [("step", .string(step)), ("line", .string(line))]
        case .note(let text), .waiting(let text): [("text", .string(text))]
        case .health(let report):
            [("cluster", .string(report.cluster)), ("objects", .array(report.objects.map(json)))]
        case .diagnosed(let cluster, let diagnosis, let lines):
            [("cluster", .string(cluster))] + members(of: diagnosis)
                + (lines.isEmpty ? [] : [("lastLines", .array(lines.map { .string($0) }))])
        case .stageEnded(let stage, let took), .stageFailed(let stage, let took):
            [("stage", .string(stage.rawValue)), ("milliseconds", JSON(milliseconds(took)))]
        }
    }

    private static func members(of diagnosis: Diagnosis) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("code", .string("B\(diagnosis.code.rawValue)")), ("cause", .string(diagnosis.cause)),
            ("advice", .string(diagnosis.advice)),
        ]
        if let object = diagnosis.object { members.append(("object", .string(object.words))) }
        if let pod = diagnosis.pod { members.append(("pod", .string(pod))) }
        if let container = diagnosis.container { members.append(("container", .string(container))) }
        return members
    }

    private static func json(_ object: HealthReport.Object) -> JSON {
        var json: JSON = [
            "kind": .string(object.reference.type.kind), "name": .string(object.reference.name),
            "state": .string(object.state.rawValue), "reason": .string(object.reason),
            "message": .string(object.message),
        ]
        if let namespace = object.reference.namespace { json["namespace"] = .string(namespace) }
        if let suspected = object.suspected {
            var cause: JSON = .object(JSONObject(members(of: suspected.diagnosis)))
            cause["object"] = nil
            cause["since"] = .string(suspected.since.microText)
            if let counts = suspected.counts { cause["counts"] = .string(counts.microText) }
            json["suspected"] = cause
        }
        return json
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}

extension WallClock {
    static let ofTheMachine = WallClock {
        Timestamp(seconds: 0, nanoseconds: Int64(Date().timeIntervalSince1970 * 1_000_000_000))
    }
}

extension ReleaseEvent {
    fileprivate var name: String {
        switch self {
        case .started: "started"
        case .stageStarted: "stageStarted"
        case .output: "output"
        case .note: "note"
        case .waiting: "waiting"
        case .health: "health"
        case .diagnosed: "diagnosed"
        case .stageEnded: "stageEnded"
        case .stageFailed: "stageFailed"
        }
    }
}
