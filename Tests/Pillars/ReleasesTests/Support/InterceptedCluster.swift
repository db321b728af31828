// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// A cluster whose every call can be made to fail, before or after it did its work.
final class InterceptedCluster: ClusterAPI {
    enum Fault: Sendable, Hashable {
        case refused(Failure.Code)
        /// As a server refuses whom it knows: 403, which is not to be mixed up with credentials that have ended.
        case forbidden
        /// The work is done, and its answer lost.
        case answerLost

        var error: Failure {
            switch self {
            case .refused(let code): Failure(code, "made to fail")
            case .forbidden: Failure(KubeStatus(code: 403, reason: "Forbidden", message: "made to be forbidden"))
            case .answerLost: Failure(.unavailable, "the connection was reset")
            }
        }
    }

    private let inner: any ClusterAPI
    private let fault: @Sendable (Int, String) -> Fault?
    private let afterReads: @Sendable () async -> Void
    private let names = Mutex<[String]>([])

    /// `fault` is asked before each call, with its number from 0 and its words, such as "create deployments.apps".
    init(_ inner: any ClusterAPI, fault: @escaping @Sendable (Int, String) -> Fault? = { _, _ in nil }) {
        self.inner = inner
        afterReads = {}
        self.fault = fault
    }

    /// `afterReads` is awaited between reading an object and answering with it.
    init(_ inner: any ClusterAPI, afterReads: @escaping @Sendable () async -> Void) {
        self.inner = inner
        self.afterReads = afterReads
        fault = { _, _ in nil }
    }

    var calls: [String] { names.withLock(\.self) }

    private func call<Value: Sendable>(
        _ verb: String,
        _ type: ResourceType,
        _ work: () async throws -> Value
    ) async throws -> Value {
        let name = "\(verb) \(type)"
        let number = names.withLock { names in
            names.append(name)
            return names.count - 1
        }
        let fault = fault(number, name)
        if let fault, fault != .answerLost { throw fault.error }
        let value = try await work()
        if let fault { throw fault.error }
        return value
    }

    func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject {
        let object = try await call("get", reference.type) {
            try await inner.get(reference, subresource: subresource)
        }
        await afterReads()
        return object
    }

    func list(_ query: ListQuery) async throws -> ObjectList {
        try await call("list", query.type) { try await inner.list(query) }
    }

    func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    > {
        try await call("watch", query.type) { try await inner.watch(query, after: version) }
    }

    func create(_ object: KubeObject, as type: ResourceType, options: WriteOptions) async throws -> KubeObject {
        try await call("create", type) { try await inner.create(object, as: type, options: options) }
    }

    func update(_ object: KubeObject, as type: ResourceType, subresource: String?, options: WriteOptions) async throws
        -> KubeObject
    {
        try await call("update", type) {
            try await inner.update(object, as: type, subresource: subresource, options: options)
        }
    }

    func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject {
        try await call("patch", reference.type) {
            try await inner.patch(reference, subresource: subresource, type, body, options: options)
        }
    }

    func delete(_ reference: ObjectReference, options: DeleteOptions) async throws {
        try await call("delete", reference.type) { try await inner.delete(reference, options: options) }
    }

    func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await call("logs", pod.type) {
            AsyncThrowingStream { continuation in
                continuation.yield(Array("starting\npanic: no such table: carts\n".utf8))
                continuation.finish()
            }
        }
    }
}
