// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports

/// A claim's volume: the local folder of the volume that the claim is bound to.
struct ClaimVolume: Sendable {
    let services: PodServices
    let pod: PodSpec

    /// How long a claim may take to be bound before the pod tells why it waits.
    private static let patience = 50
    private static let pause: Duration = .milliseconds(200)

    func setUp(_ source: JSON, volume: String) async throws -> PodVolumes.Volume {
        let name = source["claimName"]?.string ?? ""
        let persistent = try await boundVolume(of: name, volume)
        let local = persistent.spec[path: "local", "path"] ?? persistent.spec[path: "hostPath", "path"]
        guard let path = local?.string else {
            throw VolumeFailure(volume: volume, message: "persistent volume \"\(persistent.name)\" has no local path")
        }
        try confine(path, volume)
        try Folder.make(path, mode: 0o777)
        try VolumeOwnership.prepare(path, group: pod.securityContext["fsGroup"]?.int, mode: 0o777)
        return PodVolumes.Volume(path: path, isReadOnly: source["readOnly"]?.bool ?? false)
    }

    private func boundVolume(of claim: String, _ volume: String) async throws -> KubeObject {
        let reference = ObjectReference(.persistentVolumeClaims, namespace: pod.namespace, name: claim)
        for _ in 0..<Self.patience {
            guard let object = try await services.api.find(reference) else {
                throw VolumeFailure(volume: volume, message: "persistentvolumeclaim \"\(claim)\" not found")
            }
            if object.isTerminating {
                throw VolumeFailure(volume: volume, message: "persistentvolumeclaim \"\(claim)\" is being deleted")
            }
            if object.status["phase"]?.string == "Bound", let name = object.spec["volumeName"]?.string,
                let found = try await services.api.find(ObjectReference(.persistentVolumes, name: name))
            {
                return found
            }
            try await services.clock.sleep(for: Self.pause)
        }
        throw VolumeFailure(volume: volume, message: "persistentvolumeclaim \"\(claim)\" is not bound")
    }

    /// Volumes lie below the data folder and nowhere else, also after links are followed.
    private func confine(_ path: String, _ volume: String) throws {
        let allowed = Self.resolved(services.folders.volumes) + "/"
        guard !path.split(separator: "/").contains(".."), (Self.resolved(path) + "/").hasPrefix(allowed) else {
            throw VolumeFailure(
                volume: volume,
                message: "path '\(path)' lies outside the data folder, which this node does not mount"
            )
        }
    }

    /// The path with links followed, as far as it exists.
    private static func resolved(_ path: String) -> String {
        if let real = unsafe realpath(path, nil) {
            defer { unsafe free(real) }
            return unsafe String(cString: real)
        }
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return path }
        return resolved(String(path[..<slash])) + path[slash...]
    }
}
