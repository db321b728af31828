// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Who owns the replicas of an object, as its `Scale` shows it and as the object itself says it.
struct ScaleFields {
    private static let scaleVersion = "autoscaling/v1"
    private static let scaled = FieldSet(paths: [[.field("spec"), .field("replicas")]])

    let resource: Resource
    /// Keeps the managed fields of the `Scale`.
    let manager: FieldManager
    private let snapshot: Catalog.Snapshot

    init(_ resource: Resource, _ snapshot: Catalog.Snapshot, now: String) {
        self.resource = resource
        self.snapshot = snapshot
        let scale = Resource(KubernetesServer.scaleType, strategy: PlainStrategy(), columns: ServiceAccountColumns())
        manager = FieldManager(scale, subresource: "scale", now: now) { version in
            version == Self.scaleVersion ? FieldType(scale) : nil
        }
    }

    /// The `Scale` of an object, with managed fields of its own.
    func view(of object: JSON, _ paths: ScalePaths) -> JSON {
        var view = paths.view(of: object)
        let managers = (try? ManagedFields(json: object[path: "metadata", "managedFields"])) ?? ManagedFields()
        view.set(scaleManagers(managers).json(isCustom: false), at: ["metadata", "managedFields"])
        return view
    }

    private func scaleManagers(_ managers: ManagedFields) -> ManagedFields {
        var result = ManagedFields()
        for (key, entry) in managers.entries where owned(entry) != nil {
            result.entries[scaleKey(key)] = .init(apiVersion: Self.scaleVersion, time: entry.time, set: Self.scaled)
        }
        return result
    }

    private func scaleKey(_ key: ManagedFields.Key) -> ManagedFields.Key {
        ManagedFields.Key(
            key.manager,
            isApply: key.isApply,
            apiVersion: Self.scaleVersion,
            subresource: key.subresource
        )
    }

    /// The managed fields of the object after its `Scale` came to have `managers`.
    ///
    /// Whoever still owns the replicas keeps its entry as it is; who lost them loses only them.
    func whole(_ managers: JSON?, _ old: JSON) -> JSON? {
        guard let before = try? ManagedFields(json: old[path: "metadata", "managedFields"]) else { return nil }
        var scale = (try? ManagedFields(json: managers)) ?? ManagedFields()
        var result = before
        for (key, entry) in before.entries {
            guard isServed(entry.apiVersion) else {
                result.entries[key] = nil
                continue
            }
            guard let path = owned(entry), scale.entries.removeValue(forKey: scaleKey(key)) == nil else { continue }
            let left = entry.set.subtracting(FieldSet(paths: [path]))
            result.entries[key]?.set = left
            if left.isEmpty { result.entries[key] = nil }
        }
        guard let path = path(resource.type.apiVersion) else { return result.json(isCustom: resource.custom != nil) }
        for (key, entry) in scale.entries where entry.set == Self.scaled {
            let version = resource.type.apiVersion
            let mine = ManagedFields.Key(
                key.manager,
                isApply: key.isApply,
                apiVersion: version,
                subresource: key.subresource
            )
            let set = (result.entries[mine]?.set ?? FieldSet()).union(FieldSet(paths: [path]))
            result.entries[mine] = .init(apiVersion: version, time: nil, set: set)
        }
        return result.json(isCustom: resource.custom != nil)
    }

    /// The path of the replicas, where the entry owns it.
    private func owned(_ entry: ManagedFields.Entry) -> [PathElement]? {
        path(entry.apiVersion).flatMap { entry.set.contains(path: $0[...]) ? $0 : nil }
    }

    private func version(_ apiVersion: String) -> Resource? {
        if apiVersion == resource.type.apiVersion { return resource }
        let parts = apiVersion.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return snapshot.resource(
            group: parts.count > 1 ? parts[0] : "",
            version: parts.last ?? "",
            plural: resource.type.plural
        )
    }

    private func isServed(_ apiVersion: String) -> Bool { version(apiVersion) != nil }

    private func path(_ apiVersion: String) -> [PathElement]? {
        version(apiVersion)?.scale?.specReplicas.map { PathElement.field($0) }
    }
}

extension KubernetesServer {
    /// Server-side apply of a `Scale`: it never creates.
    func applyScaleResponse(
        _ call: Call,
        _ name: String,
        _ parameters: WriteParameters
    ) async throws(KubeStatus) -> APIResponse {
        guard let paths = call.resource.scale else { throw .noSuchResource }
        let body = try AppliedBody(call.request.body)
        let manager = ScaleFields(call.resource, catalog.snapshot, now: clock.now.description).manager
        try checkApplied(body.config, manager.resource)
        let config = BodyDecoder.untyped(body.config)
        let written = try await scale(call.resource, call.namespace, name, parameters, isApply: true) {
            (view) throws(KubeStatus) in
            let result = try manager.apply(
                view,
                config,
                manager: parameters.manager,
                isForced: parameters.isForced
            )
            try body.checkRepetitions(parameters.validation)
            try matchAppliedNamespace(config, manager.resource, call.namespace)
            return (result.object, body.warnings(parameters.validation))
        }
        return call.respond(
            paths.view(of: try StoredJSON.parse(written.value, as: nil)),
            warnings: written.warnings
        )
    }
}
