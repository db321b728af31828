// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Telemetry
import Testing

@testable import PodRuntime

@Suite("the stop of a node", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct StopTestsSerial {
    private static let deaf = "trap '' TERM; echo up; while true; do sleep 1; done"

    @Test func itTellsWhichPodsItWaitsForAndForHowLong() async throws {
        let node = try TestNode()
        try await node.run { node in
            for name in ["deaf", "deafer"] {
                let pod = try await node.create(name, "/bin/sh", "-c", Self.deaf)
                _ = try await node.follow(pod, until: "up")
            }
            try await node.create("done", "/bin/true", spec: ["restartPolicy": "Never"])
            _ = try await node.waitForPhase("Succeeded", of: "done")
        }
        #expect(
            node.stops.all == [.begun(pods: ["default/deaf", "default/deafer"], limit: .seconds(1)), .ended]
        )
    }

    @Test func aHurriedStopKillsWhatWouldTakeItsTime() async throws {
        let node = try TestNode(shutdownGrace: .seconds(300))
        node.start()
        let pod = try await node.create(
            "deaf",
            "/bin/sh",
            "-c",
            Self.deaf,
            spec: ["terminationGracePeriodSeconds": 300]
        )
        _ = try await node.follow(pod, until: "up")
        let start = ContinuousClock.now
        async let stopped: Void = node.stop()
        try await node.eventually { node.stops.all.contains(.begun(pods: ["default/deaf"], limit: .seconds(300))) }
        await node.runtime.hurry()
        try await stopped
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(Mounts.below(node.folder.path).isEmpty)
    }

    @Test func aStopThatWasHurriedBeforeItBeganGrantsNoTimeEither() async throws {
        let node = try TestNode(shutdownGrace: .seconds(300))
        try await node.run { node in
            let pod = try await node.create(
                "deaf",
                "/bin/sh",
                "-c",
                Self.deaf,
                spec: ["terminationGracePeriodSeconds": 300]
            )
            _ = try await node.follow(pod, until: "up")
            await node.runtime.hurry()
        }
        #expect(node.stops.all.last == .ended)
    }
}

@Suite("troubles of a node")
struct NodeTroubleTests {
    @Test(arguments: [
        (CancellationError() as any Error, 0), (Failure(.unavailable, "cut short", cause: CancellationError()), 0),
        (Failure(.unavailable, "no answer"), 1),
    ])
    func whatAStopCutsShortIsNoTrouble(_ error: any Error, _ count: Int) {
        let lines = Recorded<String>()
        let telemetry = Telemetry("test", log: Logger(label: "test") { _ in RecordingLog(lines: lines) })
        telemetry.emit(NodeTrouble(what: "pod not deleted", subject: "web", error: error))
        #expect(lines.all == Array(repeating: "pod not deleted", count: count))
    }
}

private struct RecordingLog: LogHandler {
    let lines: Recorded<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.message)") }
}
