// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports
import Synchronization

extension FakeCluster {
    package func create(
        _ object: KubeObject,
        as type: ResourceType,
        options: WriteOptions
    ) async throws -> KubeObject {
        try begin(Call(verb: .create, type: type, namespace: object.namespace, name: object.name))
        if type.plural == "bindings" { return try bind(object) }
        return try change { state in
            let now = clock.now
            let object = state.tracked(object, from: nil, manager: options.fieldManager, at: now)
            return try state.create(object, as: type, at: now, isDryRun: options.isDryRun)
        }
    }

    /// A `Binding` names its pod in its own metadata.
    private func bind(_ binding: KubeObject) throws -> KubeObject {
        try change { state in
            var pod = try state.find(ObjectReference(.pods, namespace: binding.namespace, name: binding.name))
            if let node = pod.spec["nodeName"]?.string, !node.isEmpty {
                throw Failure(.conflict(.pods, pod.name, "pod \(pod.name) is already assigned to node \"\(node)\""))
            }
            pod.json.set(binding["target"]?["name"], at: ["spec", "nodeName"])
            state.store(pod, as: .pods)
            return binding
        }
    }

    package func update(
        _ object: KubeObject,
        as type: ResourceType,
        subresource: String?,
        options: WriteOptions
    ) async throws -> KubeObject {
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        try begin(.init(.update, reference, subresource))
        return try change { state in
            let current = try state.find(reference)
            var next = object
            if subresource == nil {
                next = state.tracked(object, from: current, manager: options.fieldManager, at: clock.now)
            }
            return try state.replace(current, by: next, as: type, subresource, isDryRun: options.isDryRun)
        }
    }

    package func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject {
        try begin(.init(.patch, reference, subresource))
        return try change { state in
            if type == .apply, subresource == nil {
                return try state.apply(reference, KubeObject(body), options, at: clock.now)
            }
            let current = try state.find(reference)
            let base = subresource == "scale" ? current.scaleView : current
            var changed = KubeObject(type == .json ? try base.json.replacing(by: body) : base.json.merged(with: body))
            if subresource == nil, type != .json {
                changed = state.tracked(changed, from: current, manager: options.fieldManager, at: clock.now)
            }
            return try state.replace(current, by: changed, as: reference.type, subresource, isDryRun: options.isDryRun)
        }
    }

    package func delete(_ reference: ObjectReference, options: DeleteOptions) async throws {
        try begin(.init(.delete, reference, nil))
        try change { state in
            let current = try state.find(reference)
            if let uid = options.uid, uid != current.uid {
                throw Failure(.conflict(reference.type, reference.name, "the UID in the precondition does not match"))
            }
            if let version = options.resourceVersion, version != current.resourceVersion {
                throw Failure(
                    .conflict(reference.type, reference.name, "the ResourceVersion in the precondition does not match")
                )
            }
            state.delete(current, as: reference.type, options, at: clock.now)
        }
    }
}

extension FakeCluster.State {
    var resourceVersion: ResourceVersion { ResourceVersion("\(version)") }

    func find(_ reference: ObjectReference) throws -> KubeObject {
        guard let object = objects[reference.type]?[reference.objectName] else {
            throw Failure(.notFound(reference))
        }
        return object
    }

    mutating func create(
        _ object: KubeObject,
        as type: ResourceType,
        at now: Timestamp,
        isDryRun: Bool
    ) throws -> KubeObject {
        var object = object
        uids += 1
        if object.name.isEmpty, let base = object.metadata["generateName"]?.string {
            object.json.set(.string(base + String(uids + 46_000, radix: 36)), at: ["metadata", "name"])
        }
        let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
        guard !object.name.isEmpty, !type.isNamespaced || object.namespace?.isEmpty == false else {
            throw Failure(.invalid(reference, "name or namespace is missing"))
        }
        guard objects[type]?[reference.objectName] == nil else { throw Failure(.alreadyExists(reference)) }
        object.json["apiVersion"] = .string(type.apiVersion)
        object.json["kind"] = .string(type.kind)
        object.json.set(.string("uid-\(uids)"), at: ["metadata", "uid"])
        object.json.set(.string(now.description), at: ["metadata", "creationTimestamp"])
        if object["spec"] != nil { object.json.set(1, at: ["metadata", "generation"]) }
        return isDryRun ? object : store(object, as: type)
    }

