// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what pods read of the configuration that is released with them", .timeLimit(.minutes(5)))
struct ConfigCopiesTests {
    private static let reading =
        ", manifests: [./k8s], env: { VAT: { configRef: rates, key: vat } }, files: [{ mountPath: /etc/r, configRef: rates }]"

    private func rates(_ vat: String) -> String { SourceFolder.config("rates", ["vat": vat, "shop": "1"]) }

    private func template(_ deployment: KubeObject?) -> JSON? { deployment?[path: "spec", "template", "spec"] }

    /// The ConfigMap that a Deployment's pods have their variable from.
    private func read(by name: String = "cart", in world: World) -> String? {
        let deployment = world.cluster.all(.deployments).first { $0.name == name }
        let container = template(deployment)?["containers"]?[0]
        return container?["env"]?[0]?[path: "valueFrom", "configMapKeyRef", "name"]?.string
    }

    private func data(_ name: String?, in world: World) -> [String: String]? {
        world.cluster.all(.configMaps).first { $0.name == name }?["data"]?.stringMap
    }

    @Test func aCanaryReadsTheNewOneWhileTheStablePodsReadTheirs() async throws {
        let source = try SourceFolder(["k8s/a.yaml": rates("19")])
        defer { source.remove() }
        let world = World()
        try await world.running { world in
            _ = try await world.releaser().release(try source.file(Self.reading))
            let old = try #require(read(in: world))
            #expect(old.hasPrefix("rates-") && data(old, in: world)?["vat"] == "19")
            try source.write("k8s/a.yaml", rates("7"))
            let file = try source.file(Self.reading + ", canary: [{ percent: 50, for: 10s }]")
            // Nothing but the configuration differs.
            async let record = world.releaser().release(file)
            await world.progress.wait(for: "watching the new pods, 10 s left")
            let new = try #require(read(by: "cart-canary", in: world))
            #expect(new != old && data(new, in: world)?["vat"] == "7")
            #expect(read(in: world) == old && data(old, in: world)?["vat"] == "19")
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .succeeded }
            _ = try await record
            #expect(read(in: world) == new && data(old, in: world) == nil, "nobody reads the old one any more")
            #expect(data("rates", in: world)?["vat"] == "7", "and the object itself is as it is written")
        }
    }

    @Test func goingBackBringsTheOldOneBackAndTheOtherGoes() async throws {
        let source = try SourceFolder(["k8s/a.yaml": rates("19")])
        defer { source.remove() }
        let world = World()
        try await world.running { world in
            _ = try await world.releaser().release(try source.file(Self.reading))
            let old = read(in: world)
            try source.write("k8s/a.yaml", rates("7"))
            _ = try await world.releaser().release(try source.file(Self.reading))
            let new = read(in: world)
            #expect(new != old && data(old, in: world) == nil)
            _ = try await world.releaser().rollback(AppName("cart"), in: nil, to: nil)
            #expect(read(in: world) == old && data(old, in: world)?["vat"] == "19" && data(new, in: world) == nil)
            #expect(data("rates", in: world)?["vat"] == "19")
        }
    }

    @Test func aReleaseThatFailsNeverChangesWhatThePodsBeforeItRead() async throws {
        let source = try SourceFolder(["k8s/a.yaml": rates("19")])
        defer { source.remove() }
        let world = World()
        world.simulator.set(.stuck(["phase": "Pending"]), for: "b")
        try await world.running { world in
            _ = try await world.releaser().release(try source.file(Self.reading))
            let old = read(in: world)
            try source.write("k8s/a.yaml", rates("7"))
            world.builder.setContent("b")
            let second = try source.file(Self.reading)
            async let failure = world.failure(of: world.releaser(), second)
            await world.progress.wait(for: "Pending")
            #expect(read(in: world) != old && data(old, in: world)?["vat"] == "19")
            await world.time.pass(.seconds(1)) { world.releases.last?.phase == .failed }
            #expect(await failure.hasSuffix("rolled back to release 1"))
            #expect(read(in: world) == old && data(old, in: world)?["vat"] == "19")
            #expect(world.cluster.all(.configMaps).map(\.name).sorted() == ["rates", old], "\(old ?? "")")
        }
    }

    // MARK: The rule

    private func settled(_ yaml: String, _ deploy: String) async throws -> (objects: [KubeObject], pod: JSON) {
        let file = try World.file(deploy)
        let own = AppObjects(app: file.app, image: "r/cart:1").all
        let manifests = try ManifestReader.parse(yaml, file: "k8s/all.yaml")
        let state = try await DesiredState(own, manifests, app: file.app, schema: FakeCluster().schema)
        let objects = state.objects.map(\.object)
        return (objects, try #require(template(objects.first { $0.kind == "Deployment" })))
    }

    private static let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: login }\n"
    private static let login = ", env: { P: { secretRef: login, key: password } }"

    @Test func aCopyIsNamedByItsContentAndCannotChange() async throws {
        let one = try await settled(Self.secret + "type: shop/login\nstringData: { a: b, password: x }\n", Self.login)
        let other = try await settled(
            Self.secret + "type: shop/login\ndata: { password: eA==, a: Yg== }\n",
            Self.login
        )
        let copy = try #require(one.objects.first { $0.labels["ballast.dev/copy-of"] == "login" })
        #expect(copy["immutable"] == true && copy["type"] == "shop/login" && copy["data"]?["password"] == "eA==")
        #expect(copy.name.count == "login-".count + 10)
        let read = one.pod["containers"]?[0]?["env"]?[0]?[path: "valueFrom", "secretKeyRef", "name"]
        #expect(read?.string == copy.name)
        #expect(other.pod == one.pod, "the same values, whatever their order and spelling")
        let next = try await settled(Self.secret + "type: shop/login\nstringData: { a: b, password: y }\n", Self.login)
        #expect(next.pod != one.pod)
    }

    @Test func appsThatShareAnObjectShareItsCopy() async throws {
        let source = try SourceFolder(["k8s/a.yaml": rates("19")])
        defer { source.remove() }
        let world = World()
        let cart = try source.file(Self.reading)
        let text = World.text(Self.reading).replacing("name: cart, namespace", with: "name: web, namespace")
        let web = try AppFile.read(text, path: "\(source.path)/ballast.yaml", shownAs: "ballast.yaml")
        try await world.running { world in
            for file in [cart, web] { _ = try await world.releaser().release(file) }
            #expect(read(by: "web", in: world) == read(by: "cart", in: world))
            for file in [cart, web] { #expect(try await world.releaser().release(file).changes == []) }
            // One of them drops it; the other still reads it.
            let without = try World.file()
            let record = try await world.releaser().release(without)
            #expect(record.changes.allSatisfy { !$0.hasPrefix("deleted") }, "\(record.changes)")
            #expect(data(read(by: "web", in: world), in: world)?["vat"] == "19")
        }
    }

    @Test func everyWayToReadOneLeadsToTheCopy() async throws {
        let overlay = """
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: { name: cart }
            spec:
              template:
                spec:
                  initContainers:
                    - { name: first, image: i, envFrom: [{ configMapRef: { name: rates } }, { secretRef: { name: login } }] }
                  volumes:
                    - { name: a, secret: { secretName: login, items: [{ key: password, path: p }] } }
                    - { name: b, projected: { sources: [{ configMap: { name: rates } }, { secret: { name: login } }] } }
                    - { name: c, configMap: { name: foreign } }
            """
        let yaml = "\(rates("19"))---\n\(Self.secret)stringData: { password: x }\n\(overlay)"
        let (objects, pod) = try await settled(yaml, Self.login)
        let copies = objects.filter { $0.labels["ballast.dev/copy-of"] != nil }.map(\.name)
        #expect(copies.count == 2)
        let text = pod.text
        for name in ["rates", "login"] { #expect(!text.contains("ame\":\"\(name)\""), "\(text)") }
        #expect(text.contains("\"foreign\"") && copies.allSatisfy { text.contains("\"\($0)\"") })
    }

    @Test(arguments: [
        "metadata: { name: login, annotations: { ballast.dev/copies: disabled } }\nstringData: { password: x }",
        // Somebody else fills these.
        "metadata: { name: login }", "metadata: { name: login }\nstringData: { user: x }",
        "metadata: { name: login }\ntype: kubernetes.io/service-account-token\nstringData: { password: x }",
        "metadata: { name: login, namespace: other }\nstringData: { password: x }",
    ])
    func whatOthersWriteInIsReadItself(_ text: String) async throws {
        let (objects, pod) = try await settled("apiVersion: v1\nkind: Secret\n\(text)\n", Self.login)
        #expect(objects.count { $0.kind == "Secret" } == 1)
        let read = pod["containers"]?[0]?["env"]?[0]?[path: "valueFrom", "secretKeyRef", "name"]
        #expect(read == "login")
    }
}
