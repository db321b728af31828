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
            try admitPriority(&object)
        case .priorityClasses: try admitPriorityClass(object)
        default: return
        }
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
