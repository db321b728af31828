// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Keeps volumes' phases, and takes back those whose claim is gone.
struct VolumeController: Reconciler {
    let context: ControllerContext
    let name = "persistentvolume-controller"

    static let protection = "kubernetes.io/pv-protection"

    private var mirrors: ClusterMirrors { context.mirrors }
    private var writer: ClusterWriter { context.writer }

    var triggers: [Trigger] {
        [
            .each(mirrors.volumes),
            Trigger(mirrors.claims) { [mirrors] change in
                let claim = change.object
                let held = mirrors.volumes.objects.filter { $0.spec["claimRef"]?["uid"]?.string == claim.uid }
                return held.map { ObjectName($0) }
            },
        ]
    }

    /// Where a volume stands.
    enum Phase: String { case available = "Available", bound = "Bound", released = "Released", pending = "Pending" }

    static func phase(of volume: KubeObject, claim: KubeObject?) -> Phase {
        guard let holder = volume.spec["claimRef"], !holder.isNull else { return .available }
        let uid = holder["uid"]?.string ?? ""
        guard !uid.isEmpty else { return .available }
        guard let claim, claim.uid == uid else { return .released }
        return claim.spec["volumeName"]?.string == volume.name
            ? .bound : volume.status["phase"]?.string == "Bound" ? .bound : .pending
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        guard let volume = mirrors.volumes[name] else { return nil }
        let holder = volume.spec["claimRef"]
        let claimName = ObjectName(namespace: holder?["namespace"]?.string, name: holder?["name"]?.string ?? "")
        var phase = Self.phase(of: volume, claim: mirrors.claims[claimName])
        if phase == .released, try await writer.api.find(claim: claimName)?.uid == holder?["uid"]?.string {
            phase = .pending  // the mirror of claims is behind
        }
        if volume.isTerminating {
            try await letGo(volume, phase)
            return nil
        }
        guard volume.finalizers.contains(Self.protection) else {
            try await setFinalizers(volume.finalizers + [Self.protection], of: volume)
            return nil
        }
        var status = volume.status
        status["phase"] = .string(phase.rawValue)
        if status["phase"] != volume.status["phase"] {
            status["lastPhaseTransitionTime"] = .string(context.clock.now.description)
        }
        try await writer.setStatus(status, of: volume, as: .persistentVolumes)
        if phase == .released { try await reclaim(volume) }
        return nil
    }

    /// Only what we made ourselves is removed with its content.
    private func reclaim(_ volume: KubeObject) async throws {
        guard volume.spec["persistentVolumeReclaimPolicy"]?.string == "Delete",
            volume.annotations["pv.kubernetes.io/provisioned-by"] == ClaimPlan.provisioner,
            let root = context.configuration.volumeFolder,
            let path = (volume.spec["local"] ?? volume.spec["hostPath"])?["path"]?.string
        else { return }
        do {
            try VolumeFolder(root: root).remove(path, of: volume.name)
        } catch {
            context.events.record(.warning, "VolumeFailedDelete", "\(error)", on: volume, by: name)
            throw error
        }
        try await writer.delete(volume, as: .persistentVolumes)
    }

    private func letGo(_ volume: KubeObject, _ phase: Phase) async throws {
        guard phase != .bound, volume.finalizers.contains(Self.protection) else { return }
        try await setFinalizers(volume.finalizers.filter { $0 != Self.protection }, of: volume)
    }

    private func setFinalizers(_ finalizers: [String], of volume: KubeObject) async throws {
        let metadata: JSON = [
            "resourceVersion": .string(volume.resourceVersion.text),
            "finalizers": finalizers.isEmpty ? .null : .array(finalizers.map { .string($0) }),
        ]
        try await writer.merge(["metadata": metadata], into: volume, as: .persistentVolumes)
    }
}

extension ClusterAPI {
    fileprivate func find(claim: ObjectName) async throws -> KubeObject? {
        try await find(ObjectReference(.persistentVolumeClaims, namespace: claim.namespace, name: claim.name))
    }
}
