// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// What comes after a release, by the built binary: drift, history, rollback, a canary, and a release that is overtaken.
@Suite(
    "after a release, by the built binary",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct ReleaseHistorySerialTests {
    private func withMachine(_ work: (RunningBallast, _ sources: String) throws -> Void) throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-history-\(UUID().uuidString)")
            .path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        try work(machine, sources)
    }

    private func app(_ page: String, test: String = "true") -> BusyboxApp {
        BusyboxApp(name: "web", test: test, command: BusyboxApp.page(page), replicas: 2)
    }

    private func page(_ machine: RunningBallast) throws -> String {
        try machine.edge("/", host: "web.localhost").body.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func release(_ machine: RunningBallast, _ app: BusyboxApp, _ sources: String) throws {
        let result = try machine.ballast("release", try app.write(below: sources))
        #expect(result.code == 0, "\(result.errors)")
    }

    private func drift(_ machine: RunningBallast) throws -> [String] {
        let status = try machine.ballast("status", "web", "-o", "json")
        #expect(status.code == 0, "\(status.errors)")
        let drift = try JSON(parsing: status.output)[0]?["drift"]?[0]
        #expect(drift?["trouble"] == nil, "\(status.output)")
        return (drift?["fields"]?.array ?? []).compactMap(\.string)
    }

    private func image(_ machine: RunningBallast) throws -> String {
        let path = "jsonpath={.spec.template.spec.containers[0].image}"
        return try machine.ask("get", "deployment", "web", "-n", "apps", "-o", path)
    }

    private func pods(_ machine: RunningBallast) throws -> Set<String> {
        let label = "app.kubernetes.io/name=web"
        return Set(
            try machine.ask("get", "pods", "-n", "apps", "-l", label, "-o", "name").split(separator: "\n").map(
                String.init
            )
        )
    }

    @Test func editsByHandAreDriftAndARollbackNeedsNothingButTheRecord() throws {
        try withMachine { machine, sources in
            try release(machine, app("one"), sources)
            let first = try image(machine)
            try release(machine, app("two"), sources)
            let second = try image(machine)
            #expect(try drift(machine).isEmpty)
            try machine.ask("scale", "deployment", "web", "-n", "apps", "--replicas=3")
            #expect(try drift(machine) == ["deployment apps/web spec.replicas: 3 -> 2 (by kubectl)"])
            try machine.ask("set", "image", "deployment/web", "-n", "apps", "web=\(first)")
            let byHand = try drift(machine)
            let line = "deployment apps/web spec.template.spec.containers[web].image: \"\(first)\" -> \"\(second)\""
            #expect(byHand.contains { $0.hasPrefix(line) }, "\(byHand)")
            #expect(try image(machine) == first, "looking changes nothing")

            // Without the source, and after everything was started anew.
            try FileManager.default.removeItem(atPath: sources)
            machine.stop()
            try machine.restart()
            try machine.ask("set", "image", "deployment/web", "-n", "apps", "web=\(second)")
            let back = try machine.ballast("rollback", "web")
            #expect(back.code == 0, "\(back.errors)")
            #expect(back.output.hasPrefix("rolled web back to release 1 as release 3"), "\(back.output)")
            #expect(back.errors.contains("keeps the 3 replicas that 'kubectl' gave it"), "\(back.errors)")
            #expect(try image(machine) == first)
            try machine.wait("'one'") { try page(machine) == "one" }

            let table = try machine.ballast("releases", "web").output.split(separator: "\n")
            #expect(table.count == 4 && table[1].hasPrefix("3 ") && table[1].contains("back to release 1"), "\(table)")
            let shown = try machine.ballast("releases", "show", "web", "2").output
            #expect(shown.contains("apps/web 2") && shown.contains(second) && shown.contains("Succeeded"), "\(shown)")
            let none = try machine.ballast("rollback", "web", "--to", "9")
            #expect(none.code != 0 && none.errors.contains("there is no release web-9 on record"), "\(none.errors)")
        }
    }

    @Test func aCanaryIsTriedOutBesideTheOldPodsAndANewerReleaseWins() throws {
        try withMachine { machine, sources in
            func canary(_ app: BusyboxApp) throws -> String {
                let folder = try app.write(below: sources)
                let path = "\(folder)/ballast.yaml"
                let text = try String(contentsOfFile: path, encoding: .utf8)
                    .replacing("  deploy:\n", with: "  deploy:\n    canary: [{ percent: 50, for: 3s }]\n")
                try Data(text.utf8).write(to: URL(filePath: path))
                return folder
            }
            try release(machine, app("one"), sources)
            let (old, good) = (try pods(machine), try image(machine))
            var bad = app("two")
            bad.command = "echo no till; exit 42"
            let failed = try machine.ballast("release", try canary(bad))
            #expect(failed.code != 0 && failed.errors.contains("no till"), "\(failed.errors)")
            #expect(failed.errors.contains("the canary gets 50% of the pods"), "\(failed.errors)")
            #expect(failed.errors.contains("rolled back to release 1"), "\(failed.errors)")
            #expect(try image(machine) == good)
            try machine.wait("the canary is gone") { try pods(machine) == old }
            let result = try machine.ballast("release", try canary(app("three")))
            #expect(result.code == 0, "\(result.errors)")
            try machine.wait("'three'") { try page(machine) == "three" }
            try machine.wait("two new pods") { try pods(machine).count == 2 && pods(machine).isDisjoint(with: old) }

            // A slow one, and a newer one beside it.
            let slow = try app("four", test: "echo under way; exec sleep 120").write(below: "\(sources)/slow")
            let older = try RunningRelease(machine, slow)
            try machine.wait("the slow test") { older.said.contains("under way") }
            try release(machine, app("five"), sources)
            older.process.waitUntilExit()
            #expect(older.process.terminationStatus != 0)
            #expect(older.said.contains("was superseded by release web-5"), "\(older.said)")
            let phases = try machine.ask("get", "releases", "-n", "apps", "-o", "jsonpath={.items[*].status.phase}")
            #expect(phases == "Succeeded Failed Succeeded Superseded Succeeded")
            try machine.wait("'five'") { try page(machine) == "five" }
        }
    }
}
