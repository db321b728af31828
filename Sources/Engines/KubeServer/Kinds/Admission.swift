// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// Fills in what a new object takes from other objects of the cluster.
    func admit(_ object: inout JSON, _ resource: Resource) async throws(KubeStatus) {
        switch resource.type {
        case .persistentVolumeClaims:
            guard object[path: "spec", "storageClassName"] == nil,
                let name = try defaultClass(.storageClasses, "storageclass.kubernetes.io/is-default-class")
            else { return }
            object.set(.string(name), at: ["spec", "storageClassName"])
        case .ingresses:
            guard object[path: "spec", "ingressClassName"] == nil,
                object[path: "metadata", "annotations"]?[EdgeClasses.annotation] == nil,
                let name = try defaultClass(.ingressClasses, "ingressclass.kubernetes.io/is-default-class")
            else { return }
            object.set(.string(name), at: ["spec", "ingressClassName"])
        case .pods:
            if configuration.requiresServiceAccounts { try await admitPod(&object) }
            try limitRanges(of: object).fill(&object)
            try admitPriority(&object)
            try admitRuntime(object)
        case .priorityClasses: try admitPriorityClass(object)
        default: return
        }
    }

    /// There are no runtime classes, so a pod can name none, nor bring along what one would add.
    private func admitRuntime(_ pod: JSON) throws(KubeStatus) {
        let name = pod[path: "metadata", "name"]?.string ?? pod[path: "metadata", "generateName"]?.string ?? ""
        if let given = pod[path: "spec", "runtimeClassName"]?.string, !given.isEmpty {
            throw .forbidden(.pods, name, "pod rejected: RuntimeClass \(FieldErrors.quoted(given)) not found")
        }
        guard let overhead = pod[path: "spec", "overhead"]?.object, !overhead.isEmpty else { return }
        throw .forbidden(
            .pods,
            name,
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        )
    }

    private func limitRanges(of object: JSON) throws(KubeStatus) -> LimitRangeAdmission {
        guard let resource = catalog.resource(of: .limitRanges),
            let namespace = object[path: "metadata", "namespace"]?.string
        else { return LimitRangeAdmission(ranges: []) }
        return LimitRangeAdmission(ranges: try objects(resource, in: namespace))
    }

    /// Holds a valid object to what its namespace allows; what quotas count is charged to them.
    func checkLimits(
        _ object: JSON,
        from old: JSON?,
        _ resource: Resource,
        _ isDryRun: Bool
    ) async throws(KubeStatus) {
        let name = object[path: "metadata", "name"]?.string ?? ""
        let problems: [String]
        switch resource.type {
        case .pods where old == nil: problems = try limitRanges(of: object).problems(ofPod: object)
        case .persistentVolumeClaims: problems = try limitRanges(of: object).problems(ofClaim: object)
        default: problems = []
        }
        guard problems.isEmpty else { throw .forbidden(resource.type, name, LimitRangeAdmission.text(problems)) }
        if resource.type == .persistentVolumeClaims, let old { try checkGrowth(object, from: old, name) }
        try await chargeQuotas(object, from: old, resource, isDryRun: isDryRun)
    }

    /// A claim grows when it is bound and its class says that its volumes can.
    private func checkGrowth(_ object: JSON, from old: JSON, _ name: String) throws(KubeStatus) {
        func size(_ claim: JSON) -> Quantity {
            claim[path: "spec", "resources", "requests", "storage"]?.string.flatMap { Quantity($0) }
                ?? Quantity(nanos: 0)
        }
        guard size(old) < size(object) else { return }
        guard old[path: "status", "phase"] == "Bound" else {
            throw .forbidden(.persistentVolumeClaims, name, "Only bound persistent volume claims can be expanded")
        }
        let className = object[path: "spec", "storageClassName"]?.string ?? ""
        if let resource = catalog.resource(of: .storageClasses), !className.isEmpty,
            let stored = try read(resource.key(namespace: nil, name: className))
        {
            let found = try StoredJSON.parse(stored.value, as: nil)
            // Folders of this node have no size of their own.
            let isOurs = found["provisioner"]?.string == ClaimPlan.provisioner
            if isOurs || found["allowVolumeExpansion"]?.bool == true { return }
        }
        throw .forbidden(
            .persistentVolumeClaims,
            name,
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
        )
    }

    /// The newest of the classes that are marked as default.
    private func defaultClass(_ type: ResourceType, _ mark: String) throws(KubeStatus) -> String? {
        guard let resource = catalog.resource(of: type) else { return nil }
        var newest: (created: String, name: String)?
        for stored in try page(resource, nil, ListOptions()).items {
            let metadata = try StoredJSON.parse(stored.value, as: nil)["metadata"] ?? [:]
            guard metadata["annotations"]?[mark]?.string == "true" else { continue }
            let created = metadata["creationTimestamp"]?.string ?? ""
            let name = metadata["name"]?.string ?? ""
            if let best = newest, best.created > created || best.created == created && best.name < name { continue }
            newest = (created, name)
        }
        return newest?.name
    }
}
