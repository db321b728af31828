// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides what becomes of a claim: which volume it gets, or what it waits for.
struct ClaimPlan: Sendable {
    static let provisioner = "ballast.dev/local-path"
    static let defaultClassKey = "storageclass.kubernetes.io/is-default-class"

    enum Action: Sendable, Equatable {
        /// Nothing but to look again when something changes.
        case wait(reason: String, message: String)
        /// The claim names no class: it gets the default one.
        case setClass(String)
        case bind(to: String)
        case provision(node: String?)
        /// The volume it was bound to is gone.
        case lose
        case settled
    }

    let claim: KubeObject
    let classes: [KubeObject]
    let volumes: [KubeObject]

    private var className: String? { claim.spec["storageClassName"]?.string }
    private var storageClass: KubeObject? { classes.first { $0.name == className ?? "" } }

    /// The default class; the youngest if several claim to be.
    static func defaultClass(_ classes: [KubeObject]) -> KubeObject? {
        classes.filter { $0.annotations[defaultClassKey] == "true" }.max {
            ($0.creationTimestamp?.nanoseconds ?? 0, $1.name) < ($1.creationTimestamp?.nanoseconds ?? 0, $0.name)
        }
    }

    var action: Action {
        if let name = claim.spec["volumeName"]?.string, !name.isEmpty { return actionForNamed(name) }
        guard className != nil else {
            if let match { return .bind(to: match.name) }
            guard let found = Self.defaultClass(classes) else {
                return .wait(reason: "FailedBinding", message: Self.noClass)
            }
            return .setClass(found.name)
        }
        if let reserved = volumes.first(where: { isReserved($0) }) { return .bind(to: reserved.name) }
        let waits = storageClass?["volumeBindingMode"]?.string == "WaitForFirstConsumer"
        let node = claim.annotations[ClaimCheck.selectedNode]
        if waits, node == nil {
            return .wait(
                reason: "WaitForFirstConsumer",
                message: "waiting for first consumer to be created before binding"
            )
        }
        if let match { return .bind(to: match.name) }
        return provisioning(node)
    }

    private static let noClass = "no persistent volumes available for this claim and no storage class is set"

    private func provisioning(_ node: String?) -> Action {
        guard let className, !className.isEmpty else { return .wait(reason: "FailedBinding", message: Self.noClass) }
        guard let storageClass else {
            return .wait(
                reason: "ProvisioningFailed",
                message: "storageclass.storage.k8s.io \"\(className)\" not found"
            )
        }
        let provisioner = storageClass["provisioner"]?.string ?? ""
        guard provisioner == Self.provisioner else {
            return .wait(
                reason: "ExternalProvisioning",
                message: "Waiting for a volume to be created either by the external provisioner '\(provisioner)' or "
                    + "manually by the system administrator. If volume creation is delayed, please verify that the "
                    + "provisioner is running and correctly registered."
            )
        }
        guard claim.spec["volumeMode"]?.string ?? "Filesystem" == "Filesystem" else {
            return .wait(
                reason: "ProvisioningFailed",
                message: "block volumes are not supported by \(Self.provisioner)"
            )
        }
        guard claim.spec["selector"] == nil else {
            return .wait(
                reason: "ProvisioningFailed",
                message: "claim.Spec.Selector is not supported by \(Self.provisioner)"
            )
        }
        return .provision(node: node)
    }

    private func actionForNamed(_ name: String) -> Action {
        let isBound = claim.status["phase"]?.string == "Bound"
        guard let volume = volumes.first(where: { $0.name == name }) else {
            let wasBound = isBound || claim.annotations["pv.kubernetes.io/bind-completed"] != nil
            return wasBound ? .lose : .wait(reason: "FailedBinding", message: "volume \"\(name)\" not found")
        }
        guard let holder = volume.spec["claimRef"], !holder.isNull else { return .bind(to: name) }
        if isHeldByUs(volume) {
            return isBound && volume.status["phase"]?.string == "Bound" ? .settled : .bind(to: name)
        }
        if isReserved(volume) { return .bind(to: name) }
        return isBound
            ? .lose : .wait(reason: "FailedBinding", message: "volume \"\(name)\" already bound to a different claim.")
    }

