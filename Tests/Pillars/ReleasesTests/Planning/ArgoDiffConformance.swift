// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import TestKit
import Testing

@testable import Releases

/// Argo CD's pairs of a manifest and what a cluster stores of it: applied by us, exactly what a person would call a change is
/// told, and nothing that the server, a controller or a spelling brought about.
struct ArgoDiffConformance {
    private struct Case: Sendable {
        var manifest: KubeObject
        var live: KubeObject
        /// The fields that change, in order of their names.
        var expected: [String]
    }

    @Test func onlyWhatAPersonWouldCallAChangeIsTold() async throws {
        try await ConformanceSuite("argocd-diff", in: "releases/argocd-diff").run { folder in
            try Self.pairs(in: folder).map { name, manifest, live in
                ConformanceCase(name, try Self.read(folder, name, manifest, live))
            }
        } check: { input in
            try await check(input)
        }
    }

    // MARK: Reading

    /// Each manifest with the live object it is about; some have two.
    private static func pairs(in folder: URL) throws -> [(name: String, manifest: String, live: String)] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return files.filter { $0.contains("-config") }.flatMap {
            file -> [(name: String, manifest: String, live: String)] in
            let stem = String(file[..<(file.firstRange(of: "-config")?.lowerBound ?? file.endIndex)])
            let odd = stem == "ssd-svc-no-label" ? "ssd-svc-label" : stem
            let lives = files.filter { $0.hasPrefix("\(odd)-live") && !$0.contains("predicted") }
            return lives.map { live in
                let name = file.prefix { $0 != "." }
                return (lives.count == 1 ? String(name) : "\(name) on \(live.prefix { $0 != "." })", file, live)
            }
        }
    }

    private static func object(_ url: URL) throws -> KubeObject {
        try HealthSamples.object(String(contentsOf: url, encoding: .utf8))
    }

    private static func read(_ folder: URL, _ name: String, _ manifest: String, _ live: String) throws -> Case {
        let stem = String(manifest[..<(manifest.firstRange(of: "-config")?.lowerBound ?? manifest.endIndex)])
        let predicted = folder.appending(path: "\(stem)-predicted-live.json")
        let stored = today(try object(folder.appending(path: live)))
        var expected = changes[name] ?? []
        if FileManager.default.fileExists(atPath: predicted.path) {
            let all = MeaningfulDiff.changes(from: stored, to: today(try object(predicted))).map(\.path)
            expected = all.filter { !byWebhooks.contains($0) } + (takenOver[name] ?? [])
        }
        return Case(
            manifest: today(try object(folder.appending(path: manifest))),
            live: stored,
            expected: expected.sorted()
        )
    }

    /// In versions that servers still know.
    private static func today(_ object: KubeObject) -> KubeObject {
        var object = object
        object["apiVersion"] = .string(
            object.apiVersion.replacing("apps/v1beta1", with: "apps/v1").replacing("k8s.io/v1beta1", with: "k8s.io/v1")
        )
        return object
    }

    /// What the servers' own webhooks did to the predictions.
    private static let byWebhooks: Set<String> = ["metadata.labels.event", "metadata.labels.mutation-test"]

    /// Of the pairs without a prediction: those in which something changes.
    private static let changes: [String: [String]] = [
        "smd-service-config on smd-service-live": ["spec.ports[rtmp].targetPort"],
        "smd-service-config-ports on smd-service-live": ["spec.ports[http3]", "spec.ports[rtmpq]"],
        "smd-service-config-2-ports on smd-service-live": ["spec.ports[https]"],
    ]

    /// What somebody applied beside the release by `kubectl apply` goes here, where Argo CD leaves it, and that is said.
    private static let takenOver: [String: [String]] = [
        "ssd-deploy-with-manual-apply-config": ["spec.template.spec.containers[idle]"]
    ]

    // MARK: Checking

    private func check(_ input: Case) async throws {
        let api = try await EmbeddedCluster().api
        var world = ApplyWorld(api)
        world.taken = try TakenFields(["all"])
        world.adopts = true
        let namespace = input.live.namespace ?? ""
        if !namespace.isEmpty, namespace != "default" {
            _ = try await api.create(KubeObject(.namespaces, name: namespace), as: .namespaces)
        }
        var manifest = input.manifest
        let type = try await api.schema.resource(apiVersion: manifest.apiVersion, kind: manifest.kind)
        if type.isNamespaced { manifest.json.set(.string(namespace), at: ["metadata", "namespace"]) }
        try await store(input.live, as: type, api)
        let text = manifest.json.text
        let planned = try await world.plan(ManifestReader.parse(text, file: "a.yaml"))
        guard let object = planned.first, planned.count == 1 else { throw ConformanceMismatch("no plan") }
        try requireEqual(object.fields.map(\.path).sorted(), input.expected, "changed fields")
    }

    /// What kubectl noted that it applied.
    private static func applied(_ live: KubeObject) -> KubeObject? {
        let text = live.annotations["kubectl.kubernetes.io/last-applied-configuration"]
        return text.flatMap { try? JSON(parsing: $0) }.map { today(KubeObject($0)) }
            .flatMap { $0.apiVersion == live.apiVersion && $0.namespace == live.namespace ? $0 : nil }
    }

    /// As the cluster had it, its fields owned as they were: those that Argo CD applied are ours here.
    private func store(_ live: KubeObject, as type: ResourceType, _ api: any ClusterAPI) async throws {
        var object = live
        object["status"] = nil
        // Addresses are the cluster's own, and this one forwards no UDP.
        let isUDP = (object.spec["ports"]?.array ?? []).contains { $0["protocol"] == "UDP" }
        for (key, value) in [("clusterIP", "None" as JSON), ("clusterIPs", ["None"])] where type == .services {
            object.json.set(isUDP ? value : nil, at: ["spec", key])
        }
        for key in ["uid", "resourceVersion", "creationTimestamp", "selfLink", "generation"] {
            object.json.set(nil, at: ["metadata", key])
        }
        let entries = ManagedEntry.entries(of: live)
        if entries.isEmpty {
            object.json.set(nil, at: ["metadata", "managedFields"])
            let options = WriteOptions(fieldManager: "kubectl-client-side-apply")
            guard let applied = Self.applied(object) else {
                _ = try await api.create(object, as: type, options: options)
                return
            }
            // What kubectl applied is its own; the rest came from controllers and webhooks, who do not hand it over.
            _ = try await api.create(applied, as: type, options: options)
            _ = try await api.update(object, as: type, subresource: nil, options: WriteOptions(fieldManager: "others"))
            return
        }
        let owned = entries.map { entry in
            var json = entry.json
            if entry.manager == "argocd-controller", entry.operation == "Apply" { json["manager"] = "ballast" }
            return json
        }
        object.json.set(nil, at: ["metadata", "managedFields"])
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        _ = try await api.create(object, as: type)
        let patch: JSON = [["op": "replace", "path": "/metadata/managedFields", "value": .array(owned)]]
        _ = try await api.patch(reference, .json, patch)
    }
}
