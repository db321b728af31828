// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// What a write left behind.
struct Written: Sendable {
    /// In the stored form.
    var value: [UInt8]
    var warnings: [String]
    var isCreated = false
}

extension KubernetesServer {
    func createResponse(_ call: Call) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "CreateOptions")
        let decoded = try BodyDecoder(call.resource, parameters.validation).decode(call.request)
        let written = try await create(decoded, call.resource, call.namespace, parameters)
        return try present(written.value, call, status: 201, warnings: written.warnings)
    }

    /// Creates an object. `namespace` is the request's.
    func create(
        _ decoded: BodyDecoder.Decoded,
        _ resource: Resource,
        _ namespace: String?,
        _ parameters: WriteParameters
    ) async throws(KubeStatus) -> Written {
        guard resource.custom?.isLeaving != true else { throw .definitionIsLeaving }
        var object = decoded.object
        if object["metadata"]?.object == nil { object["metadata"] = [:] }
        try settleNamespace(&object, resource, namespace)
        try checkNamespace(resource, namespace, object[path: "metadata", "name"]?.string ?? "")
        for member in Self.ownMembers { object.set(nil, at: ["metadata", member]) }
        resource.strategy.setDefaults(&object)
        let fields = trackedFields(object, from: nil, resource, parameters, .whole)
        object.set(fields, at: ["metadata", "managedFields"])
        try await admit(&object, resource)
        let generateName = object[path: "metadata", "generateName"]?.string ?? ""
        let isGenerated = (object[path: "metadata", "name"]?.string ?? "").isEmpty && !generateName.isEmpty
        var attempts = isGenerated ? 8 : 1
        while true {
            attempts -= 1
            do {
                return try await createOnce(object, resource, isGenerated: isGenerated, decoded.warnings, parameters)
            } catch  where error.reason == "AlreadyExists" && attempts > 0 {
                continue
            }
        }
    }

    /// What a new object cannot bring along.
    private static let ownMembers = [
        "creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
    ]

    private func createOnce(
        _ template: JSON,
        _ resource: Resource,
        isGenerated: Bool,
        _ warnings: [String],
        _ parameters: WriteParameters
    ) async throws(KubeStatus) -> Written {
        var object = template
        let asked = object[path: "metadata", "resourceVersion"]?.string ?? ""
        let context = fillIn(&object, resource, isGenerated: isGenerated, parameters)
        resource.strategy.prepareForCreate(&object, context)
        let name = object[path: "metadata", "name"]?.string ?? ""
        var errors = FieldErrors()
        MetadataRules.validate(object, resource, &errors)
        resource.strategy.validateName(object, &errors)
        resource.strategy.validate(object, &errors)
        resource.strategy.validateCreate(object, &errors)
        try refuse(errors, resource, name)
        if let refusal = resource.strategy.refusal(object, from: nil) {
            throw .forbidden(resource.type, name, refusal)
        }
        try checkGrant(object, from: nil, resource)
        guard (UInt64(asked) ?? 0) == 0 else {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        let namespace = object[path: "metadata", "namespace"]?.string
        let key = resource.key(namespace: namespace, name: name)
        guard try read(key) == nil else { throw .alreadyExists(resource.type, name) }
        resource.strategy.complete(&object)
        try await checkLimits(object, from: nil, resource, parameters.isDryRun)
        let claim = try serviceAddresses.claim(&object, from: nil, resource, isDryRun: parameters.isDryRun)
        let all =
            warnings + resource.strategy.warnings(object, from: nil)
            + (try notices(about: object, resource))
        Self.settleLists(&object, resource)
        let body = StoredJSON(object)
        if parameters.isDryRun { return Written(value: body.bytesWithoutRevision, warnings: all, isCreated: true) }
        do {
            let stored = try await log.write(key, expecting: .absent) { body.bytes(at: $0) }
            await afterWrite(resource, object)
            return Written(value: stored.value, warnings: all, isCreated: true)
        } catch {
            serviceAddresses.release(claim)
            await releaseQuotas(object, resource)
            throw Self.status(of: error) { .alreadyExists(resource.type, name) }
        }
    }

    /// Sets what the server owns of a new object's metadata, in the order in which the API prints it.
    private func fillIn(
        _ object: inout JSON,
        _ resource: Resource,
        isGenerated: Bool,
        _ parameters: WriteParameters
    ) -> WriteContext {
        let context = WriteContext(now: clock.now, isDryRun: parameters.isDryRun, uid: randomness.uuid())
        let given = object["metadata"] ?? [:]
        var metadata: JSONObject = [:]
        if isGenerated, let prefix = given["generateName"]?.string {
            metadata["name"] = .string(String(prefix.prefix(58)) + randomness.nameSuffix())
        } else {
            metadata["name"] = given["name"]
        }
        metadata["generateName"] = given["generateName"]
        metadata["namespace"] = given["namespace"]
        metadata["uid"] = .string(context.uid)
        let generation = given["generation"]?.int ?? 0
        if resource.traits.hasGeneration {
            metadata["generation"] = 1
        } else if generation != 0 {
            // Kinds that count nothing keep what they are given.
            metadata["generation"] = JSON(generation)
        }
        metadata["creationTimestamp"] = .string(context.now.description)
        let owned: Set<String> = [
            "resourceVersion", "generation", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds",
            "uid", "creationTimestamp", "name",
        ]
        for (key, value) in given.object ?? [:] where !owned.contains(key) && metadata[key] == nil {
            metadata[key] = value
        }
        object["metadata"] = .object(metadata)
        return context
    }

    /// Lists that are there and empty are nothing to the server, which prints `null` for them. Custom resources,
    /// definitions and revisions are kept as they were written.
    static func settleLists(_ object: inout JSON, _ resource: Resource) {
        let isVerbatim = resource.type == .customResourceDefinitions || resource.type == .controllerRevisions
        guard resource.custom == nil, !isVerbatim, object.hasEmptyList else { return }
        object = object.withoutEmptyLists
    }

    func refuse(_ errors: FieldErrors, _ resource: Resource, _ name: String) throws(KubeStatus) {
        guard errors.isEmpty else {
            // Events are the core group's, wherever they were sent to.
            let group = resource.type == .eventsV1 ? "" : resource.type.group
            throw .invalid(errors, kind: resource.type.kind, group: group, name: name)
        }
    }

    private func settleNamespace(
        _ object: inout JSON,
        _ resource: Resource,
        _ namespace: String?
    ) throws(KubeStatus) {
        let given = object[path: "metadata", "namespace"]?.string ?? ""
        guard resource.type.isNamespaced else {
            guard given.isEmpty else {
                throw .badRequest(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
            }
            object.set(nil, at: ["metadata", "namespace"])
            return
        }
        guard given.isEmpty || given == namespace else {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        object.set(namespace.map { .string($0) }, at: ["metadata", "namespace"])
    }

    /// New objects need a namespace that exists and is not on its way out.
    private func checkNamespace(_ resource: Resource, _ namespace: String?, _ name: String) throws(KubeStatus) {
        guard resource.type.isNamespaced, let namespace else { return }
        guard let stored = try read("/registry/namespaces/\(namespace)") else {
            throw .notFound(.namespaces, namespace)
        }
        guard stored.value.contains(subsequence: Self.deletionMark) else { return }
        let object = try StoredJSON.parse(stored.value, as: nil)
        guard object[path: "metadata", "deletionTimestamp"]?.string != nil else { return }
        throw .forbidden(
            resource.type,
            name,
            "unable to create new content in namespace \(namespace) because it is being terminated",
            causes: [
                KubeStatus.Cause(
                    reason: "NamespaceTerminating",
                    message: "namespace \(namespace) is being terminated",
                    field: "metadata.namespace"
                )
            ]
        )
    }

    private static let deletionMark = Array("\"deletionTimestamp\"".utf8)

    /// What the log's errors mean to a client.
    static func status(of error: any Error, onConflict: () -> KubeStatus) -> KubeStatus {
        switch error {
        case let status as KubeStatus: return status
        case is LogConflict: return onConflict()
        case LogError.overloaded:
            return KubeStatus(
                code: 429,
                reason: "TooManyRequests",
                message: "the server has received too many requests and has asked us to try again later",
                details: ["retryAfterSeconds": 1]
            )
        case LogError.closed:
            return KubeStatus(
                code: 503,
                reason: "ServiceUnavailable",
                message: "the server is shutting down",
                details: .null
            )
        default: return .fault("\(error)")
        }
    }
}

extension JSON {
    fileprivate var hasEmptyList: Bool {
        switch self {
        case .array(let elements): elements.isEmpty || elements.contains(where: \.hasEmptyList)
        case .object(let members): members.contains { $0.value.hasEmptyList }
        default: false
        }
    }

    fileprivate var withoutEmptyLists: JSON {
        switch self {
        case .array(let elements): elements.isEmpty ? .null : .array(elements.map(\.withoutEmptyLists))
        case .object(let members): .object(JSONObject(members.map { ($0.key, $0.value.withoutEmptyLists) }))
        default: self
        }
    }
}

extension Array where Element == UInt8 {
    /// Whether the bytes occur in this order anywhere.
    func contains(subsequence wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, count >= wanted.count else { return wanted.isEmpty }
        for start in 0...(count - wanted.count) where self[start] == first {
            if self[start..<start + wanted.count].elementsEqual(wanted) { return true }
        }
        return false
    }
}
