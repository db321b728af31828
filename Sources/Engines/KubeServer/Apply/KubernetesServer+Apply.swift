// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    /// What keeps the managed fields of a write through an endpoint.
    func fieldManager(_ resource: Resource, subresource: String = "") -> FieldManager {
        let snapshot = catalog.snapshot
        return FieldManager(resource, subresource: subresource, now: clock.now.description) { version in
            if version == resource.type.apiVersion { return FieldType(resource) }
            let parts = version.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return snapshot.resource(
                group: parts.count > 1 ? parts[0] : "",
                version: parts.last ?? "",
                plural: resource.type.plural
            ).map { FieldType($0) }
        }
    }

    /// Answers `PATCH` with `application/apply-patch+yaml`.
    func applyResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "PatchOptions")
        let body = try AppliedBody(call.request.body)
        let written = try await applyFields(
            body.config,
            call.resource,
            call.namespace,
            name,
            parameters,
            part: call.subresource == "status" ? .status : .whole
        ) { () throws(KubeStatus) in try body.checkRepetitions(parameters.validation) }
        let warnings = body.warnings(parameters.validation) + written.warnings
        return try present(written.value, call, status: written.isCreated ? 201 : 200, warnings: warnings)
    }

    /// Applies `config`: creates the object where it is not there, else merges it in and takes out what the manager
    /// applied before and applies no more. `lastCheck` comes after everything that can be wrong with what is applied.
    func applyFields(
        _ config: JSON,
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: WriteParameters,
        part: Change.Part,
        lastCheck: () throws(KubeStatus) -> Void = {}
    ) async throws(KubeStatus) -> Written {
        let manager = fieldManager(resource, subresource: part == .status ? "status" : "")
        try checkApplied(config, resource)
        let plain = BodyDecoder.untyped(config)
        while true {
            guard try read(resource.key(namespace: namespace, name: name)) != nil else {
                guard part == .whole else { throw .notFound(resource.type, name) }
                let decoded = try newObject(plain, resource, namespace, name, parameters, manager)
                try lastCheck()
                try checkCreation(resource, namespace, name)
                do {
                    return try await create(decoded, resource, namespace, parameters.applied)
                } catch  where error.reason == "AlreadyExists" {
                    continue
                }
            }
            var change = Change(
                resource: resource,
                namespace: namespace,
                name: name,
                parameters: parameters.applied,
                part: part
            )
            change.isPatch = true
            return try await apply(change) { (old) throws(KubeStatus) in
                let changed = try changed(old, by: plain, change, manager)
                try lastCheck()
                return changed
            }
        }
    }

    private func newObject(
        _ config: JSON,
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: WriteParameters,
        _ manager: FieldManager
    ) throws(KubeStatus) -> BodyDecoder.Decoded {
        let made = try manager.apply(nil, config, manager: parameters.manager, isForced: parameters.isForced).object
        let metadata = config["metadata"]
        if let uid = metadata?["uid"]?.string, !uid.isEmpty {
            throw .conflict(
                resource.type,
                name,
                "uid mismatch: the provided object specified uid \(uid), and no existing object was found"
            )
        }
        try matchAppliedNamespace(config, resource, namespace)
        guard let given = metadata?["name"]?.string, !given.isEmpty else {
            throw .badRequest("the name of the object (\(name) based on URL) was undeterminable: name must be provided")
        }
        try matchName(config, name)
        var object = try decoded(made, resource, config)
        object.set(nil, at: ["metadata", "resourceVersion"])
        return BodyDecoder.Decoded(object: object, warnings: [])
    }

    private func changed(
        _ old: JSON,
        by config: JSON,
        _ change: Change,
        _ manager: FieldManager
    ) throws(KubeStatus) -> (JSON, [String]) {
        let resource = change.resource
        let parameters = change.parameters
        let result = try manager.apply(old, config, manager: parameters.manager, isForced: parameters.isForced)
        try matchAppliedNamespace(config, resource, change.namespace)
        if let given = config[path: "metadata", "name"]?.string, !given.isEmpty { try matchName(config, change.name) }
        var object = result.object
        if result.isChanged {
            object = try decoded(object, resource, config)
            if change.part == .whole { resource.strategy.setDefaults(&object) }
        }
        if object[path: "metadata", "resourceVersion"] == old[path: "metadata", "resourceVersion"] {
            object.set(nil, at: ["metadata", "resourceVersion"])
        }
        return (object, [])
    }

    private func decoded(_ object: JSON, _ resource: Resource, _ config: JSON) throws(KubeStatus) -> JSON {
        let typed = StoredJSON.typed(object, resource.type)
        do {
            return try BodyDecoder(resource, .ignore).decode(typed).object
        } catch {
            let title = Self.title(config, resource)
            let problem = error.message.firstRange(of: ": ").map { String(error.message[$0.upperBound...]) }
            let type = title.firstRange(of: "; ").map { String(title[$0.upperBound...]) } ?? ""
            throw .fault(
                "failed to convert new object (\(title)) to proper version: unable to convert unstructured object to \(type): "
                    + GoConversion.problem(problem ?? error.message)
            )
        }
    }

    private static func title(_ object: JSON, _ resource: Resource) -> String {
        let metadata = object["metadata"]
        let version = resource.type.group.isEmpty ? "/\(resource.type.version)" : resource.type.apiVersion
        return "\(metadata?["namespace"]?.string ?? "")/\(metadata?["name"]?.string ?? ""); "
            + "\(version), Kind=\(resource.type.kind)"
    }

    func matchAppliedNamespace(
        _ config: JSON,
        _ resource: Resource,
        _ namespace: String?
    ) throws(KubeStatus) {
        let given = config[path: "metadata", "namespace"]?.string ?? ""
        guard resource.type.isNamespaced, !given.isEmpty, given != namespace ?? "" else { return }
        throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }

    /// What can be said of an applied body without the stored object.
    func checkApplied(_ config: JSON, _ resource: Resource) throws(KubeStatus) {
        let version = config["apiVersion"]?.string ?? ""
        let kind = config["kind"]?.string ?? ""
        guard version == resource.type.apiVersion, kind == resource.type.kind else {
            let shown = version.contains("/") ? version : "/\(version)"
            throw .badRequest("invalid object type: \(shown), Kind=\(kind)")
        }
        if let given = config[path: "metadata", "managedFields"], !given.isNull {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let problems = FieldType(resource).problems(BodyDecoder.untyped(config))
        guard !problems.isEmpty else { return }
        let text = problems.count == 1 ? problems[0] : "errors:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
        throw KubeStatus(
            code: 500,
            reason: "",
            message: "failed to create typed patch object (\(Self.title(config, resource))): \(text)",
            details: .null
        )
    }

    /// The managed fields after a write that is no apply; `nil` for none.
    func trackedFields(
        _ object: JSON,
        from old: JSON?,
        _ resource: Resource,
        _ parameters: WriteParameters,
        _ part: Change.Part
    )
        -> JSON?
    {
        if parameters.isApplied { return object[path: "metadata", "managedFields"] }
        let stored = old?[path: "metadata", "managedFields"]
        // A binding itself leaves no trace; other parts of the server that write whole objects name a subresource.
        guard part != .binding || !parameters.subresource.isEmpty else { return stored }
        let subresource =
            switch part {
            case .whole, .binding: parameters.subresource
            case .status: "status"
            case .finalize: "finalize"
            }
        let manager = fieldManager(resource, subresource: subresource)
        guard let view = resource.view else { return manager.update(old, object, manager: parameters.manager) }
        // Fields have the names of the version they were written in; what another one says of them stays.
        let isForeign = (stored?.array ?? []).contains { $0["apiVersion"]?.string != resource.type.apiVersion }
        guard !isForeign else { return stored }
        return manager.update(old.map(view.shown), view.shown(object), manager: parameters.manager)
    }

    /// Puts the managed fields into the object; where nothing but times would change, the old ones stay.
    static func setManagedFields(_ fields: JSON?, on object: inout JSON, from old: JSON) {
        let before = old[path: "metadata", "managedFields"]
        object.set(fields, at: ["metadata", "managedFields"])
        guard let before, let fields, before != fields, timeless(before) == timeless(fields) else { return }
        var plain = old
        plain.set(fields, at: ["metadata", "managedFields"])
        plain.set(object[path: "metadata", "resourceVersion"], at: ["metadata", "resourceVersion"])
        if plain == object { object.set(before, at: ["metadata", "managedFields"]) }
    }

    private static func timeless(_ fields: JSON) -> Set<JSON> {
        Set(
            (fields.array ?? []).map { entry in
                var entry = entry
                entry["time"] = nil
                return entry
            }
        )
    }
}
