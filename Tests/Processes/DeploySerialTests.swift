// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import TestKit
import Testing

/// A first deployment whole, in one command: namespace, pull secret, configuration, job, pods, service and ingress, from a
/// registry that asks for a password; then what later releases change, drop and put back.
@Suite(
    "all that a deployment needs, by the built binary",
    .serialized,
    .enabled(
        if: Programs.obstacle == nil && PeerRegistry.program != nil,
        "\(Programs.obstacle ?? "no docker-registry")"
    )
)
struct DeploySerialTests {
    private let sources = ReleaseSerialTests.temporary()

    private func write(_ path: String, _ text: String) throws {
        let file = URL(filePath: "\(sources)/\(path)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
    }

    /// Writes the app's folder and returns its path.
    private func writeApp(_ registry: String, vat: String, verify: String = "") throws -> String {
        try write(
            "till/ballast.yaml",
            """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: till, namespace: apps }
            spec:
              image:
                repository: \(registry)/apps/till
                credentials: { secretRef: login }
                build:
                  files:
                    - { from: /bin/busybox, to: /bin/busybox, libraries: true }
                    - { from: run.sh, to: /run.sh }
                  entrypoint: [/bin/busybox, sh, /run.sh]
              deploy:
                deadline: 60s
                terminationGracePeriod: 1s
                ports: [{ name: http, port: 8080 }]
                probes: { readiness: { http: /index.html, period: 1s } }
                env: { VAT: { configRef: rates, key: vat }, KEY: { secretRef: ledger, key: key } }
                files: [{ mountPath: /etc/rates, configRef: rates }]
                before: [{ name: migrate, run: [/bin/busybox, sh, -c, 'echo migrated at $VAT'] }]
                manifests: [./k8s]
                \(verify)
              routes:
                - { hosts: [till.localhost], paths: [/] }
            """
        )
        let script = """
            /bin/busybox mkdir -p /www
            echo "$VAT $KEY $(/bin/busybox cat /etc/rates/vat)" > /www/index.html
            trap 'exit 0' TERM
            /bin/busybox httpd -f -p 8080 -h /www &
            echo $! > /server
            wait
            exit 9

            """
        try write("till/run.sh", script)
        try write(
            "till/k8s/rates.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: rates }\ndata: { vat: '\(vat)' }\n"
        )
        try write(
            "till/k8s/ledger.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: { name: ledger }\nstringData: { key: k1 }\n"
        )
        return "\(sources)/till"
    }

    private func page(_ machine: RunningBallast) throws -> String {
        try machine.edge("/", host: "till.localhost").body.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func login(_ name: String, _ password: String, _ machine: RunningBallast) throws {
        let secret = """
            { "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "\(name)", "namespace": "ballast-system" },
              "stringData": { "username": "tester", "password": "\(password)" } }
            """
        try machine.ask("apply", "-f", "-", input: secret)
    }

    private func names(_ kind: String, _ machine: RunningBallast) throws -> [String] {
        try machine.ask("get", kind, "-n", "apps", "-o", "jsonpath={.items[*].metadata.name}").split(separator: " ")
            .map(String.init)
    }

    /// Each member stands in that section of docs/formats/command-output.md.
    private func demandItIsDocumented(_ json: JSON, in section: String) throws {
        let path = "\(Programs.root)/docs/formats/command-output.md"
        let page = try String(contentsOfFile: path, encoding: .utf8)
        let parts = page.components(separatedBy: "\n## ")
        let text = try #require(parts.first { $0.hasPrefix("\(section)\n") }, "\(section)")
        let words = Set(text.components(separatedBy: "`"))
        func look(_ value: JSON) {
            for element in value.array ?? [] { look(element) }
            for (key, member) in value.object ?? [:] {
                #expect(words.contains(key), "'\(key)' is not in '\(section)'")
                // What a field holds has members of its own.
                if !["old", "new"].contains(key) { look(member) }
            }
        }
        #expect(json.object?.isEmpty == false || json.array?.isEmpty == false, "\(json.text)")
        look(json)
    }

    @Test func aFirstDeploymentIsOneCommandAndLaterOnesChangeDropAndPutBack() async throws {
        let peer = try await PeerRegistry(password: "s3cret")
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        try machine.wait("ballast-system") {
            _ = try machine.kubectl("create", "namespace", "ballast-system")
            return try machine.kubectl("get", "namespace", "ballast-system").code == 0
        }
        try login("login", "s3cret", machine)
        try login("other", "s3cret", machine)

        // Everything from nothing.
        try write(
            "till/k8s/extra.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\ndata: { a: b }\n---\napiVersion: v1\n"
                + "kind: PersistentVolumeClaim\nmetadata: { name: archive }\n"
                + "spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }\n"
        )
        let first = try machine.ballast("release", try writeApp(peer.host, vat: "19"))
        #expect(first.code == 0, "\(first.errors)")
        try machine.wait("'19 k1 19'") { try page(machine) == "19 k1 19" }
        #expect(first.errors.contains("the job 'migrate' succeeded"), "\(first.errors)")
        let job = try names("jobs", machine).first ?? ""
        #expect(try machine.ask("logs", "-n", "apps", "job/\(job)") == "migrated at 19\n")
        let secret = "ballast-pull-login.127.0.0.1-\(peer.port)"
        let used = "jsonpath={.spec.template.spec.imagePullSecrets[*].name} {.spec.template.spec.containers[0].image}"
        let image = try machine.ask("get", "deploy", "till", "-n", "apps", "-o", used)
        #expect(image.hasPrefix("\(secret) \(peer.host)/apps/till@sha256:"), "\(image)")

        // Another app of the namespace, by another login, which is renewed while others are released.
        let till = image.split(separator: " ").last.map(String.init) ?? ""
        try write(
            "idle/ballast.yaml",
            """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: idle, namespace: apps }
            spec:
              image: { use: '\(till)', credentials: { secretRef: other } }
              deploy: { terminationGracePeriod: 1s, replicas: 0 }
            """
        )
        let idle = try machine.ballast("release", "\(sources)/idle")
        #expect(idle.code == 0, "\(idle.errors)")
        try login("other", "renewed", machine)

        // A changed value replaces the pods, what the app drops goes, and what holds data stays.
        let copies = try names("configmaps", machine).filter { $0.hasPrefix("rates-") }
        #expect(copies.count == 1)
        try FileManager.default.removeItem(atPath: "\(sources)/till/k8s/extra.yaml")
        let second = try machine.ballast("release", try writeApp(peer.host, vat: "7"))
        #expect(second.code == 0, "\(second.errors)")
        try machine.wait("'7 k1 7'") { try page(machine) == "7 k1 7" }
        #expect(second.errors.contains("persistentvolumeclaim apps/archive stays: it holds data"), "\(second.errors)")
        let left = try names("configmaps", machine)
        #expect(!left.contains("extra") && left.contains("rates") && Set(left).isDisjoint(with: copies), "\(left)")
        #expect(try names("pvc", machine) == ["archive"])
        let show = try JSON(parsing: try machine.ballast("releases", "show", "till", "2", "-o", "json").output)
        #expect(show["changes"]?.array?.contains("deleted configmap apps/extra") == true, "\(show.text)")

        try demandItIsDocumented(show, in: "Records of releases")
        let all = try JSON(parsing: try machine.ballast("releases", "till", "-o", "json").output)
        try demandItIsDocumented(all, in: "Records of releases")
        for (command, section) in [("status", "Status"), ("clusters list", "Clusters")] {
            let words = command.split(separator: " ").map(String.init) + ["-o", "json", "--data", machine.folder]
            let printed = try JSON(parsing: try Programs.run(Programs.ballast, words).output)
            try demandItIsDocumented(printed, in: section)
        }
        let next = try writeApp(peer.host, vat: "5", verify: "verify: { for: 50s }")
        let plan = try JSON(parsing: try machine.ballast("release", next, "--dry-run", "-o", "json").output)
        let actions = plan[0]?["changes"]?.array?.compactMap { $0["action"]?.string } ?? []
        #expect(Set(actions) == ["create", "change", "delete"], "\(plan.text)")
        try demandItIsDocumented(plan, in: "Plans")

        // Ready, and then it does not hold: the release before it comes back, with what its pods read.
        let third = try RunningRelease(machine, next)
        try machine.wait("the window") { third.said.contains("watching the new pods") }
        let end = "read server < /server && kill $server"
        try machine.ask("exec", "-n", "apps", "deploy/till", "--", "/bin/busybox", "sh", "-c", end)
        third.process.waitUntilExit()
        #expect(third.process.terminationStatus != 0)
        #expect(third.said.contains("the new pods did not hold: the container 'till' of till-"), "\(third.said)")
        #expect(third.said.contains("ended with exit code 9; rolled back to release 2"), "\(third.said)")
        try machine.wait("'7 k1 7' again") { try page(machine) == "7 k1 7" }

        try machine.wait("the renewed login has come to the pods' secret", limit: 90) {
            let name = "ballast-pull-other.127.0.0.1-\(peer.port)"
            let path = "jsonpath={.data.\\.dockerconfigjson}"
            let data = try machine.ask("get", "secret", name, "-n", "apps", "-o", path)
            let text = String(decoding: Data(base64Encoded: data) ?? Data(), as: UTF8.self)
            return text.contains("\"renewed\"")
        }
    }
}
