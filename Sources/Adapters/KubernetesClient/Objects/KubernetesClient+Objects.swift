// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import NIOHTTP1
package import Ports

extension KubernetesClient {
    package func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject {
        KubeObject(try await send(APICall(.GET, path(reference, subresource))))
    }

    package func list(_ query: ListQuery) async throws -> ObjectList {
        let answer = try await send(
            APICall(.GET, query.type.path(namespace: query.namespace), query: Self.parameters(query))
        )
        let metadata = answer["metadata"] ?? [:]
        let items = (answer["items"]?.array ?? []).map { Self.typed($0, query.type) }
        let token = metadata["continue"]?.string
        return ObjectList(
            items: items,
            resourceVersion: ResourceVersion(metadata["resourceVersion"]?.string ?? ""),
            continuation: token?.isEmpty == false ? token : nil,
            remaining: metadata["remainingItemCount"]?.int
        )
    }

    package func create(_ object: KubeObject, as type: ResourceType, options: WriteOptions) async throws -> KubeObject {
        let path = type.path(namespace: object.namespace ?? link.config.namespace)
        return KubeObject(
            try await send(APICall(.POST, path, query: Self.parameters(options), body: object.json))
        )
    }

    /// Posts to a subresource: `eviction` or `binding` of a pod, `token` of a service account. Returns what it answers.
    package func create(
        _ object: KubeObject,
        in reference: ObjectReference,
        subresource: String,
        options: WriteOptions = WriteOptions()
    ) async throws -> KubeObject {
        let call = APICall(.POST, path(reference, subresource), query: Self.parameters(options), body: object.json)
        return KubeObject(try await send(call))
    }

    package func update(
        _ object: KubeObject,
        as type: ResourceType,
        subresource: String?,
        options: WriteOptions
    ) async throws -> KubeObject {
        let reference = ObjectReference(type, namespace: object.namespace ?? link.config.namespace, name: object.name)
        return KubeObject(
            try await send(
                APICall(.PUT, path(reference, subresource), query: Self.parameters(options), body: object.json)
            )
        )
    }

    package func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject {
        var parameters = Self.parameters(options)
        if type == .apply, options.isForced { parameters.append(("force", "true")) }
        return KubeObject(
            try await send(
                APICall(
                    .PATCH,
                    path(reference, subresource),
                    query: parameters,
                    body: body,
                    contentType: type.rawValue
                )
            )
        )
    }

    package func delete(_ reference: ObjectReference, options: DeleteOptions) async throws {
        var body: JSON = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let grace = options.gracePeriod { body["gracePeriodSeconds"] = JSON(Int(grace.components.seconds)) }
        if let propagation = options.propagation { body["propagationPolicy"] = .string(propagation.rawValue) }
        if let uid = options.uid { body.set(.string(uid), at: ["preconditions", "uid"]) }
        if let version = options.resourceVersion {
            body.set(.string(version.text), at: ["preconditions", "resourceVersion"])
        }
        _ = try await send(
            APICall(.DELETE, reference.path, query: options.isDryRun ? [("dryRun", "All")] : [], body: body)
        )
    }

    private func send(_ call: APICall) async throws -> JSON {
        try await link.send(call).json(from: link.config.server)
    }

    private func path(_ reference: ObjectReference, _ subresource: String?) -> String {
        reference.path + (subresource.map { "/\($0)" } ?? "")
    }

    static func parameters(_ query: ListQuery) -> [(String, String)] {
        var parameters: [(String, String)] = []
        if !query.labelSelector.isEmpty { parameters.append(("labelSelector", query.labelSelector.text)) }
        if !query.fieldSelector.isEmpty { parameters.append(("fieldSelector", query.fieldSelector)) }
        if let limit = query.limit { parameters.append(("limit", String(limit))) }
        if let token = query.continuation { parameters.append(("continue", token)) }
        return parameters
    }

    private static func parameters(_ options: WriteOptions) -> [(String, String)] {
        var parameters: [(String, String)] = []
        if let manager = options.fieldManager { parameters.append(("fieldManager", manager)) }
        if options.isDryRun { parameters.append(("dryRun", "All")) }
        if let validation = options.fieldValidation { parameters.append(("fieldValidation", validation.rawValue)) }
        return parameters
    }

    /// Items of a list carry no kind of their own; the collection says it.
    private static func typed(_ item: JSON, _ type: ResourceType) -> KubeObject {
        guard item["kind"] == nil, case .object(let members) = item else { return KubeObject(item) }
        let head: [(String, JSON)] = [("apiVersion", .string(type.apiVersion)), ("kind", .string(type.kind))]
        return KubeObject(.object(JSONObject(head + members.map { ($0.key, $0.value) })))
    }
}
