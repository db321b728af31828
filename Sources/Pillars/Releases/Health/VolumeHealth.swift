// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Claims and volumes.
enum VolumeHealth {
    static func claim(_ claim: KubeObject, _ around: Health.Surroundings) -> Health {
        switch claim.status["phase"]?.string {
        case "Bound": return resizing(claim) ?? .current("bound", "Bound")
        case "Lost": return .failed("ClaimLost", "the volume it was bound to is gone")
        default: break
        }
        if waitsForItsFirstPod(claim, around) {
            return .current("it is bound when its first pod comes", "WaitForFirstConsumer")
        }
        return .inProgress("NotBound", "it is not bound to a volume yet")
    }

    /// Whoever waits for such a claim before creating the pod that uses it waits for ever.
    private static func waitsForItsFirstPod(_ claim: KubeObject, _ around: Health.Surroundings) -> Bool {
        guard claim.annotations["volume.kubernetes.io/selected-node"] == nil, claim.spec["volumeName"] == nil,
            !around.mountedClaims.contains(claim.name), let storageClass = storageClass(of: claim, around)
        else { return false }
        return storageClass["volumeBindingMode"]?.string == "WaitForFirstConsumer"
    }

    private static func storageClass(of claim: KubeObject, _ around: Health.Surroundings) -> KubeObject? {
        if let name = claim.spec["storageClassName"]?.string { return around.storageClasses[name] }
        return around.storageClasses.values.first {
            $0.annotations["storageclass.kubernetes.io/is-default-class"] == "true"
        }
    }

    private static func resizing(_ claim: KubeObject) -> Health? {
        for condition in claim.conditions where condition.isTrue {
            switch condition.type {
            case "ControllerResizeError", "NodeResizeError": return .failed(condition.type, condition.words)
            // The file system grows when the pod mounts it anew: nothing to wait for.
            case "Resizing": return .inProgress("Resizing", condition.words)
            default: continue
            }
        }
        return nil
    }

    static func volume(_ volume: KubeObject) -> Health {
        switch volume.status["phase"]?.string {
        case "Failed": .failed("VolumeFailed", volume.status["message"]?.string ?? "it could not be reclaimed")
        case nil, "Pending": .inProgress("VolumePending", "it is not available yet")
        default: .current()
        }
    }
}
