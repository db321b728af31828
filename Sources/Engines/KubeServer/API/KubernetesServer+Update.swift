// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    /// How often a write is tried again after another one came first, where the client named no version.
    private static let attempts = 10

    func updateResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        let parameters = try WriteParameters(call, kind: "UpdateOptions")
        let decoded = try BodyDecoder(call.resource, parameters.validation).decode(call.request)
        try matchName(decoded.object, name)
        try matchNamespace(decoded.object, call.namespace)
        let written = try await update(decoded, call.resource, call.namespace, name, parameters)
        return try present(written.value, call, status: written.isCreated ? 201 : 200, warnings: written.warnings)
    }

    func matchName(_ object: JSON, _ name: String) throws(KubeStatus) {
        let given = object[path: "metadata", "name"]?.string ?? ""
        guard given == name else {
            guard !given.isEmpty else {
                throw .badRequest(
                    "the name of the object (\(name) based on URL) was undeterminable: name must be provided"
                )
            }
            throw .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
        }
    }

    func matchNamespace(_ object: JSON, _ namespace: String?) throws(KubeStatus) {
        let given = object[path: "metadata", "namespace"]?.string ?? ""
        guard !given.isEmpty, given != namespace ?? "" else { return }
        throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }

    /// Replaces an object; kinds that allow it are created where they are not there.
    func update(
        _ decoded: BodyDecoder.Decoded,
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: WriteParameters
    ) async throws(KubeStatus) -> Written {
        if try read(resource.key(namespace: namespace, name: name)) == nil, resource.traits.allowsCreateOnUpdate,
            try Self.namedVersion(decoded.object) == nil
        {
            try checkCreation(resource, namespace, name)
            return try await create(decoded, resource, namespace, parameters)
        }
        let change = Change(resource: resource, namespace: namespace, name: name, parameters: parameters)
        var defaulted = decoded.object
        resource.strategy.setDefaults(&defaulted)
        let object = defaulted
        return try await apply(change) { (_) throws(KubeStatus) in (object, decoded.warnings) }
    }

    /// A change to one stored object.
    struct Change: Sendable {
        enum Part: Sendable { case whole, status, finalize, binding }

        var resource: Resource
        var namespace: String?
        var name: String
        var parameters: WriteParameters
        var part = Part.whole
        /// A patch is made of the object it changes, so it needs to name no version.
        var isPatch = false
    }

    /// Reads the object, lets `make` produce the new one, checks and stores it; starts again when somebody was faster
    /// and the new object names no version.
    func apply(
        _ change: Change,
        _ make: (JSON) throws(KubeStatus) -> (JSON, [String])
    ) async throws(KubeStatus) -> Written {
        var attempts = Self.attempts
        while true {
            attempts -= 1
            let stored = try find(change.resource, change.namespace, change.name)
            let old = try StoredJSON.parse(stored.value, as: nil)
            var (object, warnings) = try make(old)
            let asked = try askedVersion(object, change, stored)
            if change.part == .whole, !change.isPatch { try checkUID(object, old, change) }
            let fields = trackedFields(object, from: old, change.resource, change.parameters, change.part)
            try merge(&object, old, change)
            Self.setManagedFields(fields, on: &object, from: old)
            do {
                let written = try await store(object, old, stored, change)
                return Written(value: written.value, warnings: warnings + written.warnings)
            } catch  where error.reason == "Conflict" && error.causes.isEmpty && !asked && attempts > 0 {
                continue
            }
        }
    }

    /// The version that an object names; none, and 0, is any.
    private static func namedVersion(_ object: JSON) throws(KubeStatus) -> String? {
        let text = object[path: "metadata", "resourceVersion"]?.string ?? ""
        guard !text.isEmpty else { return nil }
        guard let number = UInt64(text) else {
            throw .badRequest("strconv.ParseUint: parsing \(FieldErrors.quoted(text)): invalid syntax")
        }
        return number == 0 ? nil : text
    }

    /// Whether the new object names a version; one that is not the current one is a conflict.
    private func askedVersion(_ object: JSON, _ change: Change, _ stored: StoredObject) throws(KubeStatus) -> Bool {
        guard let version = try Self.namedVersion(object) else {
            guard change.isPatch || change.resource.traits.allowsUnconditionalUpdate || change.part != .whole else {
                var errors = FieldErrors()
                errors.invalid("metadata.resourceVersion", 0, "must be specified for an update")
                throw .invalid(
                    errors,
                    kind: change.resource.type.plural,
                    group: change.resource.type.group,
                    name: change.name
                )
            }
            return false
        }
        guard version == stored.revision.description else { throw .modified(change.resource.type, change.name) }
        return true
    }

    private func checkUID(_ object: JSON, _ old: JSON, _ change: Change) throws(KubeStatus) {
        let given = object[path: "metadata", "uid"]?.string ?? ""
        let uid = old[path: "metadata", "uid"]?.string ?? ""
        guard !given.isEmpty, given != uid else { return }
        throw .conflict(
            change.resource.type,
            change.name,
            "StorageError: invalid object, Code: 4, Key: \(change.resource.publicKey(change.namespace, change.name)), "
                + "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: \(given), UID in "
                + "object meta: \(uid)"
        )
    }

    /// Takes over from the old object what this kind of change may not touch.
    private func merge(_ object: inout JSON, _ old: JSON, _ change: Change) throws(KubeStatus) {
        let context = WriteContext(now: clock.now, isDryRun: change.parameters.isDryRun)
        let strategy = change.resource.strategy
        switch change.part {
        case .whole:
            if object["metadata"]?.object == nil { object["metadata"] = [:] }
            MetadataRules.carryOver(&object, from: old)
            if change.resource.traits.hasStatus { object["status"] = old["status"] }
            strategy.prepareForUpdate(&object, from: old, context)
            Self.countGeneration(&object, from: old, change.resource.traits)
        case .status:
            var merged = old
            merged["status"] = object["status"]
            merged["metadata"] = Self.metadata(ofStatus: object, from: old, strategy.traits.statusResets)
            strategy.prepareForStatusUpdate(&merged, from: old, context)
            object = merged
        case .finalize:
            var merged = old
            merged.set(object[path: "spec", "finalizers"], at: ["spec", "finalizers"])
            object = merged
        case .binding: break
        }
    }

    /// What a write of the status makes of the metadata: most kinds take it like any other write.
    private static func metadata(ofStatus object: JSON, from old: JSON, _ resets: KindTraits.MetadataResets) -> JSON? {
        guard case .members(let members) = resets else { return old["metadata"] }
        var object = object
        if object["metadata"]?.object == nil { object["metadata"] = [:] }
        MetadataRules.carryOver(&object, from: old)
        for member in members { object.set(old[path: "metadata", member], at: ["metadata", member]) }
        return object["metadata"]
    }

    /// A change that counts makes a new generation.
    private static func countGeneration(_ object: inout JSON, from old: JSON, _ traits: KindTraits) {
        guard traits.hasGeneration else { return }
        let isChanged: Bool
        if traits.generationCountsAll {
            let skipped: Set<String> = traits.hasStatus ? ["metadata", "status"] : ["metadata"]
            func counted(_ json: JSON) -> JSONObject { (json.object ?? [:]).filter { !skipped.contains($0.key) } }
            isChanged = counted(object) != counted(old)
        } else {
            isChanged = traits.generationFields.contains { object[$0] != old[$0] }
        }
        let counting =
            (traits.generationCountsLabels ? ["labels"] : [])
            + (traits.generationCountsAnnotations ? ["annotations"] : [])
        let isCounted = counting.contains { object[path: "metadata", $0] != old[path: "metadata", $0] }
        guard isChanged || isCounted else { return }
        let before = old[path: "metadata", "generation"]?.int ?? 0
        object.set(JSON(before + 1), at: ["metadata", "generation"])
    }

    private func store(
        _ object: JSON,
        _ old: JSON,
        _ stored: StoredObject,
        _ change: Change
    ) async throws(KubeStatus) -> Written {
        let resource = change.resource
        var object = object
        Self.settleLists(&object, resource)
        object.set(old[path: "metadata", "resourceVersion"], at: ["metadata", "resourceVersion"])
        // What is as it was has been found good before.
        let isChanged = object != old
        if isChanged { try validate(object, old, change) }
        var warnings: [String] = []
        if change.part == .whole {
            warnings = resource.strategy.warnings(object, from: old) + (try notices(about: object, resource))
        }
        guard isChanged else { return Written(value: stored.value, warnings: warnings) }
        if change.part == .whole { try await checkLimits(object, from: old, resource, change.parameters.isDryRun) }
        let claim = try serviceAddresses.claim(&object, from: old, resource, isDryRun: change.parameters.isDryRun)
        guard object != old else { return Written(value: stored.value, warnings: warnings) }
        if isGone(object, resource) {
            return try await remove(object, stored, resource, change.parameters.isDryRun, warnings)
        }
        let body = StoredJSON(object)
        guard !change.parameters.isDryRun else {
            return Written(value: body.bytes(at: stored.revision), warnings: warnings)
        }
        do {
            let new = try await log.write(stored.key, expecting: .revision(stored.revision)) { body.bytes(at: $0) }
            serviceAddresses.settle(claim)
            await afterWrite(resource, object)
            await releaseQuotas(old, resource, keeping: object)
            return Written(value: new.value, warnings: warnings)
        } catch {
            serviceAddresses.release(claim)
            throw Self.status(of: error) { .modified(resource.type, change.name) }
        }
    }

    private func validate(_ object: JSON, _ old: JSON, _ change: Change) throws(KubeStatus) {
        let strategy = change.resource.strategy
        var errors = FieldErrors()
        switch change.part {
        case .whole:
            // For all kinds as a new object's and as a change, and once or twice more by each kind's own rules, as the real
            // server does: what it has to say of metadata stands so often among the causes, and once in the message.
            let isCustom = change.resource.custom != nil
            MetadataRules.validateContent(object, isCustom: true, &errors)
            MetadataRules.validateUpdate(object, from: old, isCustom: true, &errors)
            MetadataRules.validateUpdate(object, from: old, isCustom: isCustom, &errors)
            if strategy.traits.checksMetadataAgain { MetadataRules.validateContent(object, isCustom: false, &errors) }
            if !strategy.traits.validatesChangesAlone { strategy.validate(object, &errors) }
            strategy.validateUpdate(object, from: old, &errors)
        case .status:
            MetadataRules.validateContent(object, isCustom: true, &errors)
            MetadataRules.validateUpdate(object, from: old, isCustom: true, &errors)
            strategy.validateStatusUpdate(object, from: old, &errors)
        case .finalize, .binding: break
        }
        try refuse(errors, change.resource, change.name)
        if change.part == .whole { try checkGrant(object, from: old, change.resource) }
        if change.part == .whole, let refusal = strategy.refusal(object, from: old) {
            throw .forbidden(change.resource.type, change.name, refusal)
        }
    }

    /// Whether the last thing that held a deleted object has let go.
    private func isGone(_ object: JSON, _ resource: Resource) -> Bool {
        let metadata = object["metadata"] ?? [:]
        guard metadata["deletionTimestamp"]?.string != nil else { return false }
        guard metadata["finalizers"]?.array?.isEmpty ?? true else { return false }
        if resource.type == .namespaces { return object[path: "spec", "finalizers"]?.array?.isEmpty ?? true }
        return (metadata["deletionGracePeriodSeconds"]?.int ?? 0) == 0
    }

    private func remove(
        _ object: JSON,
        _ stored: StoredObject,
        _ resource: Resource,
        _ isDryRun: Bool,
        _ warnings: [String]
    ) async throws(KubeStatus) -> Written {
        let body = StoredJSON(object)
        if !isDryRun { try await removeFromLog(body, stored, resource, object) }
        return Written(value: body.bytes(at: stored.revision), warnings: warnings)
    }

    /// Takes the object out of the log; its last state goes with the deletion.
    @discardableResult
    func removeFromLog(
        _ body: StoredJSON,
        _ stored: StoredObject,
        _ resource: Resource,
        _ object: JSON
    ) async throws(KubeStatus) -> Revision {
        do {
            let revision = try await log.delete(stored.key, expecting: stored.revision) { body.bytes(at: $0) }
            await afterRemoval(resource, object)
            return revision
        } catch {
            let name = object[path: "metadata", "name"]?.string ?? ""
            throw Self.status(of: error) { .modified(resource.type, name) }
        }
    }
}