    private func isHeldByUs(_ volume: KubeObject) -> Bool { volume.spec["claimRef"]?["uid"]?.string == claim.uid }

    /// Set aside for a claim of this name, though not yet for this very one.
    private func isReserved(_ volume: KubeObject) -> Bool {
        guard let holder = volume.spec["claimRef"] else { return false }
        let uid = holder["uid"]?.string ?? ""
        return holder["namespace"]?.string == claim.namespace && holder["name"]?.string == claim.name
            && (uid.isEmpty || uid == claim.uid)
    }

    // MARK: Matching

    /// The smallest free volume that will do.
    private var match: KubeObject? {
        let wanted = Self.size(claim.spec["resources"]?["requests"])
        let fitting = volumes.filter { volume in
            volume.spec["claimRef"]?.isNull ?? true && !volume.isTerminating && isSuitable(volume)
                && Self.size(volume.spec["capacity"]) >= wanted
        }
        return fitting.min { left, right in
            let (a, b) = (Self.size(left.spec["capacity"]), Self.size(right.spec["capacity"]))
            return a == b ? left.name < right.name : a < b
        }
    }

    private func isSuitable(_ volume: KubeObject) -> Bool {
        let offered = Set(volume.spec["accessModes"]?.array?.compactMap(\.string) ?? [])
        let modes = claim.spec["accessModes"]?.array?.compactMap(\.string) ?? []
        guard modes.allSatisfy(offered.contains) else { return false }
        guard volume.spec["storageClassName"]?.string ?? "" == className ?? "" else { return false }
        let mode = volume.spec["volumeMode"]?.string ?? "Filesystem"
        guard mode == claim.spec["volumeMode"]?.string ?? "Filesystem" else { return false }
        let selector = claim.spec["selector"].flatMap { LabelSelector(json: $0) } ?? LabelSelector()
        return selector.matches(volume.labels)
    }

    static func size(_ amounts: JSON?) -> Quantity {
        ResourceDemand.amounts(amounts)["storage"] ?? Quantity(nanos: 0)
    }

    // MARK: Making

    /// The volume for this claim, in a folder of this machine.
    func makeVolume(at path: String, node: String?) -> KubeObject {
        var volume = KubeObject(.persistentVolumes, name: "pvc-\(claim.uid)")
        volume.json.set(.string(Self.provisioner), at: ["metadata", "annotations", "pv.kubernetes.io/provisioned-by"])
        volume.json.set(["kubernetes.io/pv-protection"], at: ["metadata", "finalizers"])
        var spec: JSON = [
            "capacity": ["storage": claim.spec["resources"]?["requests"]?["storage"] ?? "0"],
            "accessModes": claim.spec["accessModes"] ?? ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": storageClass?["reclaimPolicy"] ?? "Delete",
            "storageClassName": .string(className ?? ""), "volumeMode": "Filesystem",
            "claimRef": claimReference,
        ]
        guard let node else {
            spec["hostPath"] = ["path": .string(path), "type": "DirectoryOrCreate"]
            volume["spec"] = spec
            return volume
        }
        spec["local"] = ["path": .string(path)]
        let expression: JSON = ["key": "kubernetes.io/hostname", "operator": "In", "values": [.string(node)]]
        spec["nodeAffinity"] = ["required": ["nodeSelectorTerms": [["matchExpressions": [expression]]]]]
        volume["spec"] = spec
        return volume
    }

    var claimReference: JSON {
        [
            "kind": "PersistentVolumeClaim", "namespace": .string(claim.namespace ?? ""), "name": .string(claim.name),
            "uid": .string(claim.uid), "apiVersion": "v1", "resourceVersion": .string(claim.resourceVersion.text),
        ]
    }
}
