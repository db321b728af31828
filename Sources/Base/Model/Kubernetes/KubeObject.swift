// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One Kubernetes object: a JSON object with views of what every object has.
package struct KubeObject: Sendable, Hashable {
    package var json: JSON

    package init(_ json: JSON) { self.json = json }

    /// An object of that type with nothing but its metadata.
    package init(_ type: ResourceType, namespace: String? = nil, name: String, labels: [String: String] = [:]) {
        var metadata: JSON = ["name": .string(name)]
        if type.isNamespaced, let namespace { metadata["namespace"] = .string(namespace) }
        if !labels.isEmpty { metadata["labels"] = JSON(labels) }
        json = ["apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": metadata]
    }

    package subscript(_ key: String) -> JSON? {
        get { json[key] }
        set { json[key] = newValue }
    }

    package subscript(path path: String...) -> JSON? { json[path: path] }

    package var apiVersion: String { json["apiVersion"]?.string ?? "" }
    package var kind: String { json["kind"]?.string ?? "" }
    package var metadata: JSON { json["metadata"] ?? [:] }
    package var name: String { metadata["name"]?.string ?? "" }
    package var namespace: String? { metadata["namespace"]?.string }
    package var uid: String { metadata["uid"]?.string ?? "" }
    package var resourceVersion: ResourceVersion { ResourceVersion(metadata["resourceVersion"]?.string ?? "") }
    package var generation: Int { metadata["generation"]?.int ?? 0 }
    package var labels: [String: String] { metadata["labels"]?.stringMap ?? [:] }
    package var annotations: [String: String] { metadata["annotations"]?.stringMap ?? [:] }
    package var finalizers: [String] { metadata["finalizers"]?.array?.compactMap(\.string) ?? [] }
    package var creationTimestamp: Timestamp? { metadata["creationTimestamp"]?.string.flatMap { Timestamp($0) } }
    package var deletionTimestamp: Timestamp? { metadata["deletionTimestamp"]?.string.flatMap { Timestamp($0) } }
    package var isTerminating: Bool { metadata["deletionTimestamp"]?.string != nil }
    package var spec: JSON { json["spec"] ?? [:] }
    package var status: JSON { json["status"] ?? [:] }

    package var ownerReferences: [JSON] { metadata["ownerReferences"]?.array ?? [] }
    /// The owner reference with `controller: true`, if there is one.
    package var controller: JSON? { ownerReferences.first { $0["controller"]?.bool == true } }

    /// The condition of that type in `status.conditions`.
    package func condition(_ type: String) -> JSON? {
        status["conditions"]?.array?.first { $0["type"]?.string == type }
    }
}

/// A page of objects, all read at one revision.
package struct ObjectList: Sendable {
    package var items: [KubeObject]
    package var resourceVersion: ResourceVersion
    /// The token of the next page; `nil` on the last.
    package var continuation: String?
    package var remaining: Int?

    package init(
        items: [KubeObject],
        resourceVersion: ResourceVersion,
        continuation: String? = nil,
        remaining: Int? = nil
    ) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continuation = continuation
        self.remaining = remaining
    }
}

/// What a watch reports.
package enum WatchEvent: Sendable {
    case added(KubeObject)
    case modified(KubeObject)
    case deleted(KubeObject)
    /// Nothing older than this revision is still to come.
    case bookmark(ResourceVersion)
}

/// The `Status` object with which a Kubernetes API answers a request it does not fulfil.
package struct KubeStatus: Error, Sendable, Hashable, CustomStringConvertible {
    package struct Cause: Sendable, Hashable {
        package var reason: String
        package var message: String
        package var field: String?

        package init(reason: String, message: String, field: String? = nil) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    package var code: Int
    /// Such as `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Expired`; may be empty.
    package var reason: String
    package var message: String
    package var causes: [Cause]
    /// The other members of `details` (`name`, `group`, `kind`, `uid`, `retryAfterSeconds`).
    package var details: JSON
    /// With which an expired list can go on, where the API offers that.
    package var continuation: String?

    package init(code: Int, reason: String, message: String, causes: [Cause] = [], details: JSON = [:]) {
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.details = details
    }

    package var description: String { message }
}

extension Failure {
    /// The `Status` behind the failure, where a Kubernetes API gave one.
    package var status: KubeStatus? { cause as? KubeStatus }

    /// Translates an API's `Status`.
    package init(_ status: KubeStatus) {
        let code: Code =
            switch status.code {
            case 401, 403: .denied
            case 404: .notFound
            case 409: .conflict
            case 410: .expired
            case 400, 405, 406, 413, 415, 422: .invalidInput
            case 408, 504: .deadlineExceeded
            case 429, 503: .unavailable
            default: .fault
            }
        self.init(code, status.message, cause: status)
    }
}
