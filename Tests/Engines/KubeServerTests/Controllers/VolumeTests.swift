// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("claim plan")
struct ClaimPlanTests {
    func claim(_ spec: JSON, annotations: [String: String] = [:], status: JSON = [:]) -> KubeObject {
        var claim = KubeObject(.persistentVolumeClaims, namespace: "shop", name: "data")
        claim.json.set("uid-1", at: ["metadata", "uid"])
        claim.json.set(JSON(annotations), at: ["metadata", "annotations"])
        claim["spec"] = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
        for (key, value) in spec.object ?? [:] { claim.json.set(value, at: ["spec", key]) }
        claim["status"] = status
        return claim
    }

    func storageClass(
        _ name: String,
        mode: String = "WaitForFirstConsumer",
        isDefault: Bool = false,
        by: String = ClaimPlan.provisioner
    ) -> KubeObject {
        var storage = KubeObject(.storageClasses, name: name)
        storage["provisioner"] = .string(by)
        storage["volumeBindingMode"] = .string(mode)
        if isDefault { storage.json.set("true", at: ["metadata", "annotations", ClaimPlan.defaultClassKey]) }
        return storage
    }

    func volume(
        _ name: String,
        size: String,
        mode: String = "ReadWriteOnce",
        className: String = "",
        claim: JSON? = nil
    ) -> KubeObject {
        var volume = KubeObject(.persistentVolumes, name: name)
        volume["spec"] = [
            "capacity": ["storage": .string(size)], "accessModes": [.string(mode)],
            "storageClassName": .string(className),
        ]
        volume.json.set(claim, at: ["spec", "claimRef"])
        return volume
    }

    func action(_ claim: KubeObject, classes: [KubeObject] = [], volumes: [KubeObject] = []) -> ClaimPlan.Action {
        ClaimPlan(claim: claim, classes: classes, volumes: volumes).action
    }

    @Test("a claim without a class gets the default one; an empty class means none")
    func classes() {
        #expect(action(claim([:]), classes: [storageClass("a"), storageClass("b", isDefault: true)]) == .setClass("b"))
        #expect(
            action(claim(["storageClassName": ""]), classes: [storageClass("b", isDefault: true)])
                == .wait(
                    reason: "FailedBinding",
                    message: "no persistent volumes available for this claim and no storage class is set"
                )
        )
        #expect(
            action(claim(["storageClassName": "x"]))
                == .wait(reason: "ProvisioningFailed", message: "storageclass.storage.k8s.io \"x\" not found")
        )
    }

    @Test("a volume is made once a node is chosen, or at once where the class says so")
    func provisioning() {
        let local: JSON = ["storageClassName": "local"]
        #expect(
            action(claim(local), classes: [storageClass("local")])
                == .wait(
                    reason: "WaitForFirstConsumer",
                    message: "waiting for first consumer to be created before binding"
                )
        )
        let chosen = claim(local, annotations: [ClaimCheck.selectedNode: "n1"])
        #expect(action(chosen, classes: [storageClass("local")]) == .provision(node: "n1"))
        #expect(action(claim(local), classes: [storageClass("local", mode: "Immediate")]) == .provision(node: nil))
        guard case .wait("ExternalProvisioning", _) = action(chosen, classes: [storageClass("local", by: "x.dev/nfs")])
        else {
            Issue.record("another provisioner's class is not ours")
            return
        }
    }

    @Test("the smallest volume that will do is taken, and one set aside for the claim before all")
    func matching() {
        let plain = claim(["storageClassName": ""])
        let volumes = [
            volume("big", size: "5Gi"), volume("fit", size: "2Gi"), volume("small", size: "1Mi"),
            volume("other", size: "1Gi", mode: "ReadOnlyMany"),
        ]
        #expect(action(plain, volumes: volumes) == .bind(to: "fit"))
        let reserved = volume("reserved", size: "9Gi", claim: ["namespace": "shop", "name": "data"])
        #expect(action(plain, volumes: volumes + [reserved]) == .bind(to: "reserved"))
        let taken = volume("taken", size: "1Gi", claim: ["namespace": "shop", "name": "other", "uid": "2"])
        guard case .wait = action(plain, volumes: [taken]) else {
            Issue.record("a volume of another claim was taken")
            return
        }
    }

    @Test("a bound claim whose volume is gone is lost; a half-finished binding is finished")
    func bound() {
        let named: JSON = ["storageClassName": "", "volumeName": "v"]
        let ours: JSON = ["namespace": "shop", "name": "data", "uid": "uid-1"]
        let bound = claim(named, annotations: ["pv.kubernetes.io/bind-completed": "yes"], status: ["phase": "Bound"])
        #expect(action(bound) == .lose)
        #expect(action(claim(named), volumes: [volume("v", size: "1Gi", claim: ours)]) == .bind(to: "v"))
        var settled = volume("v", size: "1Gi", claim: ours)
        settled["status"] = ["phase": "Bound"]
        #expect(action(bound, volumes: [settled]) == .settled)
    }
}

