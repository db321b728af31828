// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The CustomResourceDefinitions of Ballast's own resources.
package enum BallastResources {
    /// Raised with every change of the definitions, so that an older Ballast never takes back what a newer one gave a cluster.
    package static let revision = 1
    package static let revisionAnnotation = "ballast.dev/definition"

    /// All of them, ready to be created in a home cluster.
    package static var definitions: [KubeObject] {
        [
            definition(
                .apps,
                shortNames: [],
                schema: AppShape.spec.structuralSchema,
                columns: [
                    column("Owner", ".spec.owner"), column("Repository", ".spec.image.repository"),
                    column("Replicas", ".spec.deploy.replicas", type: "integer"),
                ]
            ),
            definition(
                .releases,
                shortNames: ["rel"],
                schema: ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
                columns: [
                    column("App", ".spec.app"), column("Number", ".spec.number", type: "integer"),
                    column("Phase", ".status.phase"), column("Image", ".spec.image"),
                    column("Message", ".status.message"),
                ]
            ),
            definition(
                .clusters,
                shortNames: [],
                schema: clusterSpec,
                columns: [column("Server", ".spec.server"), column("Context", ".spec.context")]
            ),
            definition(
                .inventories,
                shortNames: [],
                schema: [
                    "type": "object",
                    "properties": [
                        "app": ["type": "string"], "cluster": ["type": "string"],
                        "objects": [
                            "type": "array",
                            "items": ["type": "object", "additionalProperties": ["type": "string"]],
                        ],
                    ],
                ],
                columns: [column("App", ".spec.app"), column("Cluster", ".spec.cluster")]
            ),
        ]
    }

    package static let roleType = ResourceType(
        group: "rbac.authorization.k8s.io",
        version: "v1",
        plural: "clusterroles",
        kind: "ClusterRole",
        isNamespaced: false
    )

    /// What lets those who may edit (or view) a namespace release (or look at releases) there.
    package static var roles: [KubeObject] {
        let resources: JSON = ["apps", "apps/status", "releases", "releases/status", "inventories", "inventories/status"]
        func role(_ name: String, _ verbs: JSON, _ aggregates: [String]) -> KubeObject {
            var role = KubeObject(roleType, name: "ballast.dev:\(name)")
            for aggregate in aggregates {
                let label = "rbac.authorization.k8s.io/aggregate-to-\(aggregate)"
                role.json.set("true", at: ["metadata", "labels", label])
            }
            role["rules"] = [["apiGroups": [.string(ResourceType.apps.group)], "resources": resources, "verbs": verbs]]
            return role
        }
        let reading: JSON = ["get", "list", "watch"]
        let writing: JSON = ["create", "update", "patch", "delete", "deletecollection"]
        return [
            role("edit", .array((reading.array ?? []) + (writing.array ?? [])), ["admin", "edit"]),
            role("view", reading, ["view"]),
        ]
    }

    /// The JSON Schema of `ballast.yaml`.
    package static var fileSchema: JSON {
        var schema: JSON = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://ballast.dev/schema/v1alpha1/app.json", "title": "Ballast app file",
        ]
        for (key, value) in AppShape.file.jsonSchema.object ?? [:] { schema[key] = value }
        return schema
    }

    /// How a cluster is reached; its kubeconfig is in a Secret.
    private static var clusterSpec: JSON {
        let text: JSON = ["type": "string"]
        return [
            "type": "object", "required": ["server", "secretRef"],
            "properties": [
                "server": text, "context": text, "user": text, "plugin": text,
                "secretRef": [
                    "type": "object", "required": ["name", "namespace"],
                    "properties": ["name": text, "namespace": text, "key": text],
                ],
            ],
        ]
    }

    private static func column(_ name: String, _ path: String, type: String = "string") -> JSON {
        ["name": .string(name), "type": .string(type), "jsonPath": .string(path)]
    }

    private static func definition(
        _ type: ResourceType,
        shortNames: [String],
        schema: JSON,
        columns: [JSON]
    ) -> KubeObject {
        var object = KubeObject(.customResourceDefinitions, name: "\(type.plural).\(type.group)")
        var names: JSON = [
            "plural": .string(type.plural), "singular": .string(type.kind.lowercased()), "kind": .string(type.kind),
            "listKind": .string("\(type.kind)List"), "categories": ["ballast"],
        ]
        object.json.set(.string(String(revision)), at: ["metadata", "annotations", revisionAnnotation])
        if !shortNames.isEmpty { names["shortNames"] = .array(shortNames.map { .string($0) }) }
        let age = ["name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"] as JSON
        object["spec"] = [
            "group": .string(type.group), "scope": type.isNamespaced ? "Namespaced" : "Cluster", "names": names,
            "versions": [
                [
                    "name": .string(type.version), "served": true, "storage": true,
                    "schema": [
                        "openAPIV3Schema": [
                            "type": "object",
                            "properties": [
                                "apiVersion": ["type": "string"], "kind": ["type": "string"],
                                "metadata": ["type": "object"], "spec": schema,
                                "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
                            ],
                        ]
                    ],
                    "subresources": ["status": [:]], "additionalPrinterColumns": .array(columns + [age]),
                ]
            ],
        ]
        return object
    }
}
