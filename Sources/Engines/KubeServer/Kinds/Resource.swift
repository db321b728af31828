// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A served resource: its names, what can be done with it, and its kind's rules.
struct Resource: Sendable {
    struct Subresource: Sendable {
        var name: String
        var kind: String
        /// Where the kind is not of the resource's own group and version.
        var group: String?
        var version: String?
        var verbs: [String]

        static let readWrite = ["get", "patch", "update"]
    }

    var type: ResourceType
    var singular: String
    var listKind: String
    var shortNames: [String] = []
    var categories: [String] = []
    var verbs = Resource.allVerbs
    var subresources: [Subresource] = []
    var strategy: any KindStrategy
    var fields = SelectableFields()
    var columns: any TableColumns
    /// Which members a `scale` view shows; `nil`: there is none.
    var scale: ScalePaths?
    /// Set for resources that a CustomResourceDefinition brought.
    var custom: CustomVersion?
    /// What every answer says of a resource that is on its way out.
    var deprecation: String?
    /// Under which all objects are stored: `/registry/apps/deployments/`.
    var prefix: String
    var storageHash: String

    static let allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

    init(_ type: ResourceType, singular: String? = nil, strategy: any KindStrategy, columns: any TableColumns) {
        self.type = type
        self.singular = singular ?? type.kind.lowercased()
        listKind = "\(type.kind)List"
        self.strategy = strategy
        self.columns = columns
        prefix = "/registry/\(type.group.isEmpty ? "" : "\(type.group)/")\(type.plural)/"
        storageHash = StorageVersionHash.text(group: type.group, version: type.version, kind: type.kind)
    }

    var traits: KindTraits { strategy.traits }

    func key(namespace: String?, name: String) -> String {
        type.isNamespaced ? "\(prefix)\(namespace ?? "")/\(name)" : "\(prefix)\(name)"
    }

    func prefix(namespace: String?) -> String {
        guard type.isNamespaced, let namespace else { return prefix }
        return "\(prefix)\(namespace)/"
    }

    /// Where the real server keeps an object, as some of its errors tell.
    func publicKey(_ namespace: String?, _ name: String) -> String {
        let folders = ["services": "services/specs", "endpoints": "services/endpoints", "nodes": "minions"]
        let plural = folders[type.plural] ?? type.plural
        let folder = custom == nil ? plural : "\(type.group)/\(plural)"
        return "/registry/\(folder)/" + (type.isNamespaced ? "\(namespace ?? "")/\(name)" : name)
    }

    func has(_ subresource: String) -> Bool { subresources.contains { $0.name == subresource } }
}

/// Where a kind keeps what the `scale` subresource shows, as paths of member names.
struct ScalePaths: Sendable {
    var specReplicas: [String]
    var statusReplicas: [String]
    /// A path to a selector's text; built-in kinds derive it from `spec.selector` instead.
    var selector: [String]?
    var derivesSelector = false

    static let workload = ScalePaths(
        specReplicas: ["spec", "replicas"],
        statusReplicas: ["status", "replicas"],
        derivesSelector: true
    )
}
