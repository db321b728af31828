// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What follows from a write beyond the object itself.
extension KubernetesServer {
    func loadServices() throws {
        guard let resource = catalog.resource(of: .services) else { return }
        for stored in try log.list(prefix: resource.prefix).items {
            serviceAddresses.note(try StoredJSON.parse(stored.value, as: nil))
        }
    }

    func loadDefinitions() throws {
        guard let resource = catalog.resource(of: .customResourceDefinitions) else { return }
        for stored in try log.list(prefix: resource.prefix).items {
            serve(try StoredJSON.parse(stored.value, as: nil))
        }
    }

    func loadQuotas() throws {
        guard let resource = catalog.resource(of: .resourceQuotas) else { return }
        for stored in try log.list(prefix: resource.prefix).items {
            let quota = try StoredJSON.parse(stored.value, as: nil)
            quotaNamespaces.note(quota[path: "metadata", "namespace"]?.string ?? "")
        }
    }

    func afterWrite(_ resource: Resource, _ object: JSON) async {
        if ResourceType.accessTypes.contains(resource.type) { return await afterAccessChange(resource) }
        if resource.type == .resourceQuotas { return await afterQuotaWrite(object) }
        guard resource.type == .customResourceDefinitions else { return }
        serve(object)
        await establish(object)
    }

    private func afterAccessChange(_ resource: Resource) async {
        access.noteChange()
        if resource.type == .clusterRoles { await aggregateRoles() }
    }

    func afterMark(_ resource: Resource, _ object: JSON) async {
        guard resource.type == .customResourceDefinitions else { return }
        serve(object)
        await removeInstances(of: object)
    }

    func afterRemoval(_ resource: Resource, _ object: JSON) async {
        await releaseQuotas(object, resource)
        if let definition = resource.custom?.definition { return await releaseDefinition(definition) }
        switch resource.type {
        case _ where ResourceType.accessTypes.contains(resource.type): await afterAccessChange(resource)
        case .services: serviceAddresses.forget(object)
        case .customResourceDefinitions:
            catalog.serve([], for: object[path: "metadata", "name"]?.string ?? "")
            await serveWaitingDefinitions()
        default: break
        }
    }
}
