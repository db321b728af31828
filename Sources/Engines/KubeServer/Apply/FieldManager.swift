// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Keeps `metadata.managedFields` over the writes to one resource through one endpoint.
struct FieldManager {
    let resource: Resource
    let subresource: String
    let updater: FieldUpdater
    let now: String

    init(_ resource: Resource, subresource: String, now: String, types: @escaping (String) -> FieldType?) {
        self.resource = resource
        self.subresource = subresource
        self.now = now
        updater = FieldUpdater(types: types, excluded: Self.excluded(resource, subresource))
    }

    private var version: String { resource.type.apiVersion }
    private var isCustom: Bool { resource.custom != nil }

    /// The fields that writes through an endpoint do not touch.
    static func excluded(_ resource: Resource, _ subresource: String) -> FieldSet {
        func set(_ paths: [[String]]) -> FieldSet { FieldSet(paths: paths.map { $0.map { .field($0) } }) }
        switch subresource {
        case "":
            if resource.type.kind == "CertificateSigningRequest" { return set([["spec"], ["status"]]) }
            return resource.traits.hasStatus ? set([["status"]]) : FieldSet()
        case "finalize": return set([["status"]])
        case "status":
            if resource.custom != nil { return set([["metadata"], ["spec"]]) }
            switch resource.type.kind {
            case "Pod":
                return set([["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"]])
            case "Deployment": return set([["spec"], ["metadata", "labels"]])
            default: return set([["spec"]])
            }
        default: return FieldSet()
        }
    }

    private static let stripped = FieldSet(
        paths: [["apiVersion"], ["kind"], ["metadata"]].map { $0.map { PathElement.field($0) } }
            + [
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                "managedFields", "resourceVersion",
            ].map { [.field("metadata"), .field($0)] }
    )

    private static let emptyObjects = EmptyObjects()

    /// What a new object is compared with: everything the API prints of an empty one.
    static func emptyObject(_ resource: Resource) -> JSON {
        guard resource.custom == nil, let schema = SchemaTable.builtIn.schema(resource.type) else { return [:] }
        return emptyObjects.object(resource.type, schema)
    }

    /// The object without its managed fields.
    static func bare(_ object: JSON) -> JSON {
        guard object[path: "metadata", "managedFields"] != nil else { return object }
        var result = object
        result.set(nil, at: ["metadata", "managedFields"])
        return result
    }

    /// The managers after `old` (`nil` where it is new) became `new` by a write of `manager`.
    func update(_ old: JSON?, _ new: JSON, manager: String) -> JSON? {
        let stored = old?[path: "metadata", "managedFields"]
        let given = subresource.isEmpty ? new[path: "metadata", "managedFields"] : nil
        let asked = given.map { $0.isNull ? nil : $0 } ?? nil
        let before = asked.flatMap(Self.taken) ?? (try? ManagedFields(json: stored)) ?? ManagedFields()
        if old != nil, before.isEmpty { return nil }
        let live = old.map(Self.bare) ?? Self.emptyObject(resource)
        let bare = Self.bare(new)
        var managers = before
        let placeholder = ManagedFields.Key("\u{0}", isApply: false, apiVersion: version, subresource: subresource)
        updater.update(live, bare, version, &managers, me: placeholder)
        let gained = managers.entries.removeValue(forKey: placeholder)?.set.subtracting(Self.stripped) ?? FieldSet()
        if !gained.isEmpty {
            let key = ManagedFields.Key(manager, isApply: false, apiVersion: version, subresource: subresource)
            let set = (managers.entries[key]?.set ?? FieldSet()).union(gained)
            managers.entries[key] = .init(apiVersion: version, time: now, set: set)
            Self.cap(&managers)
        }
        return managers.json(isCustom: isCustom)
    }

    /// The managers that a request itself gives: `[]` and `[{}]` ask for none; `nil` for what cannot be read.
    private static func taken(_ json: JSON) -> ManagedFields? {
        if json == [] || json == [[:]] { return ManagedFields() }
        guard let managers = try? ManagedFields(json: json), !managers.isEmpty else { return nil }
        return managers
    }

