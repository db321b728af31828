// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// Releases to two embedded clusters in two waves, by the built binary.
@Suite(
    "releases in waves, by the built binary",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct WavesSerialTests {
    /// Two machines; the second is known to the first as "prod", by credentials that a program hands out where it says so.
    private func withTwo(
        byProgram: Bool = false,
        _ work: (_ home: RunningBallast, _ prod: RunningBallast, _ sources: String) throws -> Void
    ) throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-waves-\(UUID().uuidString)").path
        let home = try RunningBallast()
        defer {
            home.stop()
            home.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let prod = try RunningBallast()
        defer {
            prod.stop()
            prod.clean()
        }
        let kubeconfig = byProgram ? try self.kubeconfigWithProgram(of: prod) : prod.kubeconfig
        let added = try home.ballast("clusters", "add", "prod", "--kubeconfig", kubeconfig)
        guard added.code == 0 else { throw Failure(.fault, "clusters add: \(added.errors)") }
        try work(home, prod, sources)
    }

    private func kubeconfigWithProgram(of machine: RunningBallast) throws -> String {
        let text = try String(contentsOfFile: machine.kubeconfig, encoding: .utf8)
        func pem(_ key: String) throws -> String {
            let line = try #require(text.split(separator: "\n").first { $0.contains("client-\(key)-data: ") })
            let data = try #require(Data(base64Encoded: String(line.split(separator: " ").last ?? "")))
            return String(decoding: data, as: UTF8.self)
        }
        let version = "client.authentication.k8s.io/v1"
        let answer: JSON = [
            "apiVersion": .string(version), "kind": "ExecCredential",
            "status": [
                "clientCertificateData": .string(try pem("certificate")), "clientKeyData": .string(try pem("key")),
            ],
        ]
        let (credential, path) = ("\(machine.folder)/credential.json", "\(machine.folder)/by-program")
        try Data(answer.bytes).write(to: URL(filePath: credential))
        let head = text.components(separatedBy: "users:")[0]
        let user =
            "{ exec: { apiVersion: \(version), command: cat, args: [\(credential)], interactiveMode: IfAvailable } }"
        try Data("\(head)users:\n- name: ballast-admin\n  user: \(user)\n".utf8).write(to: URL(filePath: path))
        return path
    }

    /// The app file of a page for both clusters. The image is in the first one's registry, by an address both reach.
    private func write(_ page: String, _ home: RunningBallast, below sources: String, prod: String = "") throws
        -> String
    {
        let script = """
            \(prod)
            \(BusyboxApp.page(page))
            """
        let folder = try BusyboxApp(name: "web", command: script).write(below: sources)
        let path = "\(folder)/ballast.yaml"
        let registry = "127.0.0.1:\(RunningBallast.registryPort + home.offset)"
        let text = try String(contentsOfFile: path, encoding: .utf8)
            .replacing("repository: localhost:5000/", with: "repository: \(registry)/")
            .replacing(
                "  deploy:\n",
                with: """
                      deploy:
                        clusters: [[local], [prod]]
                        verify: { for: 2s }
                        overrides: { prod: { env: { PLACE: prod } } }

                    """
            )
        try Data(text.utf8).write(to: URL(filePath: path))
        return folder
    }

    private func served(_ machine: RunningBallast) throws -> String {
        try machine.edge("/", host: "web.localhost").body.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func image(_ machine: RunningBallast) throws -> String {
        try machine.ask(
            "get",
            "deployment",
            "web",
            "-n",
            "apps",
            "-o",
            "jsonpath={.spec.template.spec.containers[0].image}"
        )
    }

    @Test func aCrashInTheSecondWavePutsBothBackAndARollbackGoesToBoth() throws {
        try withTwo { home, prod, sources in
            func release(_ page: String, prod script: String = "") throws -> CommandResult {
                try home.ballast("release", try write(page, home, below: sources, prod: script))
            }
            let first = try release("one")
            #expect(first.code == 0, "\(first.errors)")
            for machine in [home, prod] { try machine.wait("'one'") { try served(machine).contains("one") } }
            let good = try image(home)
            #expect(try image(prod) == good, "one image, pushed once")

            // It serves in the first wave and ends at once in the second.
            let crash = "if [ \"$PLACE\" = prod ]; then echo cannot reach the ledger; exit 42; fi"
            let second = try release("two", prod: crash)
            #expect(second.code != 0)
            #expect(second.errors.contains("failed in the cluster 'prod'"), "\(second.errors)")
            #expect(second.errors.contains("cannot reach the ledger"), "\(second.errors)")
            #expect(second.errors.contains("rolled back to release 1 in 'local' and 'prod'"), "\(second.errors)")
            for machine in [home, prod] {
                #expect(try image(machine) == good)
                try machine.wait("'one' again") { try served(machine).contains("one") }
            }
            let shown = try JSON(parsing: try home.ballast("releases", "show", "web", "2", "-o", "json").output)
            #expect(shown["phase"]?.string == "Failed")
            #expect(shown["clusters"]?.array?.map { $0["phase"]?.string } == ["RolledBack", "RolledBack"])

            // A good one, and back from its record alone.
            let third = try release("three")
            #expect(third.code == 0, "\(third.errors)")
            try FileManager.default.removeItem(atPath: sources)
            let back = try home.ballast("rollback", "web")
            #expect(back.code == 0, "\(back.errors)")
            #expect(back.output.hasPrefix("rolled web back to release 1 as release 4"))
            for machine in [home, prod] {
                #expect(try image(machine) == good)
                try machine.wait("'one' once more") { try served(machine).contains("one") }
            }
            let table = try home.ballast("releases", "web").output.split(separator: "\n")
            #expect(table.count == 5 && table[1].hasPrefix("4 ") && table[1].contains("Succeeded"), "\(table)")
            #expect(table[3].contains("Failed") && table[3].contains("0 of 2"), "\(table)")
        }
    }

    /// A service of the shop for both clusters, started by a script; its tests have a suite of their own.
    private func shop(_ name: String, version: Int, start: String, _ home: RunningBallast, below sources: String)
        throws -> String
    {
        let folder = "\(sources)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let shop = "\(Programs.root)/Examples/shop"
        let registry = "127.0.0.1:\(RunningBallast.registryPort + home.offset)"
        let text = try String(contentsOfFile: "\(shop)/\(name)/ballast.yaml", encoding: .utf8)
            .replacing(try Regex("run: swift test [^}]*}"), with: "run: 'true' }")
            .replacing("--package-path ..", with: "--package-path \(shop)")
            .replacing("from: ../.build", with: "from: \(shop)/.build")
            .replacing("files: [{", with: "files: [{ from: start.sh, to: /start.sh }, \(Self.busybox), {")
            .replacing("entrypoint: [/bin/\(name)]", with: "entrypoint: [/bin/busybox, sh, /start.sh]")
            .replacing("localhost:5000/", with: "\(registry)/")
            .replacing("VERSION: \"1\"", with: "VERSION: \"\(version)\"")
            .replacing("  docs: ./docs\n", with: "")
            .replacing(
                "clusters: [local]",
                with: "clusters: [[local], [prod]]\n    overrides: { prod: { env: { PLACE: prod } } }"
            )
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/ballast.yaml"))
        try Data("\(start)\nexec /bin/\(name)\n".utf8).write(to: URL(filePath: "\(folder)/start.sh"))
        return folder
    }

    private static let busybox = "{ from: /bin/busybox, to: /bin/busybox, libraries: true }"

    @Test func theShopWithACrashingImageInTheSecondWaveEndsOnTheOldVersionInBoth() throws {
        try withTwo { home, prod, sources in
            func release(_ name: String, _ version: Int, _ start: String = "") throws -> CommandResult {
                let folder = try shop(name, version: version, start: start, home, below: sources)
                return try home.ballast("release", folder, limit: 900)
            }
            func image(_ machine: RunningBallast) throws -> String {
                let path = "jsonpath={.spec.template.spec.containers[0].image}"
                return try machine.ask("get", "deployment", "web", "-n", "shop", "-o", path)
            }
            /// The page is whole only where all three services had their part in it.
            func shows(_ version: Int, _ machine: RunningBallast) throws -> Bool {
                let page = try machine.edge("/", host: "shop.localhost")
                return page.status == 200 && page.body.contains("web \(version)</footer>")
                    && page.body.contains("Compass") && !page.body.contains("class=\"notice\"")
            }
            for name in ["catalog", "cart", "web"] {
                let result = try release(name, 1)
                #expect(result.code == 0, "\(result.errors)")
            }
            for machine in [home, prod] { try machine.wait("the shop") { try shows(1, machine) } }
            let good = try image(home)
            #expect(try image(prod) == good && good.contains("@sha256:"))

            let crash = "if [ \"$PLACE\" = prod ]; then echo no till in this town; exit 42; fi"
            let second = try release("web", 2, crash)
            #expect(second.code != 0)
            #expect(second.errors.contains("failed in the cluster 'prod'"), "\(second.errors)")
            #expect(second.errors.contains("no till in this town"), "\(second.errors)")
            #expect(second.errors.contains("rolled back to release 1 in 'local' and 'prod'"), "\(second.errors)")
            for machine in [home, prod] {
                #expect(try image(machine) == good)
                try machine.wait("the old shop") { try shows(1, machine) }
                try machine.wait("one pod") {
                    try machine.ask("get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=web", "-o", "name")
                        .split(separator: "\n").count == 1
                }
            }
        }
    }

    @Test func aReleaseThatIsKilledInTheSecondWaveIsPutBackInBothByUp() throws {
        try withTwo(byProgram: true) { home, prod, sources in
            let first = try home.ballast("release", try write("one", home, below: sources))
            #expect(first.code == 0, "\(first.errors)")
            let good = try image(home)
            // Its pods never get ready in the second wave.
            let stuck = "if [ \"$PLACE\" = prod ]; then exec /bin/busybox sleep 1000; fi"
            let running = try RunningRelease(home, try write("two", home, below: sources, prod: stuck))
            try home.wait("the second wave", limit: 60) { try image(home) != good && image(prod) != good }
            running.killHard()
            for machine in [home, prod] { try machine.wait("the old image", limit: 60) { try image(machine) == good } }
            func record() throws -> JSON {
                try JSON(parsing: try home.ballast("releases", "show", "web", "2", "-o", "json").output)
            }
            try home.wait("the record is closed", limit: 60) { try record()["phase"]?.string == "Interrupted" }
            #expect(try record()["clusters"]?.array?.map { $0["phase"]?.string } == ["RolledBack", "RolledBack"])
            for machine in [home, prod] { try machine.wait("'one'") { try served(machine).contains("one") } }
            #expect(try home.ballast("status", "web", "-o", "json").output.contains("\"fields\": []"))
        }
    }

    @Test func aClusterThatIsGoneFailsTheReleaseBeforeAnythingIsChanged() throws {
        try withTwo { home, prod, sources in
            prod.stop()
            let result = try home.ballast("release", try write("one", home, below: sources))
            #expect(result.code != 0)
            #expect(result.errors.contains("the cluster 'prod' is no place for this release"), "\(result.errors)")
            #expect(try home.kubectl("get", "namespace", "apps").code != 0)
        }
    }
}
