// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    static let scaleType = ResourceType(
        group: "autoscaling",
        version: "v1",
        plural: "scales",
        kind: "Scale",
        isNamespaced: true
    )

    /// GET, PUT and PATCH of a `Scale`: a view of an object that shows and sets how many replicas it has.
    func scaleResponse(_ call: Call, _ name: String, _ verb: String) async throws(KubeStatus) -> APIResponse {
        guard let paths = call.resource.scale else { throw .noSuchResource }
        guard verb != "get" else {
            let stored = try find(call.resource, call.namespace, name)
            return call.respond(paths.view(of: try StoredJSON.parse(stored.value, as: nil)))
        }
        let parameters = try WriteParameters(call, kind: verb == "patch" ? "PatchOptions" : "UpdateOptions")
        let change: (JSON) throws(KubeStatus) -> (JSON, [String])
        if verb == "patch", MediaType(parsing: call.request.contentType).name == PatchType.apply.rawValue {
            return try await applyScaleResponse(call, name, parameters)
        }
        if verb == "patch" {
            let patch = try PatchBody(call.request, call.resource)
            change = { (scale) throws(KubeStatus) in
                try patch.apply(to: scale, call.resource, Self.scaleType, parameters.validation)
            }
        } else {
            let decoded = try BodyDecoder(call.resource, as: Self.scaleType, parameters.validation).decode(call.request)
            change = { (_) throws(KubeStatus) in (decoded.object, decoded.warnings) }
        }
        let written = try await scale(call.resource, call.namespace, name, parameters, change)
        let view = paths.view(of: try StoredJSON.parse(written.value, as: nil))
        return call.respond(view, warnings: written.warnings)
    }

    /// Sets the replicas to what `make` says about the present scale.
    func scale(
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: WriteParameters,
        isApply: Bool = false,
        _ make: (JSON) throws(KubeStatus) -> (JSON, [String])
    ) async throws(KubeStatus) -> Written {
        guard let paths = resource.scale else { throw .noSuchResource }
        var parameters = parameters
        parameters.isApplied = true
        let fields = ScaleFields(resource, catalog.snapshot, now: clock.now.description)
        var change = Change(resource: resource, namespace: namespace, name: name, parameters: parameters)
        change.isPatch = true
        return try await apply(change) { (old) throws(KubeStatus) in
            let view = BodyDecoder.untyped(fields.view(of: old, paths))
            let (scale, warnings) = try make(view)
            try matchName(scale, name)
            let replicas = scale[path: "spec", "replicas"]?.int ?? 0
            var errors = FieldErrors()
            if replicas < 0, resource.custom != nil {
                errors.invalid(".spec.replicas", replicas, "should be a non-negative integer")
            } else if replicas < 0 {
                errors.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
            }
            // Custom resources object as themselves, built-in ones as their scale.
            let kind = resource.custom == nil ? ("Scale", "autoscaling") : (resource.type.kind, resource.type.group)
            guard errors.isEmpty else { throw .invalid(errors, kind: kind.0, group: kind.1, name: name) }
            var object = old
            object.set(JSON(replicas), at: paths.specReplicas)
            let managers =
                isApply
                ? scale[path: "metadata", "managedFields"]
                : fields.manager.update(view, scale, manager: parameters.manager)
            object.set(fields.whole(managers, old), at: ["metadata", "managedFields"])
            let version = scale[path: "metadata", "resourceVersion"]?.string ?? ""
            let isNamed = !version.isEmpty && version != old[path: "metadata", "resourceVersion"]?.string
            object.set(isNamed ? .string(version) : nil, at: ["metadata", "resourceVersion"])
            return (object, warnings)
        }
    }
}

extension ScalePaths {
    /// The `Scale` of an object.
    func view(of object: JSON) -> JSON {
        var metadata: JSONObject = [:]
        for member in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[member] = object[path: "metadata", member]
        }
        var status: JSONObject = ["replicas": JSON(object[path: statusReplicas]?.int ?? 0)]
        if let text = selectorText(object) { status["selector"] = .string(text) }
        var spec: JSONObject = [:]
        if let replicas = object[path: specReplicas]?.int, replicas != 0 { spec["replicas"] = JSON(replicas) }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": .object(metadata), "spec": .object(spec),
            "status": .object(status),
        ]
    }

    private func selectorText(_ object: JSON) -> String? {
        if let selector { return object[path: selector]?.string }
        guard derivesSelector else { return nil }
        return SelectorText.of(object[path: "spec", "selector"])
    }
}

/// A selector object as text, sorted as the API prints it; `nil` for none.
enum SelectorText {
    static func of(_ selector: JSON?) -> String? {
        guard let selector, var parsed = LabelSelector(json: selector) else { return nil }
        parsed.requirements.sort { $0.key < $1.key }
        return parsed.text
    }
}