    /// Of more than ten updaters the oldest are merged, one bucket for each version.
    private static func cap(_ managers: inout ManagedFields, limit: Int = 10) {
        let updaters = managers.entries.filter { !$0.key.isApply }
        guard updaters.count > limit else { return }
        var count = updaters.count
        var first: [String: ManagedFields.Key] = [:]
        let oldest = updaters.sorted {
            ([$0.value.time ?? ""] + $0.key.order).lexicographicallyPrecedes([$1.value.time ?? ""] + $1.key.order)
        }
        for (key, entry) in oldest where count > limit {
            let bucket = ManagedFields.Key(
                "ancient-changes",
                isApply: false,
                apiVersion: entry.apiVersion,
                subresource: ""
            )
            guard let known = first[entry.apiVersion] else {
                first[entry.apiVersion] = key
                continue
            }
            if known != bucket, let other = managers.entries.removeValue(forKey: known) {
                managers.entries[bucket] = other
                first[entry.apiVersion] = bucket
            }
            managers.entries[key] = nil
            let others = managers.entries[bucket]?.set ?? FieldSet()
            managers.entries[bucket]?.set = others.union(entry.set)
            managers.entries[bucket]?.time = entry.time
            count -= 1
        }
    }

    /// Applies `config`; the result carries its managed fields. `live` is `nil` where there is no object.
    func apply(
        _ live: JSON?,
        _ config: JSON,
        manager: String,
        isForced: Bool
    ) throws(KubeStatus) -> (object: JSON, isChanged: Bool) {
        var managers: ManagedFields
        do {
            managers = try ManagedFields(json: live?[path: "metadata", "managedFields"])
        } catch {
            throw .fault("failed to decode managed fields: \(error.text)")
        }
        let bare = live.map(Self.bare) ?? Self.emptyObject(resource)
        if live != nil, managers.isEmpty { claimAll(bare, &managers) }
        let key = ManagedFields.Key(manager, isApply: true, apiVersion: version, subresource: subresource)
        let new: JSON?
        do {
            new = try applied(bare, config, &managers, key, isForced)
        } catch {
            throw error.status
        }
        if let set = managers.entries[key]?.set {
            let kept = set.subtracting(Self.stripped)
            if kept.isEmpty { managers.entries[key] = nil } else { managers.entries[key]?.set = kept }
        }
        if new != nil, managers.entries[key] != nil { managers.entries[key]?.time = now }
        var object = new ?? bare
        if manager == "kubectl" { Self.noteApplied(config, resource, &object) }
        object.set(managers.json(isCustom: isCustom), at: ["metadata", "managedFields"])
        return (object, new != nil)
    }

    /// Before the first apply whatever the object has belongs to nobody in particular.
    private func claimAll(_ live: JSON, _ managers: inout ManagedFields) {
        let key = ManagedFields.Key(
            "before-first-apply",
            isApply: false,
            apiVersion: version,
            subresource: subresource
        )
        updater.update(Self.emptyObject(resource), live, version, &managers, me: key)
        let set = managers.entries[key]?.set.subtracting(Self.stripped) ?? FieldSet()
        managers.entries[key] = set.isEmpty ? nil : .init(apiVersion: version, time: now, set: set)
    }

    private static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

    /// kubectl may take over what it applied itself on the client's side, unless somebody changed it since.
    private func applied(
        _ live: JSON,
        _ config: JSON,
        _ managers: inout ManagedFields,
        _ key: ManagedFields.Key,
        _ isForced: Bool
    ) throws(ApplyConflicts) -> JSON? {
        do {
            return try updater.apply(live, config, version, &managers, me: key, isForced: isForced)
        } catch {
            guard key.manager == "kubectl", let allowed = allowed(live) else { throw error }
            let left = error.conflicts.filter { !allowed.contains(path: $0.path[...]) }
            guard left.isEmpty else { throw ApplyConflicts(conflicts: left) }
            return try updater.apply(live, config, version, &managers, me: key, isForced: true)
        }
    }

    private func allowed(_ live: JSON) -> FieldSet? {
        guard let text = live[path: "metadata", "annotations", Self.lastApplied]?.string,
            let before = try? JSON(parsing: text), before["apiVersion"]?.string == version,
            let type = updater.types(version), type.problems(before).isEmpty
        else { return nil }
        let plain = BodyDecoder.untyped(before)
        let change = type.comparison(plain, live)
        return type.fieldSet(plain).subtracting(change.changed).subtracting(change.removed)
    }

    /// Keeps the annotation of client-side apply true, for clients that still use it.
    private static func noteApplied(_ config: JSON, _ resource: Resource, _ object: inout JSON) {
        let path = ["metadata", "annotations", lastApplied]
        guard object[path: path]?.string?.isEmpty == false else { return }
        var text = StoredJSON.typed(config, resource.type)
        text.set(nil, at: path)
        object.set(.string(text.sortedByKey.text + "\n"), at: path)
        let size = (object[path: "metadata", "annotations"]?.stringMap ?? [:]).reduce(0) {
            $0 + $1.key.utf8.count + $1.value.utf8.count
        }
        if size > 256 * 1024 { object.set(nil, at: path) }
    }
}
