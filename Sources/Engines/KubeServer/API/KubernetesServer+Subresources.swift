// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    /// What the real server has beside ours, for kubectl's proxy and debug.
    private static let missing: Set<String> = ["ephemeralcontainers", "proxy"]

    /// Answers a request for a subresource of a named object.
    func performOnSubresource(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        guard let subresource = call.resource.subresources.first(where: { $0.name == call.subresource }) else {
            throw Self.missing.contains(call.subresource) && call.type == .pods
                ? .notYet("\(call.type.plural)/\(call.subresource)") : .noSuchResource
        }
        let verb =
            switch call.request.method {
            case "GET", "HEAD": "get"
            case "PUT": "update"
            case "PATCH": "patch"
            case "POST": "create"
            default: ""
            }
        guard subresource.verbs.contains(verb) else { throw .methodNotAllowed }
        switch (call.subresource, verb) {
        case ("status", "get"): return try getResponse(call, name)
        case ("status", "patch"): return try await patchResponse(call, name)
        case ("status", _): return try await statusUpdateResponse(call, name)
        case ("scale", _): return try await scaleResponse(call, name, verb)
        case ("finalize", _): return try await finalizeResponse(call, name)
        case ("binding", _): return try await bindingResponse(call, name)
        case ("eviction", _): return try await evictionResponse(call, name)
        case ("token", _): return try await tokenResponse(call, name)
        case ("log", _): return try await logResponse(call, name)
        case _ where Self.connections.contains(call.subresource): return try await connectionResponse(call, name)
        default: throw .noSuchResource
        }
    }

    private func statusUpdateResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "UpdateOptions")
        let decoded = try BodyDecoder(call.resource, parameters.validation).decode(call.request)
        try matchName(decoded.object, name)
        let written = try await updateStatus(decoded, call.resource, call.namespace, name, parameters)
        return try present(written.value, call, warnings: written.warnings)
    }

    func updateStatus(
        _ decoded: BodyDecoder.Decoded,
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: WriteParameters,
        part: Change.Part = .status
    ) async throws(KubeStatus) -> Written {
        let change = Change(
            resource: resource,
            namespace: namespace,
            name: name,
            parameters: parameters,
            part: part
        )
        return try await apply(change) { (_) throws(KubeStatus) in (decoded.object, decoded.warnings) }
    }

    private func finalizeResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "UpdateOptions")
        let decoded = try BodyDecoder(call.resource, parameters.validation).decode(call.request)
        try matchName(decoded.object, name)
        let written = try await updateStatus(
            decoded,
            call.resource,
            call.namespace,
            name,
            parameters,
            part: .finalize
        )
        return try present(written.value, call, warnings: written.warnings)
    }

    private static let success: JSON = [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
    ]

    /// Takes a `Binding`, as a pod's subresource or among the namespace's bindings.
    func bindingResponse(_ call: Call, _ name: String?) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "CreateOptions")
        let binding = try BodyDecoder(call.resource, as: .bindings, parameters.validation).decode(call.request).object
        let given = binding[path: "metadata", "name"]?.string ?? ""
        let pod = name ?? given
        guard given == pod else { throw .badRequest("name in URL does not match name in Binding object") }
        try await bind(pod, call.namespace, to: binding, parameters)
        return Self.response(Self.success, status: 201)
    }

    /// Assigns a pod to a node, once.
    func bind(
        _ name: String,
        _ namespace: String?,
        to binding: JSON,
        _ parameters: WriteParameters
    ) async throws(KubeStatus) {
        guard let resource = catalog.resource(of: .pods) else { throw .noSuchResource }
        let target = binding["target"] ?? [:]
        let node = target["name"]?.string ?? ""
        var errors = FieldErrors()
        let kind = target["kind"]?.string ?? ""
        if !kind.isEmpty, kind != "Node" { errors.notSupported("target.kind", kind, ["Node", ""]) }
        if node.isEmpty { errors.required("target.name") }
        if let error = errors.all.first {
            let text = error.message.replacing("\"\"", with: "\"<empty>\"")
            throw .fault("\(error.field): \(text)")
        }
        let now = clock.now
        let change = Change(
            resource: resource,
            namespace: namespace,
            name: name,
            parameters: parameters,
            part: .binding
        )
        _ = try await apply(change) { (old) throws(KubeStatus) in
            let bound = old[path: "spec", "nodeName"]?.string ?? ""
            guard old[path: "metadata", "deletionTimestamp"]?.string == nil else {
                throw .conflict(
                    .pods,
                    name,
                    "pod \(name) is being deleted, cannot be assigned to a host",
                    resource: "pods/binding"
                )
            }
            guard bound.isEmpty else {
                throw .conflict(
                    .pods,
                    name,
                    "pod \(name) is already assigned to node \(FieldErrors.quoted(bound))",
                    resource: "pods/binding"
                )
            }
            var object = old
            object.set(nil, at: ["metadata", "resourceVersion"])
            object.set(.string(node), at: ["spec", "nodeName"])
            PodConditions.set(&object, "PodScheduled", "True", now: now)
            return (object, [])
        }
    }
}

/// Conditions of pods, which have a probe time that nobody sets.
enum PodConditions {
    static func set(_ object: inout JSON, _ type: String, _ status: String, now: Timestamp) {
        var conditions = object[path: "status", "conditions"]?.array ?? []
        let place = conditions.firstIndex { $0["type"]?.string == type }
        if let place, conditions[place]["status"]?.string == status { return }
        let condition: JSON = [
            "type": .string(type), "status": .string(status), "lastProbeTime": .null,
            "lastTransitionTime": .string(now.description),
        ]
        if let place { conditions[place] = condition } else { conditions.append(condition) }
        object.set(.array(conditions), at: ["status", "conditions"])
    }
}