@Suite("volumes", .timeLimit(.minutes(5)))
struct VolumeTests {
    @Test("a pod's claim gets a folder when the pod gets a node, keeps the pod's data, and loses it with the claim")
    func lifecycle() async throws {
        let folder = try ScratchFolder()
        var configuration = ControllerConfiguration()
        configuration.volumeFolder = folder.path
        let cluster = ControlledCluster(configuration: configuration)
        try await cluster.run { cluster in
            var claim = KubeObject(.persistentVolumeClaims, namespace: "shop", name: "data")
            claim["spec"] = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
            _ = try await cluster.api.create(claim, as: .persistentVolumeClaims)
            let waiting = try await cluster.wait(.persistentVolumeClaims, "data") { $0.status["phase"] == "Pending" }
            #expect(waiting.spec["storageClassName"] == "local")
            let storage = try #require(cluster.api.all(.storageClasses).first)
            #expect(storage.annotations["storageclass.kubernetes.io/is-default-class"] == "true")

            var pod = Sample.pod("user")
            pod.json.set([["name": "data", "persistentVolumeClaim": ["claimName": "data"]]], at: ["spec", "volumes"])
            _ = try await cluster.api.create(pod, as: .pods)
            _ = try await cluster.wait(.pods, "user") { $0.podPhase == "Running" }
            let bound = try #require(cluster.api.all(.persistentVolumeClaims).first)
            #expect(bound.isBoundClaim)
            #expect(bound.status["capacity"] == ["storage": "1Gi"])
            let volume = try await cluster.wait(.persistentVolumes, "pvc-\(bound.uid)") {
                $0.status["phase"] == "Bound"
            }
            let path = try #require(volume.spec["local"]?["path"]?.string)
            #expect(FileManager.default.fileExists(atPath: path))

            // In use: asked to go, the claim stays until its pod is gone.
            try await cluster.api.delete(ObjectReference(.persistentVolumeClaims, namespace: "shop", name: "data"))
            _ = try await cluster.wait(.persistentVolumeClaims, "data") { $0.isTerminating }
            #expect(FileManager.default.fileExists(atPath: path))
            try await cluster.api.delete(ObjectReference(.pods, namespace: "shop", name: "user"))
            _ = try await cluster.wait(.persistentVolumeClaims) { $0.isEmpty }
            _ = try await cluster.wait(.persistentVolumes) { $0.isEmpty }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("a retained volume is released, not removed")
    func retains() async throws {
        let folder = try ScratchFolder()
        var configuration = ControllerConfiguration()
        configuration.volumeFolder = folder.path
        let cluster = ControlledCluster(configuration: configuration)
        try await cluster.run { cluster in
            var storage = KubeObject(.storageClasses, name: "kept")
            storage["provisioner"] = .string(ClaimPlan.provisioner)
            storage["reclaimPolicy"] = "Retain"
            storage["volumeBindingMode"] = "Immediate"
            _ = try await cluster.api.create(storage, as: .storageClasses)
            var claim = KubeObject(.persistentVolumeClaims, namespace: "shop", name: "data")
            claim["spec"] = [
                "storageClassName": "kept", "accessModes": ["ReadWriteOnce"],
                "resources": ["requests": ["storage": "1Gi"]],
            ]
            _ = try await cluster.api.create(claim, as: .persistentVolumeClaims)
            _ = try await cluster.wait(.persistentVolumeClaims, "data") { $0.isBoundClaim }
            try await cluster.api.delete(ObjectReference(.persistentVolumeClaims, namespace: "shop", name: "data"))
            let released = try await cluster.wait(.persistentVolumes) { $0.first?.status["phase"] == "Released" }
            let path = try #require(released.first?.spec["hostPath"]?["path"]?.string)
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("nothing outside a volume's own folder is removed")
    func refusesOtherPaths() throws {
        let folder = try ScratchFolder()
        let volumes = VolumeFolder(root: folder.file("volumes"))
        try volumes.create("pvc-1")
        for (path, name) in [
            ("/etc", "pvc-1"), (folder.file("volumes/../x"), "../x"), (folder.file("volumes/pvc-1"), "pvc-2"),
        ] {
            #expect(throws: Failure.self) { try volumes.remove(path, of: name) }
        }
        try volumes.remove(folder.file("volumes/pvc-1"), of: "pvc-1")
        #expect(!FileManager.default.fileExists(atPath: folder.file("volumes/pvc-1")))
    }
}
