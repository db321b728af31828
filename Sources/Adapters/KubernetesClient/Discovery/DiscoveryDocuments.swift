// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Reads the documents in which an API server says what it serves.
enum DiscoveryDocuments {
    /// From `APIGroupDiscoveryList`s; `nil` where one of them is something else.
    static func aggregated(_ documents: [JSON]) -> KindCatalog? {
        var entries: [KindCatalog.Entry] = []
        var missing: [String] = []
        for document in documents {
            guard document["kind"]?.string == "APIGroupDiscoveryList" else { return nil }
            for group in document["items"]?.array ?? [] {
                let name = group[path: "metadata", "name"]?.string ?? ""
                for version in group["versions"]?.array ?? [] {
                    guard let number = version["version"]?.string else { continue }
                    let found = (version["resources"]?.array ?? []).compactMap { entry($0, name, number) }
                    entries += found
                    if version["freshness"]?.string == "Stale", found.isEmpty { missing.append("\(name)/\(number)") }
                }
            }
        }
        return KindCatalog(entries, missing: missing)
    }

    private static func entry(_ resource: JSON, _ group: String, _ version: String) -> KindCatalog.Entry? {
        guard let plural = resource["resource"]?.string, let kind = resource[path: "responseKind", "kind"]?.string,
            !kind.isEmpty
        else { return nil }
        return KindCatalog.Entry(
            type: ResourceType(
                group: group,
                version: version,
                plural: plural,
                kind: kind,
                isNamespaced: resource["scope"]?.string == "Namespaced"
            ),
            singular: resource["singularResource"]?.string,
            shortNames: texts(resource["shortNames"]),
            categories: texts(resource["categories"]),
            verbs: texts(resource["verbs"]),
            subresources: (resource["subresources"]?.array ?? []).compactMap { $0["subresource"]?.string }
        )
    }

    /// The groups' versions in a server's order, the preferred one of each group first: `v1`, `apps/v1`.
    static func versions(_ documents: [JSON]) -> [String] {
        documents.flatMap { document -> [String] in
            if document["kind"]?.string == "APIVersions" { return texts(document["versions"]) }
            return (document["groups"]?.array ?? []).flatMap { group -> [String] in
                let all = (group["versions"]?.array ?? []).compactMap { $0["groupVersion"]?.string }
                let preferred = group[path: "preferredVersion", "groupVersion"]?.string
                return all.filter { $0 == preferred } + all.filter { $0 != preferred }
            }
        }
    }

    /// From one group version's `APIResourceList`.
    static func entries(_ groupVersion: String, _ list: JSON) -> [KindCatalog.Entry] {
        let parts = groupVersion.split(separator: "/").map(String.init)
        let (group, version) = parts.count > 1 ? (parts[0], parts[1]) : ("", groupVersion)
        let resources = list["resources"]?.array ?? []
        let names = resources.compactMap { $0["name"]?.string }
        return resources.compactMap { resource in
            guard let plural = resource["name"]?.string, !plural.contains("/"), let kind = resource["kind"]?.string
            else {
                return nil
            }
            return KindCatalog.Entry(
                type: ResourceType(
                    group: group,
                    version: version,
                    plural: plural,
                    kind: kind,
                    isNamespaced: resource["namespaced"]?.bool ?? false
                ),
                singular: resource["singularName"]?.string,
                shortNames: texts(resource["shortNames"]),
                categories: texts(resource["categories"]),
                verbs: texts(resource["verbs"]),
                subresources: names.filter { $0.hasPrefix("\(plural)/") }.map { String($0.dropFirst(plural.count + 1)) }
            )
        }
    }

    private static func texts(_ json: JSON?) -> [String] { (json?.array ?? []).compactMap(\.string) }
}
