// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import KubeServer

@Suite("stateful sets", .timeLimit(.minutes(5)))
struct StatefulSetTests {
    let cluster = ControlledCluster()

    /// A set as the API would have defaulted it.
    func set(_ name: String, image: String = "db:1", spec: JSON = [:]) -> KubeObject {
        var object = KubeObject(.statefulSets, namespace: "shop", name: name)
        object["spec"] = [
            "replicas": 3, "serviceName": .string(name), "selector": ["matchLabels": ["app": .string(name)]],
            "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
            "updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["partition": 0]],
            "persistentVolumeClaimRetentionPolicy": ["whenDeleted": "Retain", "whenScaled": "Retain"],
            "template": [
                "metadata": ["labels": ["app": .string(name)]],
                "spec": ["containers": [["name": "main", "image": .string(image)]]],
            ],
        ]
        for (key, value) in spec.object ?? [:] { object.json.set(value, at: ["spec", key]) }
        return object
    }

    private func patch(_ cluster: ControlledCluster, _ name: String, _ spec: JSON) async throws {
        let reference = ObjectReference(.statefulSets, namespace: "shop", name: name)
        let now = try await cluster.api.get(reference)
        _ = try await cluster.api.patch(
            reference,
            .merge,
            ["metadata": ["generation": JSON(now.generation + 1)], "spec": spec]
        )
    }

    private func image(_ image: String) -> JSON {
        ["template": ["spec": ["containers": [["name": "main", "image": .string(image)]]]]]
    }

    private func images(_ pods: [KubeObject]) -> [String] {
        pods.sorted { $0.name < $1.name }.map { $0.spec["containers"]?[0]?["image"]?.string ?? "" }
    }

