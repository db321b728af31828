// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import TestKit
import Testing

@testable import Releases

@Suite("an app's manifests")
struct ManifestTests {
    private func problems(_ text: String) -> String {
        do {
            _ = try ManifestReader.parse(text, file: "k8s/a.yaml")
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func documentsAndListsAreReadWithTheirPlaces() throws {
        let text = """
            # a comment
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: a }
            ---
            apiVersion: v1
            kind: List
            items:
              - { apiVersion: v1, kind: Secret, metadata: { name: b, labels: { version: 1.10, on: yes } } }
            """
        let manifests = try ManifestReader.parse(text, file: "k8s/a.yaml")
        #expect(manifests.map(\.object.name) == ["a", "b"])
        #expect(manifests.map(\.place) == ["k8s/a.yaml:4", "k8s/a.yaml:10"])
        #expect(manifests[1].object.labels == ["version": "1.10", "true": "yes"], "labels are text as it is written")
    }

    @Test(arguments: [
        ("kind: A\nmetadata: { name: b }", "k8s/a.yaml:1: apiVersion is missing or no text"),
        ("apiVersion: v1\nkind: A\nmetadata: {}", "k8s/a.yaml:3: metadata.name is missing or no text"),
        (
            "apiVersion: v1\nkind: A\nmetadata:\n  generateName: b-",
            "k8s/a.yaml:4: metadata.generateName makes a new object at each release; give it a metadata.name"
        ),
        ("- 1", "k8s/a.yaml:1: a Kubernetes object is expected here"),
        ("apiVersion: v1\nkind: A\nkind: B", "k8s/a.yaml:2: the key 'kind' is given more than once"),
        (
            "apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  labels: { x: { y: z } }",
            "k8s/a.yaml:5: metadata.labels.x must be text"
        ),
    ])
    func aProblemIsToldWithItsLine(_ text: String, _ message: String) {
        #expect(problems(text) == message)
    }

    @Test func foldersAreReadWholeAndInOrder() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "k8s/sub"),
            withIntermediateDirectories: true
        )
        func write(_ name: String, _ object: String) throws {
            let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \(object) }\n"
            try Data(text.utf8).write(to: folder.appending(path: "k8s/\(name)"))
        }
        try write("b.yml", "b")
        try write("a.yaml", "a")
        try write("sub/c.yaml", "c")
        try write("README.md", "no")
        try write(".hidden.yaml", "no")
        let files = try ManifestReader.read(["./k8s"], in: folder.path)
        #expect(files["./k8s"]?.map(\.object.name) == ["a", "b", "c"])
        #expect(files["./k8s"]?.last?.place == "k8s/sub/c.yaml:2")
        let failure = #expect(throws: Failure.self) { try ManifestReader.read(["./none", "k8s"], in: folder.path) }
        #expect(failure?.message == "none: there is no such file or folder (spec.deploy.manifests)")
        try write("kustomization.yaml", "k")
        let kustomized = #expect(throws: Failure.self) { try ManifestReader.read(["k8s"], in: folder.path) }
        #expect(kustomized?.message.hasPrefix("k8s/kustomization.yaml: kustomizations are not built here") == true)
    }

    @Test func aManifestOfTheAppsOwnObjectIsLaidOverIt() throws {
        let base = try JSON(
            parsing: """
                {"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[
                {"name":"cart","image":"i","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],
                "args":["x"]}]}}}}
                """
        )
        let overlay = try JSON(
            parsing: """
                {"spec":{"replicas":null,"selector":{"matchLabels":{"c":"d"}},"template":{"spec":{"nodeName":null,
                "containers":[{"name":"cart","args":["y"],"env":[{"name":"B","value":"3"},{"name":"A","$patch":"delete"}]},
                {"name":"side","image":"s"}]}}}}
                """
        )
        let expected = try JSON(
            parsing: """
                {"spec":{"selector":{"matchLabels":{"c":"d"}},"template":{"spec":{"containers":[
                {"name":"cart","image":"i","env":[{"name":"B","value":"3"}],"args":["y"]},
                {"name":"side","image":"s"}]}}}}
                """
        )
        #expect(ManifestOverlay.laid(overlay, over: base) == expected)
    }

    @Test func objectsAreNormalisedBeforeTheyAreApplied() throws {
        let secret = KubeObject([
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "creationTimestamp": .null],
            "stringData": ["a": "x"], "data": ["b": "eQ=="], "status": ["x": 1],
        ])
        let expected: JSON = [
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s"], "data": ["b": "eQ==", "a": "eA=="],
        ]
        #expect(ObjectNormaliser.normalised(secret, type: .secrets).json == expected)
    }

    @Test func whatIsTakenIsNamedByObjectOrFieldOrBoth() throws {
        let scale = ObjectReference(.deployments, namespace: "shop", name: "cart")
        func takes(_ text: String, _ field: String) throws -> Bool {
            let conflict = try #require(
                FieldConflict.all(
                    in: Failure(
                        KubeStatus(
                            code: 409,
                            reason: "Conflict",
                            message: "",
                            causes: [
                                .init(reason: "FieldManagerConflict", message: "conflict with \"x\"", field: field)
                            ]
                        )
                    ),
                    live: nil
                ).first
            )
            return try TakenFields([text]).takes(conflict, of: scale)
        }
        #expect(try takes("all", ".spec.replicas"))
        #expect(try takes("deployment/cart", ".spec.replicas"))
        #expect(try takes("deployments.apps/cart:spec.replicas", ".spec.replicas"))
        #expect(try takes(".spec", ".spec.replicas"))
        #expect(try !takes(".spec.repl", ".spec.replicas"))
        #expect(try !takes("deployment/web", ".spec.replicas"))
        #expect(throws: Failure.self) { try TakenFields(["cart"]) }
    }
}
