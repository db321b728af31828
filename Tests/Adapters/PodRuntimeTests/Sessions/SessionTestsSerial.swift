// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Testing

@testable import PodRuntime

@Suite(
    "sessions in containers",
    .serialized,
    .timeLimit(.minutes(2)),
    .enabled(if: TestNode.isPossible, "needs root, runc and busybox")
)
struct SessionTestsSerial {
    /// The processes of all pods of a node, as their command lines.
    private static func commands(_ node: TestNode) -> [String] {
        let services = node.runtime.services
        return services.controlGroups.processes(below: services.controlGroup).compactMap { process in
            (try? FileText.read("/proc/\(process)/cmdline"))?.replacing("\0", with: " ")
        }
    }

    @Test func commandsHaveExitCodesAndStreamsThatKeepEveryByte() async throws {
        try await TestNode().run { node in
            let pod = try await node.create("box", "/bin/sleep", "1000")
            _ = try await node.waitForReady("box")
            for code in [0, 3, 137] {
                let (_, end) = try await node.session(pod, "/bin/sh", "-c", "exit \(code)") { $0.hasInput = false }
                #expect(await end.value == .exited(code: code))
            }
            let (both, bothEnd) = try await node.session(pod, "/bin/sh", "-c", "echo out; echo err >&2; kill -9 $$")
            #expect(await bothEnd.value == .exited(code: 137))
            #expect(both.text() == "out\n" && both.text(.errors) == "err\n")
            // More than the pipes and all that is between them hold.
            let blocks = (0..<256).map { block in [UInt8](repeating: UInt8(block), count: 16 * 1024) }
            let (cat, catEnd) = try await node.session(pod, "/bin/cat")
            for block in blocks { cat.write(block) }
            cat.finish()
            #expect(await catEnd.value == .exited(code: 0))
            #expect(cat.bytes() == blocks.flatMap { $0 })
            let (_, missing) = try await node.session(pod, "/bin/ghost")
            guard case .failed(let words) = await missing.value else {
                Issue.record("a program that is not there was run")
                return
            }
            #expect(words.contains("/bin/ghost") && words.contains("no such file or directory"))
            let (deaf, deafEnd) = try await node.session(pod, "/bin/true")
            for block in blocks { deaf.write(block) }
            #expect(await deafEnd.value == .exited(code: 0), "a command that reads nothing ends nevertheless")
            let error = await #expect(throws: Failure.self) {
                try await node.session(pod, "/bin/true", container: "ghost")
            }
            #expect(error?.message == "container not found (\"ghost\")" && error?.code == .notFound)
        }
    }

    @Test func nothingIsLeftOfASessionWhoseClientHasGone() async throws {
        try await TestNode().run { node in
            let pod = try await node.create("box", "/bin/sleep", "1000")
            _ = try await node.waitForReady("box")
            let stubborn = "trap '' HUP TERM; echo up; /bin/sleep 2000 & wait; wait"
            for isTerminal in [false, true] {
                let (peer, end) = try await node.session(pod, "/bin/sh", "-c", stubborn) {
                    $0.isTerminal = isTerminal
                    $0.hasErrors = !isTerminal
                }
                await peer.hear("up")
                #expect(Self.commands(node).contains { $0.contains("2000") })
                end.cancel()
                _ = await end.value
                #expect(Self.commands(node).filter { !$0.contains("1000") }.isEmpty)
            }
            #expect(Self.commands(node).contains { $0.contains("sleep 1000") }, "the container goes on")
        }
    }

    @Test func aTerminalHasASizeAndOneOutput() async throws {
        try await TestNode().run { node in
            let pod = try await node.create("box", "/bin/sleep", "1000")
            _ = try await node.waitForReady("box")
            let script =
                "echo $TERM; busybox stty size; echo err >&2; while read x; do busybox stty size; echo got $x; done"
            let (peer, end) = try await node.session(pod, "/bin/busybox", "sh", "-c", script) {
                $0.isTerminal = true
                $0.hasErrors = false
            }
            peer.set(width: 120, height: 40)
            await peer.hear("err")
            #expect(peer.text().hasPrefix("xterm\r\n40 120\r\nerr\r\n"), "\(peer.text())")
            peer.set(width: 100, height: 30)
            try await node.eventually("the new size is known") {
                peer.write("look\n")
                try await Task.sleep(for: .milliseconds(20))
                return peer.text().contains("30 100\r\n")
            }
            peer.write("word\n")
            await peer.hear("got word\r\n")
            peer.write("\u{4}")
            #expect(await end.value == .exited(code: 0))
            #expect(peer.text(.errors) == "")
        }
    }

    @Test func whoAttachesReadsAlongAndWritesToTheContainersInput() async throws {
        try await TestNode().run { node in
            let once: JSON = ["stdin": true, "stdinOnce": true]
            let script = "echo before; while read x; do echo got $x; echo err $x >&2; done; echo over; exit 4"
            let pod = try await node.create(
                "cat",
                "/bin/sh",
                "-c",
                script,
                container: once,
                spec: ["restartPolicy": "Never"]
            )
            _ = try await node.follow(pod, until: "before")
            let (reader, readerEnd) = try await node.session(pod) { $0.hasInput = false }
            let (writer, writerEnd) = try await node.session(pod)
            // Until both read along, words would be lost to them.
            try await node.eventually("both are there") {
                writer.write("x\n")
                try await Task.sleep(for: .milliseconds(20))
                return reader.text().contains("got x") && writer.text().contains("got x")
            }
            writer.write("word\n")
            await reader.hear("got word")
            await writer.hear("err word", .errors)
            writer.finish()
            #expect(await writerEnd.value == .ended)
            #expect(await readerEnd.value == .ended)
            #expect(reader.text().hasSuffix("got word\nover\n") && writer.text().hasSuffix("got word\nover\n"))
            let failed = try await node.waitForPhase("Failed", of: "cat")
            #expect(failed.status["containerStatuses"]?[0]?[path: "state", "terminated", "exitCode"] == 4)
            #expect(try await node.log(failed).contains("got word"))
        }
    }

    @Test func aTerminalOfAContainerCanBeUsedAgainAndAgain() async throws {
        try await TestNode().run { node in
            let pod = try await node.create(
                "shell",
                "/bin/busybox",
                "sh",
                "-c",
                "while read x; do busybox stty size; echo got $x; done",
                container: ["stdin": true, "tty": true]
            )
            _ = try await node.waitForReady("shell")
            for round in 1...2 {
                let (peer, end) = try await node.session(pod) {
                    $0.isTerminal = true
                    $0.hasErrors = false
                }
                peer.set(width: 70 + round, height: 20)
                try await node.eventually("the size is known") {
                    peer.write("look\n")
                    try await Task.sleep(for: .milliseconds(20))
                    return peer.text().contains("20 \(70 + round)")
                }
                peer.write("round \(round)\n")
                await peer.hear("got round \(round)\r\n")
                end.cancel()
                #expect(await end.value == .ended)
            }
        }
    }

    @Test func portsAreReachedInsideThePod() async throws {
        try await TestNode().run { node in
            let pod = try await node.create(
                "echo",
                "/bin/busybox",
                "nc",
                "-ll",
                "-p",
                "7000",
                "-e",
                "/bin/cat"
            )
            _ = try await node.waitForReady("echo")
            let ports = try await node.runtime.agent.ports(namespace: "default", pod: "echo", uid: pod.uid)
            var stream: (any PortStream)?
            try await node.eventually("it listens") {
                stream = try? await ports.dial(7000)
                return stream != nil
            }
            let open = try #require(stream)
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
            async let written: Void = {
                try? await open.write(bytes)
                open.finish()
            }()
            var back: [UInt8] = []
            while let more = await open.read() { back += more }
            await written
            #expect(back == bytes, "half of it closed, the other half goes on")
            await #expect(throws: Failure.self) { try await ports.dial(7001) }
            let gone = Task { await ports.waitUntilGone() }
            try await node.cluster.delete(ObjectReference(.pods, namespace: "default", name: "echo"))
            await gone.value
            await #expect(throws: Failure.self) { try await ports.dial(7000) }
        }
    }
}
