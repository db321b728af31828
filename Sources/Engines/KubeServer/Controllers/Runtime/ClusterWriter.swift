// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Writes to the cluster, and returns when the mirrors have heard of it.
struct ClusterWriter: Sendable {
    let api: any ClusterAPI
    let mirrors: ClusterMirrors

    @discardableResult
    func create(_ object: KubeObject, as type: ResourceType) async throws -> KubeObject {
        let stored = try await api.create(object, as: type)
        await settle(stored, type)
        return stored
    }

    @discardableResult
    func update(_ object: KubeObject, as type: ResourceType) async throws -> KubeObject {
        let stored = try await api.update(object, as: type)
        await settle(stored, type)
        return stored
    }

    /// Writes `status` if it differs from what `object` has; `manager` is who then owns it, if not the controllers.
    func setStatus(
        _ status: JSON,
        of object: KubeObject,
        as type: ResourceType,
        manager: String? = nil
    ) async throws {
        guard status != object.status else { return }
        var changed = object
        changed["status"] = status
        let options = WriteOptions(fieldManager: manager)
        let stored = try await api.update(changed, as: type, subresource: "status", options: options)
        await settle(stored, type)
    }

    @discardableResult
    func merge(
        _ patch: JSON,
        into object: KubeObject,
        as type: ResourceType,
        subresource: String? = nil
    ) async throws -> KubeObject {
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        var patch = patch
        patch.set(.string(object.uid), at: ["metadata", "uid"])  // another object of that name: a conflict
        let stored = try await api.patch(reference, subresource: subresource, .merge, patch, options: WriteOptions())
        await settle(stored, type)
        return stored
    }

    /// Asks for the removal of exactly this object; one that is gone already is fine.
    func delete(
        _ object: KubeObject,
        as type: ResourceType,
        propagation: DeleteOptions.Propagation? = nil
    ) async throws {
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        do {
            try await api.delete(reference, options: DeleteOptions(propagation: propagation, uid: object.uid))
        } catch let failure as Failure where failure.code == .notFound {}
        await mirrors.mirror(of: type)?.waitUntilLeaving(ObjectName(object), uid: object.uid)
    }

    private func settle(_ stored: KubeObject, _ type: ResourceType) async {
        await mirrors.mirror(of: type)?.waitUntilSeen(stored.resourceVersion)
    }
}
