// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The embedded cluster's objects for code in the same process: the same rules as over HTTP, without text in between.
struct LocalClusterAPI: ClusterAPI {
    let server: KubernetesServer
    /// Whose writes these are, where they name no field manager.
    let client: String

    private func parameters(_ options: WriteOptions) -> WriteParameters {
        var parameters = WriteParameters()
        parameters.isDryRun = options.isDryRun
        parameters.validation = options.fieldValidation ?? .warn
        parameters.fieldManager = options.fieldManager ?? ""
        parameters.client = client
        parameters.isForced = options.isForced
        return parameters
    }

    /// Runs a call of the server and translates its refusal.
    private func calling<Value>(_ work: () async throws(KubeStatus) -> Value) async throws -> Value {
        do {
            return try await work()
        } catch {
            throw Failure(error)
        }
    }

    private func resource(_ type: ResourceType) throws(KubeStatus) -> Resource {
        guard let resource = server.catalog.resource(of: type) else { throw .noSuchResource }
        return resource
    }

    private func object(_ stored: [UInt8], _ type: ResourceType) throws(KubeStatus) -> KubeObject {
        let object = try StoredJSON.parse(stored, as: type)
        return KubeObject(server.catalog.resource(of: type)?.view?.shown(object) ?? object)
    }

    func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject {
        try await calling { () throws(KubeStatus) in
            let resource = try resource(reference.type)
            let stored = try server.find(resource, reference.namespace, reference.name)
            guard subresource == "scale", let paths = resource.scale else {
                return try object(stored.value, reference.type)
            }
            return KubeObject(paths.view(of: try StoredJSON.parse(stored.value, as: nil)))
        }
    }

    func list(_ query: ListQuery) async throws -> ObjectList {
        try await calling { () throws(KubeStatus) in
            let resource = try resource(query.type)
            let page = try server.page(resource, query.namespace, try options(query, resource))
            var items: [KubeObject] = []
            for item in page.items { items.append(try object(item.value, query.type)) }
            return ObjectList(
                items: items,
                resourceVersion: ResourceVersion(page.revision.description),
                continuation: page.continuation?.text,
                remaining: page.remaining
            )
        }
    }

    private func options(_ query: ListQuery, _ resource: Resource) throws(KubeStatus) -> ListOptions {
        var options = ListOptions()
        options.labels = query.labelSelector
        options.fields = try FieldSelector(parsing: query.fieldSelector)
        try resource.fields.check(options.fields)
        options.limit = query.limit
        options.continuation = try query.continuation.map { (text) throws(KubeStatus) in
            try Continuation(parsing: text)
        }
        return options
    }

    func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    > {
        let watch = try await calling { () throws(KubeStatus) in
            let resource = try resource(query.type)
            var options = try options(query, resource)
            options.version = try ListOptions.version(version.text)
            options.wantsBookmarks = true
            options.sendsInitialEvents = false
            return try server.watch(resource, query.namespace, options)
        }
        let feed = WatchFeed(watch: watch, type: query.type)
        return AsyncThrowingStream { await feed.next() }
    }

    func create(_ object: KubeObject, as type: ResourceType, options: WriteOptions) async throws -> KubeObject {
        try await calling { () throws(KubeStatus) in
            let resource = try resource(type)
            let parameters = self.parameters(options)
            let decoded = try BodyDecoder(resource, parameters.validation).decode(object.json)
            if type == .bindings {
                try await server.bind(object.name, object.namespace, to: decoded.object, parameters)
                return object
            }
            let written = try await server.create(decoded, resource, object.namespace, parameters)
            return try self.object(written.value, type)
        }
    }

    func update(
        _ object: KubeObject,
        as type: ResourceType,
        subresource: String?,
        options: WriteOptions
    ) async throws -> KubeObject {
        try await calling { () throws(KubeStatus) in
            let resource = try resource(type)
            let parameters = self.parameters(options)
            let written: Written
            switch subresource {
            case "status", "finalize":
                let decoded = try BodyDecoder(resource, parameters.validation).decode(object.json)
                written = try await server.updateStatus(
                    decoded,
                    resource,
                    object.namespace,
                    object.name,
                    parameters,
                    part: subresource == "status" ? .status : .finalize
                )
            case "scale":
                written = try await server.scale(resource, object.namespace, object.name, parameters) { _ in
                    (BodyDecoder.untyped(object.json), [])
                }
                guard let paths = resource.scale else { throw .noSuchResource }
                return KubeObject(paths.view(of: try StoredJSON.parse(written.value, as: nil)))
            case nil:
                let decoded = try BodyDecoder(resource, parameters.validation).decode(object.json)
                written = try await server.update(decoded, resource, object.namespace, object.name, parameters)
            default: throw .noSuchResource
            }
            return try self.object(written.value, type)
        }
    }

    func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject {
        try await calling { () throws(KubeStatus) in
            let resource = try resource(reference.type)
            guard subresource == nil || subresource == "status" else { throw .noSuchResource }
            if type == .apply {
                let applied = try await server.applyFields(
                    body,
                    resource,
                    reference.namespace,
                    reference.name,
                    parameters(options),
                    part: subresource == "status" ? .status : .whole
                )
                return try object(applied.value, reference.type)
            }
            let written = try await server.patch(
                PatchBody(type, body),
                resource,
                reference.namespace,
                reference.name,
                parameters(options),
                part: subresource == "status" ? .status : .whole
            )
            return try object(written.value, reference.type)
        }
    }

    func delete(_ reference: ObjectReference, options: DeleteOptions) async throws {
        _ = try await calling { () throws(KubeStatus) in
            let resource = try resource(reference.type)
            var parameters = DeleteParameters()
            parameters.graceSeconds = options.gracePeriod.map { Int(max(0, $0.components.seconds)) }
            parameters.propagation = options.propagation.flatMap { .init(rawValue: $0.rawValue) }
            parameters.uid = options.uid
            parameters.version = options.resourceVersion?.text
            return try await server.delete(resource, reference.namespace, reference.name, parameters)
        }
    }

    func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await calling { () throws(KubeStatus) in
            try await server.logs(pod.namespace ?? "", pod.name, options)
        }
    }
}

/// A watch's items as objects, one at a time.
private actor WatchFeed {
    private let watch: ObjectWatch
    private let type: ResourceType
    private var ready: [WatchItem] = []

    init(watch: ObjectWatch, type: ResourceType) {
        self.watch = watch
        self.type = type
    }

    func next() async -> WatchEvent? {
        while true {
            if ready.isEmpty {
                guard let items = await watch.next() else { return nil }
                ready = items.reversed()
            }
            guard let item = ready.popLast() else { continue }
            if let event = event(item) { return event }
        }
    }

    private func event(_ item: WatchItem) -> WatchEvent? {
        switch item {
        case .added(let stored): object(stored).map { .added($0) }
        case .modified(let stored): object(stored).map { .modified($0) }
        case .deleted(let stored): object(stored).map { .deleted($0) }
        case .bookmark(let revision, _): .bookmark(ResourceVersion(revision.description))
        }
    }

    private func object(_ stored: [UInt8]) -> KubeObject? {
        (try? StoredJSON.parse(stored, as: type)).map { KubeObject($0) }
    }
}
