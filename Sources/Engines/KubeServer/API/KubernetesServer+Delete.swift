// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    func deleteResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try deleteParameters(call)
        let deletion = try await delete(call.resource, call.namespace, name, parameters)
        if let object = deletion.object {
            return try present(object, call, warnings: deletion.warnings)
        }
        return Self.success(call.type, name, uid: deletion.uid, warnings: deletion.warnings)
    }

    private func deleteParameters(_ call: Call) throws(KubeStatus) -> DeleteParameters {
        guard !call.request.body.isEmpty else { return try DeleteParameters(call.query, body: nil) }
        do {
            return try DeleteParameters(call.query, body: try deleteOptions(call))
        } catch let error as JSONError {
            throw .badRequest(
                "couldn't get version/kind; json parse error: \(GoJSONErrors.text(error, in: call.request.body))"
            )
        } catch let error as WireError {
            throw .badRequest("the object provided is unrecognized (must be of type DeleteOptions): \(error.message)")
        } catch let error as KubeStatus {
            throw error
        } catch {
            throw .fault("\(error)")
        }
    }

    private func deleteOptions(_ call: Call) throws -> JSON {
        let body = call.request.body
        let name = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
        guard MediaType(parsing: call.request.contentType).name == WireEnvelope.contentType,
            let schema = SchemaTable.builtIn.schema(named: name)
        else { return try options(from: try JSON(parsing: body), body) }
        return try WireDecoder.decode(body, in: try WireEnvelope(body).object, as: schema)
    }

    /// Options as JSON: an object, of the right kind where it names one, with members of the right types.
    private func options(from json: JSON, _ body: [UInt8]) throws -> JSON {
        if json.isNull { return [:] }
        guard json.object != nil else {
            let goType =
                #"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#
            throw KubeStatus.badRequest(
                "couldn't get version/kind; json parse error: json: cannot unmarshal \(json.goKind) into Go value of type "
                    + goType
            )
        }
        if let kind = json["kind"]?.string, !kind.isEmpty, kind != "DeleteOptions" {
            throw KubeStatus.badRequest(
                "no kind \(FieldErrors.quoted(kind)) is registered for version "
                    + "\(FieldErrors.quoted(json["apiVersion"]?.string ?? "")) in scheme "
                    + "\"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\""
            )
        }
        guard let schema = SchemaTable.builtIn.schema(named: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
        else { return json }
        do {
            _ = try ObjectDecoder.decode(json, as: schema)
        } catch {
            throw KubeStatus.badRequest(error.message)
        }
        return json
    }

    static func success(_ type: ResourceType, _ name: String, uid: String, warnings: [String]) -> APIResponse {
        var details: JSONObject = ["name": .string(name)]
        if !type.group.isEmpty { details["group"] = .string(type.group) }
        details["kind"] = .string(type.plural)
        details["uid"] = .string(uid)
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": .object(details),
        ]
        return APIResponse(status: 200, warnings: warnings, body: .bytes(status.bytes))
    }

    /// What became of an object that was to be deleted.
    struct Deletion: Sendable {
        /// What the client is shown; `nil`: a Status.
        var object: [UInt8]?
        var uid: String
        var warnings: [String] = []
    }

    private static let deleteAttempts = 10

    /// Deletes an object, or marks it where something still holds it.
    func delete(
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: DeleteParameters
    ) async throws(KubeStatus) -> Deletion {
        var attempts = Self.deleteAttempts
        while true {
            attempts -= 1
            let stored = try find(resource, namespace, name)
            let object = try StoredJSON.parse(stored.value, as: nil)
            try checkPreconditions(object, resource, parameters)
            do {
                return try await delete(object, stored, resource, parameters)
            } catch  where error.reason == "Conflict" && parameters.version == nil && attempts > 0 {
                continue
            }
        }
    }

    private func checkPreconditions(
        _ object: JSON,
        _ resource: Resource,
        _ parameters: DeleteParameters
    ) throws(KubeStatus) {
        let name = object[path: "metadata", "name"]?.string ?? ""
        let uid = object[path: "metadata", "uid"]?.string ?? ""
        let version = object[path: "metadata", "resourceVersion"]?.string ?? ""
        if let wanted = parameters.uid, wanted != uid {
            throw .conflict(
                resource.type,
                name,
                "the UID in the precondition (\(wanted)) does not match the UID in record (\(uid)). "
                    + "The object might have been deleted and then recreated",
                resource: resource.type.kind
            )
        }
        if let wanted = parameters.version, wanted != version {
            throw .conflict(
                resource.type,
                name,
                "the ResourceVersion in the precondition (\(wanted)) does not match the ResourceVersion in record "
                    + "(\(version)). The object might have been modified",
                resource: resource.type.kind
            )
        }
    }

    private func delete(
        _ object: JSON,
        _ stored: StoredObject,
        _ resource: Resource,
        _ parameters: DeleteParameters
    ) async throws(KubeStatus) -> Deletion {
        let name = object[path: "metadata", "name"]?.string ?? ""
        let plan = try DeletionPlan(object, resource, parameters, now: clock.now)
        let uid = object[path: "metadata", "uid"]?.string ?? ""
        let body = StoredJSON(plan.object)
        switch plan.outcome {
        case .unchanged: return Deletion(object: stored.value, uid: uid, warnings: plan.warnings)
        case .marked:
            guard !parameters.isDryRun else {
                return Deletion(object: body.bytes(at: stored.revision), uid: uid, warnings: plan.warnings)
            }
            do {
                let new = try await log.write(stored.key, expecting: .revision(stored.revision)) { body.bytes(at: $0) }
                await afterMark(resource, plan.object)
                return Deletion(object: new.value, uid: uid, warnings: plan.warnings)
            } catch {
                throw Self.status(of: error) { .modified(resource.type, name) }
            }
        case .removed:
            var revision = stored.revision
            if !parameters.isDryRun { revision = try await removeFromLog(body, stored, resource, plan.object) }
            let shown = resource.traits.returnsDeleted ? body.bytes(at: revision) : nil
            return Deletion(object: shown, uid: uid, warnings: plan.warnings)
        }
    }

    func deleteCollectionResponse(_ call: Call) async throws(KubeStatus) -> APIResponse {
        let parameters = try deleteParameters(call)
        let page = try page(call.resource, call.namespace, call.options)
        for item in page.items {
            let (namespace, name) = call.resource.names(in: item.key)
            do {
                _ = try await delete(call.resource, namespace, name, parameters)
            } catch  where error.code == 404 {
                continue
            }
        }
        return try presentList(page.items, ["resourceVersion": .string(page.revision.description)], call)
    }
}

