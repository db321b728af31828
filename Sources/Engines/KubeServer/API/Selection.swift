// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides which stored objects of a collection a client asked for.
struct Selection: Sendable {
    private let resource: Resource
    private let labels: LabelSelector
    private let fields: FieldSelector
    /// Where name and namespace are all that counts, keys tell and nothing is parsed.
    private let keysSuffice: Bool
    /// The one key that can match, where the selector names it.
    let onlyKey: String?

    init(_ resource: Resource, _ namespace: String?, _ options: ListOptions) {
        self.resource = resource
        labels = options.labels
        fields = options.fields
        let metadata: Set<String> = ["metadata.name", "metadata.namespace"]
        keysSuffice = labels.isEmpty && fields.terms.allSatisfy { metadata.contains($0.field) }
        let owner = resource.type.isNamespaced ? namespace ?? fields.required("metadata.namespace") : nil
        if let name = fields.required("metadata.name"), !resource.type.isNamespaced || owner != nil {
            onlyKey = resource.key(namespace: owner, name: name)
        } else {
            onlyKey = nil
        }
    }

    var takesAll: Bool { labels.isEmpty && fields.isEmpty }

    func keep(_ items: [StoredObject]) throws(KubeStatus) -> [StoredObject] {
        guard !takesAll else { return items }
        var kept: [StoredObject] = []
        for item in items where try keeps(item.value, key: item.key) { kept.append(item) }
        return kept
    }

    func keeps(_ value: [UInt8], key: String) throws(KubeStatus) -> Bool {
        if takesAll { return true }
        if keysSuffice {
            let (namespace, name) = resource.names(in: key)
            return fields.matches { $0 == "metadata.name" ? name : namespace ?? "" }
        }
        return matches(try StoredJSON.parse(value, as: nil))
    }

    func matches(_ object: JSON) -> Bool {
        labels.matches(object[path: "metadata", "labels"]?.stringMap ?? [:])
            && fields.matches { resource.fields.value($0, of: object) }
    }
}

extension Resource {
    /// The namespace and the name that a key stands for.
    func names(in key: String) -> (namespace: String?, name: String) {
        let rest = key.dropFirst(prefix.count)
        guard type.isNamespaced, let slash = rest.firstIndex(of: "/") else { return (nil, String(rest)) }
        return (String(rest[..<slash]), String(rest[rest.index(after: slash)...]))
    }
}
