// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Testing

extension ReleaseSerialTests {
    private func phases(_ machine: RunningBallast) throws -> [String] {
        try machine.ask("get", "releases", "-n", "apps", "-o", "jsonpath={.items[*].status.phase}").split(
            separator: " "
        )
        .map(String.init)
    }

    @Test func aKilledReleaseIsOnRecordAndTheNextOneTakesOver() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        func page() throws -> String { try machine.edge("/", host: "web.localhost").body }
        func release(_ app: BusyboxApp) throws {
            let result = try machine.ballast("release", try app.write(below: sources))
            #expect(result.code == 0, "\(result.errors)")
        }
        /// Starts a release, kills it once `text` was said and `holds`, and sees that the old pods serve on.
        func killed(_ app: BusyboxApp, at text: String, holds: () throws -> Bool = { true }) throws {
            let running = try RunningRelease(machine, try app.write(below: sources))
            try machine.wait("'\(text)'") { running.said.contains(text) }
            try machine.wait("the moment after '\(text)'", until: holds)
            running.killHard()
            #expect(try page().contains("one"))
        }

        try release(BusyboxApp(name: "web", command: BusyboxApp.page("one")))
        try machine.wait("the edge serves 'one'") { try page().contains("one") }

        // In the tests, and in the build that ends in the push.
        let slow = "echo under way; exec sleep 30"
        try killed(BusyboxApp(name: "web", test: slow, command: BusyboxApp.page("two")), at: "under way")
        try machine.wait("the record is closed without a next release") { try phases(machine).last == "Interrupted" }
        try killed(BusyboxApp(name: "web", build: slow, command: BusyboxApp.page("three")), at: "under way")

        // In the rollout: new pods exist and cannot get ready.
        let unready = BusyboxApp(name: "web", command: BusyboxApp.page("four"), readiness: "/nothing-here")
        try killed(unready, at: "pods:") {
            try machine.ask("get", "pods", "-n", "apps", "-o", "name").split(separator: "\n").count == 2
        }

        try release(BusyboxApp(name: "web", command: BusyboxApp.page("five")))
        try machine.wait("the edge serves 'five'") { try page().contains("five") }
        #expect(try phases(machine) == ["Succeeded", "Interrupted", "Interrupted", "Interrupted", "Succeeded"])
        // Nothing of the killed ones is left but their records.
        try machine.wait("one pod") {
            try machine.ask("get", "pods", "-n", "apps", "-o", "name").split(separator: "\n").count == 1
        }
        let sets = try machine.ask("get", "replicasets", "-n", "apps", "-o", "jsonpath={.items[*].status.replicas}")
        #expect(sets.split(separator: " ").filter { $0 != "0" } == ["1"], "\(sets)")
    }

    @Test func aKillInThePushLeavesWholeImagesOnly() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let app = BusyboxApp(name: "web", build: "head -c 60000000 /dev/urandom > big", command: BusyboxApp.page("one"))
        let folder = try app.write(below: sources)
        let file = try String(contentsOfFile: "\(folder)/ballast.yaml", encoding: .utf8)
        let heavy = file.replacing("- { from: run.sh", with: "- { from: big, to: /big }\n        - { from: run.sh")
        try Data(heavy.utf8).write(to: URL(filePath: "\(folder)/ballast.yaml"))
        let uploads = "\(machine.folder)/registry"
        func held() -> Int {
            let files = FileManager.default.enumerator(atPath: uploads)?.allObjects as? [String] ?? []
            return files.reduce(0) { sum, name in
                let size = try? FileManager.default.attributesOfItem(atPath: "\(uploads)/\(name)")[.size] as? Int
                return sum + (size ?? 0)
            }
        }
        let running = try RunningRelease(machine, folder)
        try machine.wait("the push is under way") { held() > 1 << 20 }
        running.killHard()

        let result = try machine.ballast("release", folder)
        #expect(result.code == 0, "\(result.errors)")
        try machine.wait("the edge serves it") { try machine.edge("/", host: "web.localhost").body.contains("one") }
    }

    @Test func aKilledClusterInARolloutIsCleanAgainAndTheNextReleaseWorks() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let first = try machine.ballast(
            "release",
            try BusyboxApp(name: "web", command: BusyboxApp.page("one")).write(below: sources)
        )
        #expect(first.code == 0, "\(first.errors)")
        let unready = BusyboxApp(name: "web", command: BusyboxApp.page("two"), readiness: "/nothing-here")
        let running = try RunningRelease(machine, try unready.write(below: sources))
        try machine.wait("the rollout") {
            try machine.ask("get", "pods", "-n", "apps", "-o", "name").split(separator: "\n").count == 2
        }
        machine.killHard()
        running.killHard()
        #expect(!Leftovers.of(machine.folder).isEmpty, "else this shows nothing")
        try machine.restart()
        try machine.wait("the record is closed") { try phases(machine) == ["Succeeded", "Interrupted"] }

        let next = try machine.ballast(
            "release",
            try BusyboxApp(name: "web", command: BusyboxApp.page("three")).write(below: sources)
        )
        #expect(next.code == 0, "\(next.errors)")
        try machine.wait("the edge serves it") { try machine.edge("/", host: "web.localhost").body.contains("three") }
        #expect(try phases(machine) == ["Succeeded", "Interrupted", "Succeeded"])
        #expect(machine.stop() == 0)
        #expect(Leftovers.of(machine.folder).isEmpty)
    }

    @Test func aKilledReleaseTakesItsCommandsAlong() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let test = "/bin/sleep 4321.5 & echo pids $$ $!; wait; echo never"
        let running = try RunningRelease(
            machine,
            try BusyboxApp(name: "web", test: test, command: BusyboxApp.page("one")).write(below: sources)
        )
        func commands() -> [pid_t] {
            let line = running.said.split(separator: "\n").first { $0.contains("pids ") && !$0.contains("echo") }
            return line?.split(separator: " ").compactMap { pid_t($0) } ?? []
        }
        try machine.wait("the test runs") { commands().count == 2 }
        let started = commands()
        for process in started { #expect(kill(process, 0) == 0) }
        running.killHard()
        try machine.wait("they are gone") { started.allSatisfy { kill($0, 0) != 0 } }
    }

    @Test func anAppThatEndsTwiceWhileItWaitsIsReleased() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let wait = """
            tries=$(/bin/busybox wc -l < /data/tries 2>/dev/null || echo 0)
            echo try >> /data/tries
            if [ "$tries" -lt 2 ]; then echo 'no database yet' >&2; exit 1; fi
            """
        let app = BusyboxApp(name: "web", command: BusyboxApp.page("up at last", before: wait), volume: "/data")
        let result = try machine.ballast("release", try app.write(below: sources))
        #expect(result.code == 0, "\(result.errors)")
        let restarts = "jsonpath={.items[0].status.containerStatuses[0].restartCount}"
        #expect(try machine.ask("get", "pods", "-n", "apps", "-o", restarts) == "2")
        try machine.wait("it serves") { try machine.edge("/", host: "web.localhost").body.contains("up at last") }
    }
}