/// Decides what a delete does to an object: nothing more, a mark, or the end.
struct DeletionPlan {
    enum Outcome { case unchanged, marked, removed }

    private(set) var object: JSON
    private(set) var outcome: Outcome
    private(set) var warnings: [String] = []

    private static let orphan = "orphan"
    private static let foreground = "foregroundDeletion"
    private static let immortal: Set<String> = ["default", "kube-system", "kube-public"]

    init(
        _ object: JSON,
        _ resource: Resource,
        _ parameters: DeleteParameters,
        now: Timestamp
    ) throws(KubeStatus) {
        self.object = object
        outcome = .removed
        switch resource.type {
        case .namespaces: try planNamespace(now)
        case .customResourceDefinitions: planDefinition(now)
        default: plan(resource, parameters, now)
        }
    }

    private var isMarked: Bool { object[path: "metadata", "deletionTimestamp"]?.string != nil }

    private mutating func plan(_ resource: Resource, _ parameters: DeleteParameters, _ now: Timestamp) {
        let hasChanged = settleFinalizers(resource, parameters)
        let isHeld = !(object[path: "metadata", "finalizers"]?.array?.isEmpty ?? true)
        if resource.type == .pods {
            planPod(parameters, now, isHeld: isHeld, hasChanged: hasChanged)
        } else if isHeld {
            let isNew = !isMarked
            if isNew { mark(now, grace: 0) }
            outcome = isNew || hasChanged ? .marked : .unchanged
        }
    }

    private mutating func mark(_ now: Timestamp, grace: Int?) {
        let moment = now + .seconds(grace ?? 0)
        object.set(.string(moment.description), at: ["metadata", "deletionTimestamp"])
        if let grace { object.set(JSON(grace), at: ["metadata", "deletionGracePeriodSeconds"]) }
        if let generation = object[path: "metadata", "generation"]?.int, generation > 0 {
            object.set(JSON(generation + 1), at: ["metadata", "generation"])
        }
    }

