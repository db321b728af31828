// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Gives claims their volumes.
struct ClaimController: Reconciler {
    let context: ControllerContext
    let name = "persistentvolume-controller"

    static let protection = "kubernetes.io/pvc-protection"
    static let localClass = ObjectName(name: "local")

    private var mirrors: ClusterMirrors { context.mirrors }
    private var writer: ClusterWriter { context.writer }
    private var folder: VolumeFolder? { context.configuration.volumeFolder.map { VolumeFolder(root: $0) } }

    /// The name of no claim: stands for the storage class that is there from the start.
    private static let classChore = ObjectName(name: "storage class")
    var initialNames: [ObjectName] { folder == nil ? [] : [Self.classChore] }

    var triggers: [Trigger] {
        let pending: @Sendable () -> [ObjectName] = { [mirrors] in
            mirrors.claims.objects.filter { !$0.isBoundClaim }.map { ObjectName($0) }
        }
        return [
            .each(mirrors.claims),
            Trigger(mirrors.volumes) { change in
                let holder = change.object.spec["claimRef"]
                guard let name = holder?["name"]?.string else { return pending() }
                return [ObjectName(namespace: holder?["namespace"]?.string, name: name)]
            },
            Trigger(mirrors.storageClasses) { _ in pending() },
            // A claim that is to go waits for its last pod.
            Trigger(mirrors.pods) { change in
                let pod = change.object
                guard change.isEnd else { return [] }
                return pod.claimNames.map { ObjectName(namespace: pod.namespace, name: $0) }
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard name != Self.classChore else {
            try await ensureClass()
            return nil
        }
        guard let claim = mirrors.claims[name] else { return nil }
        if claim.isTerminating { return try await letGo(claim) }
        guard claim.finalizers.contains(Self.protection) else {
            try await setFinalizers(claim.finalizers + [Self.protection], of: claim)
            return nil  // that write brings it back
        }
        let plan = ClaimPlan(claim: claim, classes: mirrors.storageClasses.objects, volumes: mirrors.volumes.objects)
        try await carryOut(plan)
        return nil
    }

    private func carryOut(_ plan: ClaimPlan) async throws {
        let claim = plan.claim
        switch plan.action {
        case .settled: break
        case .setClass(let name):
            try await writer.merge(
                ["spec": ["storageClassName": .string(name)]],
                into: claim,
                as: .persistentVolumeClaims
            )
        case .wait(let reason, let message):
            try await setPhase("Pending", of: claim)
            let isNormal = ["WaitForFirstConsumer", "ExternalProvisioning", "FailedBinding"].contains(reason)
            record(isNormal ? .normal : .warning, reason, message, on: claim)
        case .provision(let node): try await provision(plan, node)
        case .bind(let volume): try await bind(plan, to: volume)
        case .lose:
            guard claim.status["phase"]?.string != "Lost" else { return }
            try await setPhase("Lost", of: claim)
            record(
                .warning,
                "ClaimLost",
                "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
                on: claim
            )
        }
    }

    // MARK: Steps

    private func ensureClass() async throws {
        guard mirrors.storageClasses[Self.localClass] == nil else { return }
        var wanted = KubeObject(.storageClasses, name: Self.localClass.name)
        wanted.json.set("true", at: ["metadata", "annotations", ClaimPlan.defaultClassKey])
        wanted["provisioner"] = .string(ClaimPlan.provisioner)
        wanted["reclaimPolicy"] = "Delete"
        wanted["volumeBindingMode"] = "WaitForFirstConsumer"
        try await writer.create(wanted, as: .storageClasses)
    }

    private func provision(_ plan: ClaimPlan, _ node: String?) async throws {
        guard let folder else { return }
        let claim = plan.claim
        let name = "pvc-\(claim.uid)"
        record(
            .normal,
            "Provisioning",
            "External provisioner is provisioning volume for claim \"\(ObjectName(claim))\"",
            on: claim
        )
        do {
            try folder.create(name)
        } catch {
            record(
                .warning,
                "ProvisioningFailed",
                "failed to provision volume with StorageClass \"\(claim.spec["storageClassName"]?.string ?? "")\": \(error)",
                on: claim
            )
            throw error
        }
        let keys = ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"]
        let annotations = JSON(Dictionary(keys.map { ($0, ClaimPlan.provisioner) }) { first, _ in first })
        try await writer.merge(["metadata": ["annotations": annotations]], into: claim, as: .persistentVolumeClaims)
        do {
            try await writer.create(plan.makeVolume(at: folder.path(of: name), node: node), as: .persistentVolumes)
        } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {}
        record(.normal, "ProvisioningSucceeded", "Successfully provisioned volume \(name)", on: claim)
    }

    /// The volume first, then the claim: a claim that says it is bound has a volume that agrees.
    private func bind(_ plan: ClaimPlan, to name: String) async throws {
        guard let volume = mirrors.volumes[ObjectName(name: name)],
            let claim = mirrors.claims[ObjectName(plan.claim)]
        else { return }
        if volume.spec["claimRef"]?["uid"]?.string != claim.uid {
            let patch: JSON = [
                "metadata": [
                    "resourceVersion": .string(volume.resourceVersion.text),
                    "annotations": ["pv.kubernetes.io/bound-by-controller": "yes"],
                ],
                "spec": ["claimRef": plan.claimReference],
            ]
            try await writer.merge(patch, into: volume, as: .persistentVolumes)
        }
        let bound = try await nameVolume(name, in: claim)
        var status = bound.status
        status["phase"] = "Bound"
        status["accessModes"] = volume.spec["accessModes"]
        status["capacity"] = volume.spec["capacity"]
        try await writer.setStatus(status, of: bound, as: .persistentVolumeClaims)
    }

    private func nameVolume(_ name: String, in claim: KubeObject) async throws -> KubeObject {
        var annotations: [String: String] = ["pv.kubernetes.io/bind-completed": "yes"]
        let isNamed = claim.spec["volumeName"]?.string == name
        if !isNamed { annotations["pv.kubernetes.io/bound-by-controller"] = "yes" }
        guard !isNamed || claim.annotations["pv.kubernetes.io/bind-completed"] == nil else { return claim }
        var patch: JSON = ["metadata": ["annotations": JSON(annotations)]]
        if !isNamed { patch["spec"] = ["volumeName": .string(name)] }
        return try await writer.merge(patch, into: claim, as: .persistentVolumeClaims)
    }

    private func letGo(_ claim: KubeObject) async throws -> Duration? {
        guard claim.finalizers.contains(Self.protection) else { return nil }
        let isUsed = mirrors.pods.objects(in: claim.namespace ?? "").contains { pod in
            !pod.isFinishedPod && !pod.nodeName.isEmpty && pod.claimNames.contains(claim.name)
        }
        if !isUsed { try await setFinalizers(claim.finalizers.filter { $0 != Self.protection }, of: claim) }
        return nil
    }

    private func setFinalizers(_ finalizers: [String], of claim: KubeObject) async throws {
        let metadata: JSON = [
            "resourceVersion": .string(claim.resourceVersion.text),
            "finalizers": finalizers.isEmpty ? .null : .array(finalizers.map { .string($0) }),
        ]
        try await writer.merge(["metadata": metadata], into: claim, as: .persistentVolumeClaims)
    }

    private func setPhase(_ phase: String, of claim: KubeObject) async throws {
        var status = claim.status
        status["phase"] = .string(phase)
        try await writer.setStatus(status, of: claim, as: .persistentVolumeClaims)
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}

extension ObjectChange {
    /// Whether a pod ended or went by this change.
    fileprivate var isEnd: Bool {
        if case .deleted = self { return true }
        return object.isFinishedPod
    }
}