    mutating func replace(
        _ current: KubeObject,
        by wanted: KubeObject,
        as type: ResourceType,
        _ subresource: String?,
        isDryRun: Bool
    ) throws -> KubeObject {
        let version = wanted.resourceVersion.text
        guard version.isEmpty || version == current.resourceVersion.text else {
            throw Failure(
                .conflict(
                    type,
                    current.name,
                    "the object has been modified; please apply your changes to the latest version and try again"
                )
            )
        }
        var next = wanted
        switch subresource {
        case "status":
            next = current
            next["status"] = wanted["status"]
        case "scale":
            next = current
            next.json.set(wanted.spec["replicas"], at: ["spec", "replicas"])
        default: next["status"] = current["status"]
        }
        for field in ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            next.json.set(current.metadata[field], at: ["metadata", field])
        }
        if next["spec"] != current["spec"] {
            next.json.set(JSON(current.generation + 1), at: ["metadata", "generation"])
        }
        next.json.set(.string(current.resourceVersion.text), at: ["metadata", "resourceVersion"])
        guard next != current, !isDryRun else { return next }
        if next.isTerminating, next.finalizers.isEmpty, type != .pods || next.graceIsOver {
            remove(next, as: type)
            return next
        }
        return store(next, as: type)
    }

    mutating func delete(_ object: KubeObject, as type: ResourceType, _ options: DeleteOptions, at now: Timestamp) {
        var next = object
        var finalizers = object.finalizers
        if options.propagation == .foreground { finalizers.append("foregroundDeletion") }
        if options.propagation == .orphan { finalizers.append("orphan") }
        if !finalizers.isEmpty {
            next.json.set(.array(finalizers.map { .string($0) }), at: ["metadata", "finalizers"])
        }
        let isRunning = type == .pods && !(object.spec["nodeName"]?.string ?? "").isEmpty
        let grace = isRunning ? options.gracePeriod.map { Int($0.components.seconds) } ?? 30 : 0
        guard !finalizers.isEmpty || grace > 0 else { return remove(next, as: type) }
        if !next.isTerminating {
            next.json.set(.string((now + .seconds(grace)).description), at: ["metadata", "deletionTimestamp"])
        }
        next.json.set(JSON(grace), at: ["metadata", "deletionGracePeriodSeconds"])
        if next != object { store(next, as: type) }
    }

    @discardableResult
    mutating func store(_ object: KubeObject, as type: ResourceType) -> KubeObject {
        var object = object
        version += 1
        object.json.set(.string("\(version)"), at: ["metadata", "resourceVersion"])
        let isNew = objects[type]?[ObjectName(object)] == nil
        objects[type, default: [:]][ObjectName(object)] = object
        record(isNew ? .added(object) : .modified(object), of: type)
        return object
    }

    private mutating func remove(_ object: KubeObject, as type: ResourceType) {
        var object = object
        version += 1
        object.json.set(.string("\(version)"), at: ["metadata", "resourceVersion"])
        objects[type]?[ObjectName(object)] = nil
        record(.deleted(object), of: type)
    }

    private mutating func record(_ event: WatchEvent, of type: ResourceType) {
        history.append((version, type, event))
        for watch in watches.values where watch.query.type == type { outbox.append((watch, event)) }
    }
}

extension ObjectReference {
    fileprivate var objectName: ObjectName { ObjectName(namespace: namespace, name: name) }
}

extension KubeObject {
    fileprivate var graceIsOver: Bool { metadata["deletionGracePeriodSeconds"]?.int ?? 0 == 0 }

    /// The `autoscaling/v1` view of an object with replicas.
    var scaleView: KubeObject {
        var metadata: JSON = ["name": .string(name)]
        for field in ["namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = self.metadata[field]
        }
        let selector = LabelSelector(json: spec["selector"] ?? [:])?.text ?? ""
        return KubeObject([
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata,
            "spec": ["replicas": spec["replicas"] ?? 0],
            "status": ["replicas": status["replicas"] ?? 0, "selector": .string(selector)],
        ])
    }
}

extension JSON {
    /// RFC 7386.
    fileprivate func merged(with patch: JSON) -> JSON {
        guard case .object(let members) = patch else { return patch }
        var result: JSON = object == nil ? [:] : self
        for (key, value) in members {
            result[key] = value.isNull ? JSON?.none : (result[key] ?? [:]).merged(with: value)
        }
        return result
    }
}

extension KubeStatus {
    fileprivate static func notFound(_ reference: ObjectReference) -> KubeStatus {
        KubeStatus(code: 404, reason: "NotFound", message: "\(reference.type) \"\(reference.name)\" not found")
    }

    fileprivate static func alreadyExists(_ reference: ObjectReference) -> KubeStatus {
        KubeStatus(
            code: 409,
            reason: "AlreadyExists",
            message: "\(reference.type) \"\(reference.name)\" already exists"
        )
    }

    fileprivate static func conflict(_ type: ResourceType, _ name: String, _ why: String) -> KubeStatus {
        KubeStatus(
            code: 409,
            reason: "Conflict",
            message: "Operation cannot be fulfilled on \(type) \"\(name)\": \(why)"
        )
    }

    fileprivate static func invalid(_ reference: ObjectReference, _ why: String) -> KubeStatus {
        KubeStatus(
            code: 422,
            reason: "Invalid",
            message: "\(reference.type.kind) \"\(reference.name)\" is invalid: \(why)"
        )
    }
}
