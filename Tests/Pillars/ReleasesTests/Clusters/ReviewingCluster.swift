// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import TestKit

/// A cluster that answers reviews by a rule of the test's; everything else goes to a fake.
final class ReviewingCluster: ClusterAPI {
    let fake = FakeCluster()
    private let answer: @Sendable (KubeObject) throws -> JSON
    private let asked = Mutex(0)

    init(_ answer: @escaping @Sendable (KubeObject) throws -> JSON) { self.answer = answer }

    /// How many reviews there were.
    var reviews: Int { asked.withLock(\.self) }

    func create(_ object: KubeObject, as type: ResourceType, options: WriteOptions) async throws -> KubeObject {
        guard [.selfSubjectReviews, .selfSubjectAccessReviews].contains(type) else {
            return try await fake.create(object, as: type, options: options)
        }
        asked.withLock { $0 += 1 }
        var object = object
        object["status"] = try answer(object)
        return object
    }

    func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject {
        try await fake.get(reference, subresource: subresource)
    }

    func list(_ query: ListQuery) async throws -> ObjectList { try await fake.list(query) }

    func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    > { try await fake.watch(query, after: version) }

    func update(_ object: KubeObject, as type: ResourceType, subresource: String?, options: WriteOptions) async throws
        -> KubeObject
    { try await fake.update(object, as: type, subresource: subresource, options: options) }

    func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject {
        try await fake.patch(reference, subresource: subresource, type, body, options: options)
    }

    func delete(_ reference: ObjectReference, options: DeleteOptions) async throws {
        try await fake.delete(reference, options: options)
    }

    func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await fake.logs(pod, options)
    }
}