    @Test("a set that wants more pods than there could be takes no more memory than one that wants some")
    func giant() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(
                set("giant", spec: ["replicas": 2_147_483_647, "ordinals": ["start": 2_147_483_647]]),
                as: .statefulSets
            )
            let pods = try await cluster.wait(.pods) { $0.count >= 2 }
            #expect(pods.contains { $0.name == "giant-2147483647" } && pods.contains { $0.name == "giant-2147483648" })
        }
    }

    @Test("pods come one after the other, each with its name, labels and claim")
    func creates() async throws {
        let claims: JSON = [
            [
                "metadata": ["name": "data"],
                "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
            ]
        ]
        try await cluster.run { cluster in
            let query = ListQuery(.pods)
            let start = try await cluster.api.list(query)
            var slow = KubeObject(.storageClasses, name: "slow")
            slow["volumeBindingMode"] = "WaitForFirstConsumer"
            _ = try await cluster.api.create(slow, as: .storageClasses)
            _ = try await cluster.api.create(set("db", spec: ["podManagementPolicy": "Parallel"]), as: .statefulSets)
            let done = try await cluster.wait(.statefulSets, "db") { $0.status["readyReplicas"] == 3 }
            #expect(start.items.isEmpty)
            #expect(done.status["currentRevision"] == done.status["updateRevision"])
            #expect(done.status["updatedReplicas"] == 3 && done.status["collisionCount"] == 0)
            let pods = cluster.api.all(.pods).sorted { $0.name < $1.name }
            #expect(pods.map(\.name) == ["db-0", "db-1", "db-2"])
            #expect(pods[1].labels["apps.kubernetes.io/pod-index"] == "1")
            #expect(pods[1].labels["statefulset.kubernetes.io/pod-name"] == "db-1")
            #expect(pods[1].labels["controller-revision-hash"] == done.status["updateRevision"]?.string)
            #expect(pods[1].spec["hostname"] == "db-1" && pods[1].spec["subdomain"] == "db")
            _ = try await cluster.api.create(
                set("kept", spec: ["replicas": 2, "volumeClaimTemplates": claims]),
                as: .statefulSets
            )
            let claim = try await cluster.wait(.persistentVolumeClaims, "data-kept-0") { _ in true }
            #expect(claim.labels == ["app": "kept"] && claim.ownerReferences.isEmpty)
            let pod = try await cluster.wait(.pods, "kept-0") { _ in true }
            #expect(pod.spec["volumes"]?[0]?["persistentVolumeClaim"]?["claimName"] == "data-kept-0")
            let events = try await cluster.waitForEvents("StatefulSet", count: 5)
            #expect(events.contains("SuccessfulCreate: Create Pod db-0 in StatefulSet db successful"))
            #expect(
                events.contains(
                    "SuccessfulCreate: Create Claim data-kept-0 Pod kept-0 in StatefulSet kept success"
                )
            )
        }
    }

    @Test("the next pod waits until the one before is ready")
    func ordered() async throws {
        try await cluster.run(phase: { $0.name == "db-1" ? "Pending" : "Running" }) { cluster in
            _ = try await cluster.api.create(set("db"), as: .statefulSets)
            let stuck = try await cluster.wait(.statefulSets, "db") { $0.status["replicas"] == 2 }
            #expect(stuck.status["readyReplicas"]?.int ?? 0 <= 1)
            _ = try await cluster.wait(.pods, "db-1") { !$0.nodeName.isEmpty }
            #expect(cluster.api.all(.pods).map(\.name).sorted() == ["db-0", "db-1"])
        }
    }

    @Test("a new template replaces pods from the highest down, and only those above the partition")
    func rolls() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(set("db"), as: .statefulSets)
            let first = try await cluster.wait(.statefulSets, "db") { $0.status["readyReplicas"] == 3 }
            let rolling: JSON = ["updateStrategy": ["rollingUpdate": ["partition": 2]]]
            try await patch(cluster, "db", rolling)
            try await patch(cluster, "db", image("db:2"))
            let partly = try await cluster.wait(.statefulSets, "db") {
                $0.status["updatedReplicas"] == 1 && $0.status["readyReplicas"] == 3
            }
            #expect(partly.status["currentRevision"] == first.status["currentRevision"])
            #expect(partly.status["currentReplicas"] == 2)
            #expect(images(cluster.api.all(.pods)) == ["db:1", "db:1", "db:2"])
            try await patch(cluster, "db", ["updateStrategy": ["rollingUpdate": ["partition": 0]]])
            let done = try await cluster.wait(.statefulSets, "db") {
                $0.status["currentRevision"] == partly.status["updateRevision"] && $0.status["readyReplicas"] == 3
            }
            #expect(done.status["currentReplicas"] == 3)
            #expect(images(cluster.api.all(.pods)) == ["db:2", "db:2", "db:2"])
            // Back again: no third revision, the first becomes the newest.
            try await patch(cluster, "db", image("db:1"))
            _ = try await cluster.wait(.statefulSets, "db") {
                $0.status["currentRevision"] == first.status["currentRevision"] && $0.status["readyReplicas"] == 3
            }
            let revisions = RevisionHistory.sorted(cluster.api.all(.controllerRevisions))
            #expect(revisions.map(\.revisionNumber) == [2, 3])
            #expect(revisions.last?.name == first.status["currentRevision"]?.string)
        }
    }

    @Test("a smaller set loses its highest pods one by one, and a claim is kept or goes as the policy says")
    func shrinks() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(set("db"), as: .statefulSets)
            _ = try await cluster.wait(.statefulSets, "db") { $0.status["readyReplicas"] == 3 }
            try await patch(cluster, "db", ["replicas": 1])
            _ = try await cluster.wait(.statefulSets, "db") { $0.status["replicas"] == 1 }
            #expect(cluster.api.all(.pods).map(\.name) == ["db-0"])
            let events = try await cluster.waitForEvents("StatefulSet", count: 5)
            #expect(
                events.suffix(2) == [
                    "SuccessfulDelete: Delete Pod db-2 in StatefulSet db successful",
                    "SuccessfulDelete: Delete Pod db-1 in StatefulSet db successful",
                ]
            )
        }
    }

    @Test("a pod that serves goes even where a lower one that is to go as well does not")
    func shrinksPastAiling() async throws {
        try await cluster.run(phase: { $0.name == "db-1" ? "Pending" : "Running" }) { cluster in
            _ = try await cluster.api.create(set("db", spec: ["podManagementPolicy": "Parallel"]), as: .statefulSets)
            _ = try await cluster.wait(.statefulSets, "db") { $0.status["readyReplicas"] == 2 }
            try await patch(cluster, "db", ["replicas": 1, "podManagementPolicy": "OrderedReady"])
            let left = try await cluster.wait(.pods) { $0.count == 1 }
            #expect(left.map(\.name) == ["db-0"])
        }
    }

    @Test("a set that replaces pods on request only leaves them alone")
    func onDelete() async throws {
        try await cluster.run { cluster in
            let strategy: JSON = ["updateStrategy": ["type": "OnDelete"]]
            _ = try await cluster.api.create(set("db", spec: strategy), as: .statefulSets)
            _ = try await cluster.wait(.statefulSets, "db") { $0.status["readyReplicas"] == 3 }
            try await patch(cluster, "db", image("db:2"))
            _ = try await cluster.wait(.statefulSets, "db") { $0.status["observedGeneration"]?.int == $0.generation }
            #expect(images(cluster.api.all(.pods)) == ["db:1", "db:1", "db:1"])
            try await cluster.api.delete(ObjectReference(.pods, namespace: "shop", name: "db-1"))
            _ = try await cluster.wait(.pods) { images($0) == ["db:1", "db:2", "db:1"] }
        }
    }

    @Test("the ordinals may begin elsewhere, and names of other sets are not this one's")
    func names() {
        let view = StatefulSetView(set: set("web", spec: ["ordinals": ["start": 5], "replicas": 2]))
        #expect(view.range == 5..<7)
        func ordinal(_ name: String) -> Int? { view.ordinal(of: KubeObject(.pods, namespace: "shop", name: name)) }
        #expect(ordinal("web-5") == 5)
        #expect(ordinal("web-1-0") == nil)
        #expect(ordinal("web-") == nil)
        #expect(ordinal("webx-1") == nil)
        #expect(ordinal("web-+1") == nil)
    }

    @Test("a claim belongs to whom its policy says")
    func retention() {
        var pod = KubeObject(.pods, namespace: "shop", name: "web-0")
        pod.json.set("pod-uid", at: ["metadata", "uid"])
        func owners(_ deleted: String, _ scaled: String, isCondemned: Bool) -> [String] {
            let policy: JSON = ["whenDeleted": .string(deleted), "whenScaled": .string(scaled)]
            var owner = set("web", spec: ["persistentVolumeClaimRetentionPolicy": policy])
            owner.json.set("set-uid", at: ["metadata", "uid"])
            let claim = KubeObject(.persistentVolumeClaims, namespace: "shop", name: "data-web-0")
            return StatefulSetView(set: owner).owners(of: claim, pod: pod, isCondemned: isCondemned)
                .compactMap { $0["uid"]?.string }
        }
        #expect(owners("Retain", "Retain", isCondemned: true).isEmpty)
        #expect(owners("Delete", "Retain", isCondemned: true) == ["set-uid"])
        #expect(owners("Delete", "Delete", isCondemned: true) == ["pod-uid"])
        #expect(owners("Delete", "Delete", isCondemned: false) == ["set-uid"])
        #expect(owners("Retain", "Delete", isCondemned: false).isEmpty)
    }

    @Test("a revision's data is the template as a patch, in the order of its names")
    func data() {
        let data = RevisionHistory.data(of: ["spec": ["b": 1, "a": 2], "metadata": ["labels": ["x": "y"]]])
        #expect(
            data.text
                == #"{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"x":"y"}},"spec":{"a":2,"b":1}}}}"#
        )
    }
}
