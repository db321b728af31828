// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// The stored object; throws `NotFound`.
    func find(_ resource: Resource, _ namespace: String?, _ name: String) throws(KubeStatus) -> StoredObject {
        guard let stored = try read(resource.key(namespace: namespace, name: name)) else {
            throw .notFound(resource.type, name)
        }
        return stored
    }

    func read(_ key: String) throws(KubeStatus) -> StoredObject? {
        if key.hasPrefix(UsageBook.prefix) { return usageBook.object(key).map { sampled(key, $0) } }
        do {
            // Keys are ASCII, so what is not cannot be there.
            return key.utf8.allSatisfy { $0 < 0x7F } ? try log.get(key) : nil
        } catch {
            throw .fault("\(error)")
        }
    }

    private func sampled(_ key: String, _ value: [UInt8]) -> StoredObject {
        StoredObject(key: key, value: value, revision: log.revision, created: log.revision)
    }

    func getResponse(_ call: Call, _ name: String) throws(KubeStatus) -> APIResponse {
        let asked = try ListOptions.version(call.query["resourceVersion"] ?? "") ?? 0
        if asked > log.revision.number { throw .tooLargeVersion(asked, current: log.revision.number, mayCome: true) }
        let stored = try find(call.resource, call.namespace, name)
        return try present(stored.value, call)
    }

    /// One object in the form the client asked for.
    func present(
        _ stored: [UInt8],
        _ call: Call,
        status: Int = 200,
        warnings: [String] = []
    ) throws(KubeStatus) -> APIResponse {
        switch call.representation.form {
        case .object: return call.respond(stored, status: status, warnings: warnings)
        case .partial:
            let object = try StoredJSON.parse(stored, as: nil)
            let partial = Self.partial(object, call.representation.version)
            return call.respond(partial, status: status, warnings: warnings)
        case .table:
            let object = try StoredJSON.parse(stored, as: nil)
            let version = object[path: "metadata", "resourceVersion"] ?? ""
            let table = Table(call, now: clock.now)
            return call.respond(
                table.json([object], metadata: ["resourceVersion": version]),
                status: status,
                warnings: warnings
            )
        }
    }

    /// What is left of an object that only metadata was asked of.
    static func partial(_ object: JSON, _ version: String) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object["metadata"] ?? [:],
        ]
    }

    /// One page of a collection, selected but not parsed where the selectors do not ask for it.
    struct Page {
        var items: [StoredObject]
        var revision: Revision
        var continuation: Continuation?
        var remaining: Int?
    }

    func page(_ resource: Resource, _ namespace: String?, _ options: ListOptions) throws(KubeStatus) -> Page {
        let prefix = resource.prefix(namespace: namespace)
        let revision = try listRevision(options)
        let selection = Selection(resource, namespace, options)
        if let only = selection.onlyKey { return try singlePage(only, revision, selection) }
        var after = options.continuation.map { prefix + $0.after }
        // A list of any version at all comes from memory, where nobody counts; of events none is held there.
        let isHeld = options.version == 0 && options.continuation == nil && resource.type.plural != "events"
        guard let limit = options.limit, !isHeld || options.match == .exact else {
            let all = try list(prefix, revision, after, nil, options)
            return Page(items: try selection.keep(all.items), revision: all.revision)
        }
        var items: [StoredObject] = []
        while true {
            // Without selectors the first read is the page; with them, read on until it is full.
            let chunk = try list(prefix, revision, after, selection.takesAll ? limit : max(limit, 500), options)
            for (place, item) in chunk.items.enumerated() where try selection.keeps(item.value, key: item.key) {
                items.append(item)
                guard items.count == limit else { continue }
                let left = chunk.items.count - place - 1 + chunk.remaining
                guard left > 0 else { return Page(items: items, revision: chunk.revision) }
                let relative = String(item.key.dropFirst(prefix.count))
                return Page(
                    items: items,
                    revision: chunk.revision,
                    continuation: Continuation(revision: chunk.revision.number, after: relative),
                    remaining: selection.takesAll ? left : nil
                )
            }
            guard chunk.remaining > 0, let last = chunk.items.last else {
                return Page(items: items, revision: chunk.revision)
            }
            after = last.key
        }
    }

    private func singlePage(
        _ key: String,
        _ revision: Revision?,
        _ selection: Selection
    ) throws(KubeStatus) -> Page {
        if let revision, revision != log.revision {
            let all = try list(key, revision, nil, nil, ListOptions()).items.filter { $0.key == key }
            return Page(items: try selection.keep(all), revision: revision)
        }
        let current = log.revision
        let items = try read(key).map { [$0] } ?? []
        return Page(items: try selection.keep(items), revision: current)
    }

    /// Which revision the list reads; `nil`: the newest.
    private func listRevision(_ options: ListOptions) throws(KubeStatus) -> Revision? {
        if let continuation = options.continuation {
            return continuation.revision > 0 ? Revision(continuation.revision) : nil
        }
        guard let version = options.version, version > 0 else { return nil }
        let current = log.revision.number
        // Without a match, a limited list of a named version is that version's, as it always was.
        let isExact = options.match == .exact || (options.match == nil && options.limit != nil)
        guard version <= current else { throw .tooLargeVersion(version, current: current, mayCome: !isExact) }
        return isExact ? Revision(version) : nil
    }

    private func list(
        _ prefix: String,
        _ revision: Revision?,
        _ after: String?,
        _ limit: Int?,
        _ options: ListOptions
    ) throws(KubeStatus) -> (items: [StoredObject], revision: Revision, remaining: Int) {
        if prefix.hasPrefix(UsageBook.prefix) {
            let all = usageBook.objects(prefix, after: after).map { sampled($0.key, $0.value) }
            let page = limit.map { Array(all.prefix($0)) } ?? all
            return (page, log.revision, all.count - page.count)
        }
        do {
            return try log.list(prefix: prefix, at: revision, after: after, limit: limit)
        } catch LogError.compacted {
            throw Self.expired(options)
        } catch LogError.future(let current) {
            throw .tooLargeVersion(revision?.number ?? 0, current: current.number, mayCome: false)
        } catch {
            throw .fault("\(error)")
        }
    }

    private static func expired(_ options: ListOptions) -> KubeStatus {
        guard let continuation = options.continuation else {
            return .expired("The resourceVersion for the provided list is too old.")
        }
        var status = KubeStatus.expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                + "without the continue parameter, or use the continue token in this response to retrieve the remainder "
                + "of the results. Continuing with the provided token results in an inconsistent list - objects that "
                + "were created, modified, or deleted between the time the first chunk was returned and now may show "
                + "up in the list."
        )
        status.continuation = Continuation(revision: -1, after: continuation.after).text
        return status
    }

    func listResponse(_ call: Call) throws(KubeStatus) -> APIResponse {
        let page = try page(call.resource, call.namespace, call.options)
        var metadata: JSON = ["resourceVersion": .string(page.revision.description)]
        let isCustom = call.resource.custom != nil && call.representation.form == .object
        if isCustom || page.continuation != nil {
            // Lists of custom resources always have the member.
            metadata["continue"] = .string(page.continuation?.text ?? "")
        }
        if let remaining = page.remaining { metadata["remainingItemCount"] = JSON(remaining) }
        return try presentList(page.items, metadata, call)
    }

    func presentList(_ items: [StoredObject], _ metadata: JSON, _ call: Call) throws(KubeStatus) -> APIResponse {
        switch call.representation.form {
        case .object:
            let bytes = Self.spliced(items, metadata, call.resource)
            return APIResponse(status: 200, contentType: call.representation.contentType, body: .bytes(bytes))
        case .table:
            let objects = try items.map { (item) throws(KubeStatus) in try StoredJSON.parse(item.value, as: nil) }
            return call.respond(Table(call, now: clock.now).json(objects, metadata: metadata))
        case .partial:
            let version = call.representation.version
            let objects = try items.map { (item) throws(KubeStatus) in
                Self.partial(try StoredJSON.parse(item.value, as: nil), version)
            }
            return call.respond([
                "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": metadata, "items": objects.isEmpty ? .null : .array(objects),
            ])
        }
    }

    /// The list as text, out of its items' stored text. Custom resources carry their type on every item.
    private static func spliced(_ items: [StoredObject], _ metadata: JSON, _ resource: Resource) -> [UInt8] {
        let head: JSON = [
            "kind": .string(resource.listKind), "apiVersion": .string(resource.type.apiVersion), "metadata": metadata,
        ]
        var bytes = head.bytes
        let preamble = resource.custom == nil ? [UInt8(ascii: "{")] : StoredJSON.preamble(resource.type)
        bytes.reserveCapacity(bytes.count + items.reduce(32) { $0 + $1.value.count + preamble.count })
        bytes.removeLast()
        bytes.append(contentsOf: ",\"items\":[".utf8)
        for (place, item) in items.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            StoredJSON.splice(resource.shown(item.value), preamble: preamble, to: &bytes)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }
}
