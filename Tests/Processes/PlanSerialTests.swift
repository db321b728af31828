// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// What a release says it would do, what it refuses to take from others, and what it takes over.
@Suite(
    "plans of releases, by the built binary",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct PlanSerialTests {
    /// Everything that is stored, by name, with its version; not what the node and its controllers write by themselves.
    private static func versions(_ machine: RunningBallast) throws -> [String: String] {
        let own: Set<String> = ["events", "events.events.k8s.io", "leases.coordination.k8s.io", "nodes"]
        let kinds = try machine.ask("api-resources", "--verbs=list", "-o", "name").split(separator: "\n")
            .map(String.init).filter { !own.contains($0) }
        let columns = "K:.kind,S:.metadata.namespace,N:.metadata.name,V:.metadata.resourceVersion"
        let rows = try machine.ask(
            "get",
            kinds.joined(separator: ","),
            "--all-namespaces",
            "--no-headers",
            "-o",
            "custom-columns=\(columns)"
        )
        var versions: [String: String] = [:]
        for row in rows.split(separator: "\n") {
            let words = row.split(separator: " ").map(String.init)
            guard words.count == 4 else { continue }
            versions[words.prefix(3).joined(separator: " ")] = words[3]
        }
        return versions
    }

    /// Waits until the controllers have nothing more to write about a Deployment.
    private static func settle(_ machine: RunningBallast, _ name: String) throws {
        try machine.ask("rollout", "status", "deploy/\(name)", "-n", "apps", "--timeout=60s")
        var last = try versions(machine)
        try machine.wait("nothing changes by itself any more") {
            let now = try versions(machine)
            defer { last = now }
            return now == last
        }
    }

    @Test func aDryRunChangesNothingAndFieldsOfOthersAreTakenOnlyWhenAsked() throws {
        let sources = ReleaseSerialTests.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let path = try BusyboxApp(name: "web", command: BusyboxApp.page("one")).write(below: sources)
        func release(_ arguments: String...) throws -> CommandResult {
            try Programs.run(Programs.ballast, ["release", path, "--data", machine.folder] + arguments)
        }
        func read(_ field: String) throws -> String {
            try machine.ask("get", "deploy", "web", "-n", "apps", "-o", "jsonpath={\(field)}")
        }

        // Before anything exists.
        let empty = try Self.versions(machine)
        #expect(empty.count > 10, "\(empty)")
        let first = try release("--dry-run")
        #expect(first.code == 0, "\(first.errors)")
        for object in ["namespace apps", "deployment apps/web", "service apps/web", "ingress apps/web"] {
            let line = first.output.split(separator: "\n").first { $0.contains(object) }
            #expect(line?.hasPrefix("create") == true, "\(first.output)")
        }
        #expect(first.output.contains("4 would be created"), "\(first.output)")
        #expect(try Self.versions(machine) == empty)

        // Right after a release there is nothing left to do.
        let released = try release()
        #expect(released.code == 0, "\(released.errors)")
        try Self.settle(machine, "web")
        let stored = try Self.versions(machine)
        let second = try release("--dry-run")
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.output == "nothing would change; 3 objects are as wanted\n", "\(second.output)")
        let json = try JSON(parsing: try release("--dry-run", "-o", "json").output)
        #expect(json[0]?["changes"] == [] && json[0]?["unchanged"] == 3, "\(json.text)")
        #expect(try Self.versions(machine) == stored)

        // A changed file is told field by field.
        _ = try BusyboxApp(name: "web", command: BusyboxApp.page("one"), gracePeriod: "2s").write(below: sources)
        let third = try release("--dry-run")
        #expect(
            third.output.contains("deployment apps/web")
                && third.output.contains("spec.template.spec.terminationGracePeriodSeconds: 1 -> 2"),
            "\(third.output)"
        )
        #expect(try Self.versions(machine) == stored)
        _ = try BusyboxApp(name: "web", command: BusyboxApp.page("one")).write(below: sources)

        // Three others take a field each.
        try machine.ask("scale", "deploy/web", "-n", "apps", "--replicas=2")
        try machine.ask("set", "env", "deploy/web", "-n", "apps", "UNRELATED=1")
        try machine.ask("set", "image", "deploy/web", "-n", "apps", "web=localhost:5000/apps/web:1")
        try machine.ask(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=other",
            "-f",
            "-",
            input: """
                { "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "apps" },
                  "spec": { "selector": { "app.kubernetes.io/name": "stranger" } } }
                """
        )
        try Self.settle(machine, "web")
        let contested = try Self.versions(machine)
        for refused in [try release("--dry-run"), try release()] {
            #expect(refused.code == 1, "\(refused.code)")
            for words in [
                "fields of the deployment apps/web belong to somebody else",
                ".spec.replicas is owned by 'kubectl' (Update of scale)",
                ".spec.template.spec.containers[name=\"web\"].image is owned by 'kubectl-set' (Update, ",
                "a field of the service apps/web belongs to somebody else",
                ".spec.selector is owned by 'other' (Apply, ",
                "leave it out of the app to let them keep it", "--take deployment/web:.spec",
                "--take service/web:.spec.selector",
            ] { #expect(refused.errors.contains(words), "\(words) is missing in: \(refused.errors)") }
            #expect(!refused.errors.contains("UNRELATED"), "\(refused.errors)")
            #expect(!refused.errors.contains("test:"), "before anything is tested")
        }
        #expect(try Self.versions(machine) == contested)

        // What is named is taken, and nothing beside it; then all of it.
        let partly = try release("--take", "deployment/web")
        #expect(partly.code == 1 && !partly.errors.contains(".spec.replicas"), "\(partly.errors)")
        #expect(partly.errors.contains(".spec.selector is owned by 'other'"), "\(partly.errors)")
        #expect(try read(".spec.replicas") == "2")
        let plan = try release("--dry-run", "--take", "deployment/web", "--take", ".spec.selector")
        #expect(plan.code == 0 && plan.output.contains("spec.replicas: 2 -> 1"), "\(plan.errors)\(plan.output)")
        let taken = try release("--take", "all")
        #expect(taken.code == 0, "\(taken.errors)")
        #expect(try read(".spec.replicas") == "1")
        #expect(try read(".spec.template.spec.containers[0].image").contains("@sha256:"))
        #expect(try read(".spec.template.spec.containers[0].env[?(@.name=='UNRELATED')].value") == "1")
        try machine.wait("the edge serves again") { try machine.edge("/", host: "web.localhost").status == 200 }
        #expect(try release("--dry-run").output.hasPrefix("nothing would change"))
    }

    @Test func whatKubectlMadeIsTakenOverAndNothingButItsOwnersChange() throws {
        let sources = ReleaseSerialTests.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        // An image for it, by a release of another app.
        let donor = try BusyboxApp(name: "donor", command: BusyboxApp.page("donor")).write(below: sources)
        let made = try machine.ballast("release", donor)
        #expect(made.code == 0, "\(made.errors)")
        let image = try machine.ask("get", "deploy", "donor", "-n", "apps", "-o", "jsonpath={..image}")
        try machine.ask("create", "deployment", "old", "-n", "apps", "--image=\(image)", "--replicas=2", "--port=8080")
        try machine.ask("expose", "deployment", "old", "-n", "apps", "--port=80", "--target-port=8080")
        try machine.ask("set", "env", "deploy/old", "-n", "apps", "TONE=low")
        try Self.settle(machine, "old")

        func objects() throws -> [JSON] {
            let list = try machine.ask("get", "deploy,svc,rs,pods", "-n", "apps", "-l", "app=old", "-o", "json")
            return (try JSON(parsing: list)["items"]?.array ?? []).map { item in
                var object = item
                object["status"] = nil
                var metadata = object["metadata"] ?? [:]
                for key in ["managedFields", "resourceVersion"] { metadata[key] = nil }
                object["metadata"] = metadata
                return object
            }
        }
        let before = try objects()
        #expect(Set(before.compactMap { $0["kind"]?.string }) == ["Deployment", "Service", "ReplicaSet", "Pod"])

        let folder = "\(sources)/old"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let written = try machine.ballast("init", folder, "--from", "deployment/old", "-n", "apps")
        #expect(written.code == 0, "\(written.errors)")
        let plan = try machine.ballast("release", folder, "--dry-run")
        #expect(
            plan.code == 0 && plan.output.contains("2 would be taken over, 0 stay as they are"),
            "\(plan.errors)\(plan.output)"
        )
        let released = try machine.ballast("release", folder)
        #expect(released.code == 0, "\(released.errors)")
        try Self.settle(machine, "old")
        let after = try objects()
        #expect(after.count == before.count)
        for (old, new) in zip(before, after) { #expect(old == new, "\(old.text)\n\(new.text)") }
        for kind in ["deploy", "svc"] {
            let object = try machine.ask("get", kind, "old", "-n", "apps", "--show-managed-fields", "-o", "json")
            let entries = try JSON(parsing: object)[path: "metadata", "managedFields"]?.array ?? []
            let managers = entries.filter { $0["subresource"] == nil }.compactMap { $0["manager"]?.string }
            // The controller keeps the revision in an annotation.
            #expect(managers.filter { $0 != "kube-controller-manager" } == ["ballast"], "\(kind): \(managers)")
        }
        #expect(try machine.ballast("release", folder, "--dry-run").output.hasPrefix("nothing would change"))

        // From here on it is an app as any other.
        let file = "\(folder)/ballast.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains("replicas: 2"), "\(text)")
        try text.replacing("replicas: 2", with: "replicas: 1").write(toFile: file, atomically: true, encoding: .utf8)
        let scaled = try machine.ballast("release", folder)
        #expect(scaled.code == 0, "\(scaled.errors)")
        #expect(try machine.ask("get", "deploy", "old", "-n", "apps", "-o", "jsonpath={.spec.replicas}") == "1")
    }
}
