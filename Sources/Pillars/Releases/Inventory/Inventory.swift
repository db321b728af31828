// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Which objects of a cluster belong to an app: an `Inventory` object in the home cluster for each app and cluster.
///
/// Before objects are applied it names those of before and those to come, so that a release that is killed forgets none;
/// after the release only what the app still wants, and what could not be deleted yet.
struct Inventory: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        var type: ResourceType
        var namespace: String?
        var name: String

        init(_ reference: ObjectReference) {
            type = reference.type
            namespace = reference.namespace
            name = reference.name
        }

        var reference: ObjectReference { ObjectReference(type, namespace: namespace, name: name) }
    }

    static let clusterLabel = "ballast.dev/cluster"

    var app: AppName
    var namespace: NamespaceName
    var cluster: ClusterName
    var entries: Set<Entry> = []

    var reference: ObjectReference {
        ObjectReference(.inventories, namespace: namespace.text, name: "\(app).\(cluster)")
    }

    init(app: AppName, namespace: NamespaceName, cluster: ClusterName) {
        self.app = app
        self.namespace = namespace
        self.cluster = cluster
    }

    /// Takes entries in, each object once: in the version that is named last.
    mutating func add(_ new: [Entry]) {
        let identities = Set(new.map(\.identity))
        entries = entries.filter { !identities.contains($0.identity) }.union(new)
    }

    /// Reads a stored inventory; `nil` where the object is none.
    init?(_ object: KubeObject) {
        guard let app = object.spec["app"]?.string, let cluster = object.spec["cluster"]?.string else { return nil }
        self.init(
            app: AppName(app),
            namespace: NamespaceName(object.namespace ?? "default"),
            cluster: ClusterName(cluster)
        )
        entries = Set((object.spec["objects"]?.array ?? []).compactMap { Entry($0) })
    }

    var object: KubeObject {
        var object = KubeObject(
            .inventories,
            namespace: namespace.text,
            name: reference.name,
            labels: [
                ReleaseRecord.appLabel: app.text, Self.clusterLabel: cluster.text,
                "app.kubernetes.io/managed-by": "ballast",
            ]
        )
        let sorted = entries.sorted { $0.reference.path < $1.reference.path }
        object["spec"] = [
            "app": .string(app.text), "cluster": .string(cluster.text), "objects": .array(sorted.map(\.json)),
        ]
        return object
    }
}

extension Inventory.Entry {
    init?(_ json: JSON) {
        guard let version = json["version"]?.string, let kind = json["kind"]?.string,
            let plural = json["resource"]?.string, let name = json["name"]?.string
        else { return nil }
        namespace = json["namespace"]?.string
        self.name = name
        type = ResourceType(
            group: json["group"]?.string ?? "",
            version: version,
            plural: plural,
            kind: kind,
            isNamespaced: namespace != nil
        )
    }

    var json: JSON {
        var json: JSON = [:]
        if !type.group.isEmpty { json["group"] = .string(type.group) }
        json["version"] = .string(type.version)
        json["kind"] = .string(type.kind)
        json["resource"] = .string(type.plural)
        if let namespace { json["namespace"] = .string(namespace) }
        json["name"] = .string(name)
        return json
    }
}

extension Inventory.Entry {
    /// Equal for the same object, whatever the version it was written in.
    var identity: String { "\(type.plural).\(type.group)/\(namespace ?? "")/\(name)" }
}
