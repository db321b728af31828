// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

@Suite(
    "releases, by the built binary",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct ReleaseSerialTests {
    static func temporary() -> String {
        FileManager.default.temporaryDirectory.appending(path: "ballast-apps-\(UUID().uuidString)").path
    }

    @Test func anAppGoesFromItsFileToTheEdgeAndAFailingOneChangesNothing() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        func release(_ app: BusyboxApp) throws -> CommandResult {
            try machine.ballast("release", try app.write(below: sources))
        }
        func page() throws -> String { try machine.edge("/", host: "web.localhost").body }

        let first = try release(BusyboxApp(name: "web", command: BusyboxApp.page("one")))
        #expect(first.code == 0, "\(first.errors)")
        try machine.wait("the edge serves 'one'") { try page().contains("one") }
        let template = try machine.ask("get", "deployment", "web", "-n", "apps", "-o", "jsonpath={.spec.template}")

        // A failing test: nothing but a failed record.
        let failing = try release(
            BusyboxApp(name: "web", test: "echo assertion 7 failed; exit 3", command: BusyboxApp.page("two"))
        )
        #expect(failing.code != 0)
        #expect(failing.errors.contains("the step 'test unit' failed with exit code 3"), "\(failing.errors)")
        #expect(failing.errors.contains("assertion 7 failed"))
        #expect(
            try machine.ask("get", "deployment", "web", "-n", "apps", "-o", "jsonpath={.spec.template}") == template
        )

        // A failing build.
        let broken = try release(BusyboxApp(name: "web", build: "exit 9", command: BusyboxApp.page("two")))
        #expect(broken.code != 0 && broken.errors.contains("exit code 9"), "\(broken.errors)")

        // A crashing image: named within its deadline, with its last words; the old pod serves on.
        let crashing = try release(BusyboxApp(name: "web", command: "echo cannot open the ledger\nexit 42\n"))
        #expect(crashing.code != 0)
        #expect(crashing.errors.contains("exit code 42"), "\(crashing.errors)")
        #expect(crashing.errors.contains("cannot open the ledger"), "\(crashing.errors)")
        #expect(try page().contains("one"))

        // A readiness probe that never passes.
        let unready = try release(
            BusyboxApp(name: "web", command: BusyboxApp.page("three"), readiness: "/nothing-here", deadline: "8s")
        )
        #expect(unready.code == 3, "\(unready.errors)")
        #expect(unready.errors.contains("never became ready within 8 s"), "\(unready.errors)")
        #expect(unready.errors.contains("404"), "\(unready.errors)")
        #expect(try page().contains("one"))

        // And a good one goes through after all that.
        let good = try release(BusyboxApp(name: "web", command: BusyboxApp.page("four")))
        #expect(good.code == 0, "\(good.errors)")
        try machine.wait("the edge serves 'four'") { try page().contains("four") }

        let phases = try machine.ask("get", "releases", "-n", "apps", "-o", "jsonpath={.items[*].status.phase}")
        #expect(
            phases.split(separator: " ").map(String.init) == [
                "Succeeded", "Failed", "Failed", "Failed", "Failed", "Succeeded",
            ]
        )
        let status = try machine.ballast("status")
        #expect(status.output.contains("web") && status.output.contains("1/1"), "\(status.output)")
    }

    @Test func dataSurvivesANewReleaseARestartAndAKill() throws {
        let sources = Self.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        func release(_ word: String) throws {
            let script = BusyboxApp.page(
                word,
                before:
                    "echo \(word) >> /data/words; /bin/busybox mkdir -p /www; /bin/busybox cp /data/words /www/words 2>/dev/null || { /bin/busybox mkdir -p /www && /bin/busybox cp /data/words /www/words; }"
            )
            let result = try machine.ballast(
                "release",
                try BusyboxApp(name: "keeper", command: script, volume: "/data").write(below: sources)
            )
            #expect(result.code == 0, "\(result.errors)")
        }
        func words() throws -> [String] {
            try machine.edge("/words", host: "keeper.localhost").body.split(separator: "\n").map(String.init)
        }
        try release("alpha")
        try machine.wait("alpha") { try words() == ["alpha"] }
        try release("beta")
        try machine.wait("beta") { try words() == ["alpha", "beta"] }
        #expect(machine.stop() == 0)
        #expect(Leftovers.of(machine.folder).isEmpty)
        try machine.restart()
        try machine.wait("a restart keeps it") { try words() == ["alpha", "beta", "beta"] }

        machine.killHard()
        try machine.restart()
        try machine.wait("a kill keeps it") { try words() == ["alpha", "beta", "beta", "beta"] }
        #expect(machine.stop() == 0)
        #expect(Leftovers.of(machine.folder).isEmpty)
    }
}

/// What of a data folder's machine is still on this host: mounts, processes, namespaces.
enum Leftovers {
    static func of(_ folder: String) -> [String] {
        var found: [String] = []
        // Read to its end: the kernel hands it out a page at a time.
        let table = FileHandle(forReadingAtPath: "/proc/self/mountinfo")?.readDataToEndOfFile() ?? Data()
        let mounts = String(decoding: table, as: UTF8.self)
        found += mounts.split(separator: "\n").map(String.init).filter { $0.contains(" \(folder)/") }
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(entry) != nil {
            guard let data = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else { continue }
            let line = String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
            if line.contains(folder) { found.append("process \(entry): \(line)") }
        }
        return found
    }
}
