// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

extension KubernetesServer {
    private static let discoveryGroup = "apidiscovery.k8s.io"

    /// Answers what is served: `/api`, `/apis`, a group, or a group's version.
    func discovery(_ route: Route, _ request: APIRequest) throws(KubeStatus) -> APIResponse {
        let snapshot = catalog.snapshot
        switch route {
        case .coreVersions, .groups:
            if let version = Self.aggregatedVersion(request.accept) {
                return aggregated(snapshot, isCore: route == .coreVersions, version)
            }
        default: break
        }
        guard let form = Representation.choose(request.accept, canTransform: false) else {
            guard !Representation.isKnown(request.accept) else { throw .unknownForm(Representation.available) }
            throw .notAcceptable(Representation.alternatives(to: request.accept))
        }
        let json: JSON
        switch route {
        case .coreVersions: json = coreVersions
        case .groups: json = groups(snapshot)
        case .group(let name):
            guard !name.isEmpty, let group = snapshot.groups.first(where: { $0.name == name }) else {
                return Self.noPage
            }
            json = .object(Self.typed("APIGroup", Self.group(group)))
        case .resources(let group, let version):
            guard snapshot.groups.contains(where: { $0.name == group && $0.versions.contains(version) }) else {
                return try Self.noSuchVersion(group, snapshot)
            }
            json = Self.resources(group, version, snapshot)
        default: return Self.noPage
        }
        return Self.response(json, contentType: form.contentType)
    }

    private static func noSuchVersion(_ group: String, _ snapshot: Catalog.Snapshot) throws(KubeStatus) -> APIResponse {
        guard snapshot.builtInGroups.contains(group) else { return noPage }
        throw .noSuchResource
    }

    private static func typed(_ kind: String, _ members: JSONObject) -> JSONObject {
        var object: JSONObject = ["kind": .string(kind), "apiVersion": "v1"]
        for (key, value) in members { object[key] = value }
        return object
    }

    private var coreVersions: JSON {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [
                ["clientCIDR": "0.0.0.0/0", "serverAddress": .string(configuration.address)]
            ],
        ]
    }

    private func groups(_ snapshot: Catalog.Snapshot) -> JSON {
        let all = snapshot.groups.filter { !$0.name.isEmpty }.map { JSON.object(Self.group($0)) }
        return .object(Self.typed("APIGroupList", ["groups": .array(all)]))
    }

    private static func group(_ group: (name: String, versions: [String])) -> JSONObject {
        let versions: [JSON] = group.versions.map {
            ["groupVersion": .string("\(group.name)/\($0)"), "version": .string($0)]
        }
        return ["name": .string(group.name), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
    }

    private static func resources(_ group: String, _ version: String, _ snapshot: Catalog.Snapshot) -> JSON {
        var list: [JSON] = []
        for resource in snapshot.resources(group: group, version: version).sorted(by: {
            $0.type.plural < $1.type.plural
        }) {
            list.append(entry(resource))
            let subresources =
                resource.custom == nil ? resource.subresources.sorted { $0.name < $1.name } : resource.subresources
            list += subresources.map { entry($0, of: resource) }
        }
        var members: JSONObject = [
            "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"), "resources": .array(list),
        ]
        guard !group.isEmpty else {
            members = ["kind": "APIResourceList", "groupVersion": .string(version), "resources": .array(list)]
            return .object(members)
        }
        return .object(typed("APIResourceList", members))
    }

    private static func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

    private static func entry(_ resource: Resource) -> JSON {
        var entry: JSONObject = [
            "name": .string(resource.type.plural), "singularName": .string(resource.singular),
            "namespaced": .bool(resource.type.isNamespaced), "kind": .string(resource.type.kind),
            "verbs": texts(resource.verbs),
        ]
        if !resource.shortNames.isEmpty { entry["shortNames"] = texts(resource.shortNames) }
        if !resource.categories.isEmpty { entry["categories"] = texts(resource.categories) }
        if !resource.storageHash.isEmpty { entry["storageVersionHash"] = .string(resource.storageHash) }
        return .object(entry)
    }

    private static func entry(_ subresource: Resource.Subresource, of resource: Resource) -> JSON {
        var entry: JSONObject = [
            "name": .string("\(resource.type.plural)/\(subresource.name)"), "singularName": "",
            "namespaced": .bool(resource.type.isNamespaced),
        ]
        if let group = subresource.group { entry["group"] = .string(group) }
        if let version = subresource.version { entry["version"] = .string(version) }
        entry["kind"] = .string(subresource.kind)
        entry["verbs"] = texts(subresource.verbs)
        return .object(entry)
    }
}

