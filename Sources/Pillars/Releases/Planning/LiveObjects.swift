// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// What is stored of the objects that a release wants, read with as few requests as is sensible.
struct LiveObjects: Sendable {
    private(set) var objects: [ObjectReference: KubeObject] = [:]
    /// The namespaces that do not exist yet, of those that were asked for.
    private(set) var missingNamespaces: Set<String> = []

    /// Above so many of a kind in one namespace, one list costs less than reading each.
    private static let listThreshold = 4
    private static let pageSize = 500
    static let parallel = 8

    subscript(_ reference: ObjectReference) -> KubeObject? { objects[reference] }

    func isMissing(namespaceOf reference: ObjectReference) -> Bool {
        reference.namespace.map(missingNamespaces.contains) ?? false
    }

    static func read(_ wanted: [ObjectReference], from cluster: any ClusterAPI, _ retry: CallRetry) async throws
        -> LiveObjects
    {
        var live = LiveObjects()
        let namespaces = Set(wanted.compactMap(\.namespace)).sorted()
        let found = try await inParallel(namespaces, limit: parallel) { name in
            try await retry("look for the namespace '\(name)'") { try await NamespaceSight.of(name, in: cluster) }
        }
        for (name, sight) in zip(namespaces, found) where sight.isMissing { live.missingNamespaces.insert(name) }
        let questions = live.questions(wanted)
        let answers = try await inParallel(questions, limit: parallel) { try await $0.ask(cluster, retry) }
        for (reference, object) in answers.joined() { live.objects[reference] = object }
        return live
    }

    private struct Group: Hashable {
        var type: ResourceType
        var namespace: String?
    }

    private func questions(_ wanted: [ObjectReference]) -> [Question] {
        var groups: [Group: [ObjectReference]] = [:]
        var order: [Group] = []
        for reference in wanted where !isMissing(namespaceOf: reference) {
            let group = Group(type: reference.type, namespace: reference.namespace)
            if groups[group] == nil { order.append(group) }
            groups[group, default: []].append(reference)
        }
        return order.flatMap { group -> [Question] in
            let references = groups[group] ?? []
            guard references.count >= Self.listThreshold else { return references.map { .one($0) } }
            return [.many(group.type, group.namespace, Set(references))]
        }
    }

    private enum Question: Sendable {
        case one(ObjectReference)
        case many(ResourceType, String?, Set<ObjectReference>)

        func ask(_ cluster: any ClusterAPI, _ retry: CallRetry) async throws -> [(ObjectReference, KubeObject)] {
            switch self {
            case .one(let reference):
                let object = try await retry("look at \(reference.words)") { try await cluster.find(reference) }
                return object.map { [(reference, $0)] } ?? []
            case .many(let type, let namespace, let wanted):
                return try await retry("look at the \(type.plural) in '\(namespace ?? "the cluster")'") {
                    try await Self.list(type, namespace, wanted, cluster)
                }
            }
        }

        private static func list(
            _ type: ResourceType,
            _ namespace: String?,
            _ wanted: Set<ObjectReference>,
            _ cluster: any ClusterAPI
        ) async throws -> [(ObjectReference, KubeObject)] {
            var query = ListQuery(type, namespace: namespace, limit: LiveObjects.pageSize)
            var found: [(ObjectReference, KubeObject)] = []
            while true {
                let page: ObjectList
                do {
                    page = try await cluster.list(query)
                } catch let failure as Failure where failure.code == .notFound {
                    return []  // a kind that is not served has no objects
                }
                for object in page.items {
                    let reference = ObjectReference(type, namespace: object.namespace, name: object.name)
                    if wanted.contains(reference) { found.append((reference, object)) }
                }
                guard let token = page.continuation else { return found }
                query.continuation = token
            }
        }
    }
}

/// Does the work for each element, at most so many at a time; answers are in the order of the elements.
///
/// After a failure no further work is begun, what is under way is awaited, and the first failure is thrown: nothing is cut
/// off in the middle of a write. Cancellation is different: it cuts.
func inParallel<Element: Sendable, Value: Sendable>(
    _ elements: [Element],
    limit: Int,
    _ work: @escaping @Sendable (Element) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
        var next = 0
        func begin() {
            guard next < elements.count else { return }
            let place = next
            next += 1
            group.addTask {
                do {
                    return (place, .success(try await work(elements[place])))
                } catch {
                    return (place, .failure(error))
                }
            }
        }
        for _ in 0..<min(limit, elements.count) { begin() }
        var values = [Value?](repeating: nil, count: elements.count)
        var failure: (place: Int, error: any Error)?
        while let (place, result) = try await group.next() {
            switch result {
            case .success(let value): values[place] = value
            case .failure(let error) where failure.map({ place < $0.place }) ?? true: failure = (place, error)
            case .failure: break
            }
            if failure == nil { begin() }
        }
        if let failure { throw failure.error }
        return values.compactMap(\.self)
    }
}
