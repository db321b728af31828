// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The objects of one cluster.
///
/// Implemented by KubernetesClient over a socket (also for the embedded cluster), and by the embedded server itself
/// for its own controllers. Every call has a deadline. Every failure is a ``Failure`` whose ``Failure/status`` holds
/// the API's own `Status` where it gave one: `notFound`, `conflict` (also `AlreadyExists`), `expired` (410),
/// `invalidInput`, `denied`, `unavailable`.
package protocol ClusterAPI: Sendable {
    /// Reads one object, or its `status` or `scale` view.
    func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject

    /// Reads one page of a collection; all pages of one list show the same revision. Items carry `apiVersion` and `kind`.
    func list(_ query: ListQuery) async throws -> ObjectList

    /// Reports what changes after `version`, in order, each change once. The stream ends without error when the server closes
    /// it; the caller resumes from the last version it saw. Throws `expired` (at once or from the stream) when `version` is
    /// too old: the caller lists anew.
    func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    >

    /// Creates the object and returns it as stored.
    func create(_ object: KubeObject, as type: ResourceType, options: WriteOptions) async throws -> KubeObject

    /// Replaces an object (or a subresource of it); a `resourceVersion` in it must be the current one, else `conflict`.
    func update(_ object: KubeObject, as type: ResourceType, subresource: String?, options: WriteOptions) async throws
        -> KubeObject

    /// Changes an object (or a subresource of it) by a patch. `PatchType.apply` creates it where it does not exist.
    func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject

    /// Asks for the object's removal; it may linger until its finalizers and grace period are through.
    func delete(_ reference: ObjectReference, options: DeleteOptions) async throws

    /// Streams a container's log as bytes.
    func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<[UInt8], any Error>

    /// Which kinds of objects the cluster serves; Kubernetes' own stable ones where the implementation cannot ask.
    var schema: any ClusterSchema { get }
}

/// Which objects of a collection are meant.
package struct ListQuery: Sendable, Hashable {
    package var type: ResourceType
    /// `nil`: all namespaces.
    package var namespace: String?
    package var labelSelector: LabelSelector
    /// Such as `spec.nodeName=local,status.phase!=Failed`.
    package var fieldSelector: String
    /// At most so many items a page; `nil`: all in one.
    package var limit: Int?
    package var continuation: String?

    package init(
        _ type: ResourceType,
        namespace: String? = nil,
        labelSelector: LabelSelector = LabelSelector(),
        fieldSelector: String = "",
        limit: Int? = nil,
        continuation: String? = nil
    ) {
        self.type = type
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.limit = limit
        self.continuation = continuation
    }
}

package enum PatchType: String, Sendable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategicMerge = "application/strategic-merge-patch+json"
    case apply = "application/apply-patch+yaml"
}

package struct WriteOptions: Sendable, Hashable {
    package enum FieldValidation: String, Sendable {
        case ignore = "Ignore"
        case warn = "Warn"
        case strict = "Strict"
    }

    package var fieldManager: String?
    package var isDryRun: Bool
    package var fieldValidation: FieldValidation?
    /// Server-side apply only: take over contested fields.
    package var isForced: Bool

    package init(
        fieldManager: String? = nil,
        isDryRun: Bool = false,
        fieldValidation: FieldValidation? = nil,
        isForced: Bool = false
    ) {
        self.fieldManager = fieldManager
        self.isDryRun = isDryRun
        self.fieldValidation = fieldValidation
        self.isForced = isForced
    }
}

package struct DeleteOptions: Sendable, Hashable {
    package enum Propagation: String, Sendable {
        case orphan = "Orphan"
        case background = "Background"
        case foreground = "Foreground"
    }

    package var gracePeriod: Duration?
    package var propagation: Propagation?
    /// The removal happens only if the object still has this uid, else `conflict`.
    package var uid: String?
    package var resourceVersion: ResourceVersion?
    package var isDryRun: Bool

    package init(
        gracePeriod: Duration? = nil,
        propagation: Propagation? = nil,
        uid: String? = nil,
        resourceVersion: ResourceVersion? = nil,
        isDryRun: Bool = false
    ) {
        self.isDryRun = isDryRun
        self.gracePeriod = gracePeriod
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}

/// The parameters of `pods/log`, with Kubernetes' meaning.
package struct LogOptions: Sendable, Hashable {
    package var container: String?
    package var follows = false
    package var isPrevious = false
    package var hasTimestamps = false
    package var tailLines: Int?
    package var since: Timestamp?
    package var limitBytes: Int?

    package init(container: String? = nil) { self.container = container }
}

extension ClusterAPI {
    package var schema: any ClusterSchema { FixedSchema() }

    package func get(_ reference: ObjectReference) async throws -> KubeObject {
        try await get(reference, subresource: nil)
    }

    /// The object, or `nil` where there is none.
    package func find(_ reference: ObjectReference) async throws -> KubeObject? {
        do {
            return try await get(reference, subresource: nil)
        } catch let failure as Failure where failure.code == .notFound {
            return nil
        }
    }

    package func create(_ object: KubeObject, as type: ResourceType) async throws -> KubeObject {
        try await create(object, as: type, options: WriteOptions())
    }

    package func update(_ object: KubeObject, as type: ResourceType) async throws -> KubeObject {
        try await update(object, as: type, subresource: nil, options: WriteOptions())
    }

    package func updateStatus(_ object: KubeObject, as type: ResourceType) async throws -> KubeObject {
        try await update(object, as: type, subresource: "status", options: WriteOptions())
    }

    package func patch(_ reference: ObjectReference, _ type: PatchType, _ body: JSON) async throws -> KubeObject {
        try await patch(reference, subresource: nil, type, body, options: WriteOptions())
    }

    package func delete(_ reference: ObjectReference) async throws {
        try await delete(reference, options: DeleteOptions())
    }
}