extension KubernetesServer {
    /// The aggregated form's version that a client prefers to the plain one; `nil`: the plain one.
    private static func aggregatedVersion(_ accept: String) -> String? {
        for type in MediaType.list(accept) where type.name == "application/json" || type.name == "*/*" {
            guard type.parameters["as"] == "APIGroupDiscoveryList", type.parameters["g"] == discoveryGroup else {
                return nil
            }
            if let version = type.parameters["v"], version == "v2" || version == "v2beta1" { return version }
        }
        return nil
    }

    /// Everything in one document, which spares clients a request per group.
    private func aggregated(_ snapshot: Catalog.Snapshot, isCore: Bool, _ version: String) -> APIResponse {
        let items = snapshot.groups.filter { $0.name.isEmpty == isCore }.map { group -> JSON in
            let versions = group.versions.map { version -> JSON in
                let resources = snapshot.resources(group: group.name, version: version)
                    .sorted { $0.type.plural < $1.type.plural }.map { Self.aggregatedEntry($0) }
                return ["version": .string(version), "resources": .array(resources), "freshness": "Current"]
            }
            return [
                "metadata": group.name.isEmpty ? [:] : ["name": .string(group.name)], "versions": .array(versions),
            ]
        }
        let json: JSON = [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("\(Self.discoveryGroup)/\(version)"),
            "metadata": [:], "items": .array(items),
        ]
        let type = "application/json;g=\(Self.discoveryGroup);v=\(version);as=APIGroupDiscoveryList"
        let bytes = json.bytes
        let etag = ContentHash.digest(of: bytes).hex.uppercased()
        return APIResponse(
            status: 200,
            contentType: type,
            headers: [("ETag", "\"\(etag)\""), ("Vary", "Accept")],
            body: .bytes(bytes)
        )
    }

    private static func aggregatedEntry(_ resource: Resource) -> JSON {
        // Built-in kinds leave their own group and version out here, custom ones say them.
        func kind(_ group: String?, _ version: String?, _ kind: String) -> JSON {
            let isCustom = resource.custom != nil
            return [
                "group": .string(group ?? (isCustom ? resource.type.group : "")),
                "version": .string(version ?? (isCustom ? resource.type.version : "")), "kind": .string(kind),
            ]
        }
        var entry: JSONObject = [
            "resource": .string(resource.type.plural), "responseKind": kind(nil, nil, resource.type.kind),
            "scope": .string(resource.type.isNamespaced ? "Namespaced" : "Cluster"),
            "singularResource": .string(resource.singular), "verbs": texts(resource.verbs),
        ]
        if !resource.shortNames.isEmpty { entry["shortNames"] = texts(resource.shortNames) }
        if !resource.categories.isEmpty { entry["categories"] = texts(resource.categories) }
        if !resource.subresources.isEmpty {
            entry["subresources"] = .array(
                resource.subresources.sorted { $0.name < $1.name }.map { subresource in
                    [
                        "subresource": .string(subresource.name),
                        "responseKind": kind(subresource.group, subresource.version, subresource.kind),
                        "verbs": texts(subresource.verbs),
                    ]
                }
            )
        }
        return .object(entry)
    }
}