    /// Pods on a node get time to stop; a pod that is stopping may only be hurried.
    private mutating func planPod(
        _ parameters: DeleteParameters,
        _ now: Timestamp,
        isHeld: Bool,
        hasChanged: Bool
    ) {
        var grace = parameters.graceSeconds ?? object[path: "spec", "terminationGracePeriodSeconds"]?.int ?? 30
        let isUnbound = (object[path: "spec", "nodeName"]?.string ?? "").isEmpty
        let phase = object[path: "status", "phase"]?.string ?? ""
        if isUnbound || phase == "Failed" || phase == "Succeeded" { grace = 0 }
        grace = min(max(0, grace), DeleteParameters.graceLimit)
        guard isMarked else {
            mark(now, grace: grace)
            outcome = grace == 0 && !isHeld ? .removed : .marked
            return
        }
        let before = object[path: "metadata", "deletionGracePeriodSeconds"]?.int ?? 0
        guard let asked = parameters.graceSeconds, asked < before else {
            outcome = before == 0 && !isHeld ? .removed : hasChanged ? .marked : .unchanged
            return
        }
        let end = object[path: "metadata", "deletionTimestamp"]?.string.flatMap { Timestamp($0) } ?? now
        let shortened = end - .seconds(before) + .seconds(asked)
        object.set(.string(shortened.description), at: ["metadata", "deletionTimestamp"])
        object.set(JSON(asked), at: ["metadata", "deletionGracePeriodSeconds"])
        outcome = asked == 0 && !isHeld ? .removed : .marked
    }

    /// Adds and removes the finalizers that tell the garbage collector what to do with dependents.
    private mutating func settleFinalizers(_ resource: Resource, _ parameters: DeleteParameters) -> Bool {
        let before = object[path: "metadata", "finalizers"]?.array?.compactMap(\.string) ?? []
        var policy = parameters.propagation
        if policy == nil {
            if before.contains(Self.orphan) {
                policy = .orphan
            } else if before.contains(Self.foreground) {
                policy = .foreground
            } else if resource.traits.orphansByDefault {
                policy = .orphan
                warnings.append(
                    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to "
                        + "remove them or set propagationPolicy=Orphan to suppress this warning"
                )
            }
        }
        var after = before.filter { $0 != Self.orphan && $0 != Self.foreground }
        if policy == .orphan { after.append(Self.orphan) }
        if policy == .foreground { after.append(Self.foreground) }
        guard after != before else { return false }
        object.set(after.isEmpty ? nil : .array(after.map { .string($0) }), at: ["metadata", "finalizers"])
        return true
    }

    /// A namespace goes once its content is gone, which a controller sees to.
    private mutating func planNamespace(_ now: Timestamp) throws(KubeStatus) {
        let name = object[path: "metadata", "name"]?.string ?? ""
        guard !Self.immortal.contains(name) else {
            throw .forbidden(.namespaces, name, "this namespace may not be deleted")
        }
        let isHeld =
            !(object[path: "spec", "finalizers"]?.array?.isEmpty ?? true)
            || !(object[path: "metadata", "finalizers"]?.array?.isEmpty ?? true)
        let isNew = !isMarked
        if isNew {
            mark(now, grace: nil)
            object.set("Terminating", at: ["status", "phase"])
        }
        outcome = !isHeld ? .removed : isNew ? .marked : .unchanged
    }

    /// A definition goes after its objects.
    private mutating func planDefinition(_ now: Timestamp) {
        guard !isMarked else {
            let isHeld = !(object[path: "metadata", "finalizers"]?.array?.isEmpty ?? true)
            outcome = isHeld ? .unchanged : .removed
            return
        }
        let moment = JSON.string(now.description)
        object.set(moment, at: ["metadata", "deletionTimestamp"])
        var finalizers = object[path: "metadata", "finalizers"]?.array ?? []
        let cleanup: JSON = "customresourcecleanup.apiextensions.k8s.io"
        if !finalizers.contains(cleanup) { finalizers.append(cleanup) }
        object.set(.array(finalizers), at: ["metadata", "finalizers"])
        Conditions.set(
            &object,
            "Terminating",
            isTrue: true,
            reason: "InstanceDeletionPending",
            message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
            now: now
        )
        outcome = .marked
    }
}

/// `status.conditions` of an object.
enum Conditions {
    /// Sets a condition; its transition time stays where its status does.
    static func set(
        _ object: inout JSON,
        _ type: String,
        isTrue: Bool,
        reason: String,
        message: String,
        now: Timestamp
    ) {
        var conditions = object[path: "status", "conditions"]?.array ?? []
        let status: JSON = isTrue ? "True" : "False"
        let place = conditions.firstIndex { $0["type"]?.string == type }
        let isSame = place.map { conditions[$0]["status"] == status } ?? false
        let since = isSame ? place.flatMap { conditions[$0]["lastTransitionTime"] } : nil
        let condition: JSON = [
            "type": .string(type), "status": status, "lastTransitionTime": since ?? .string(now.description),
            "reason": .string(reason), "message": .string(message),
        ]
        if let place { conditions[place] = condition } else { conditions.append(condition) }
        object.set(.array(conditions), at: ["status", "conditions"])
    }
}
