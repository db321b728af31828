// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Foundation
import Model
import TestKit
import Testing

@testable import KubeServer

/// The samples of structured-merge-diff through our field sets, types, merge and comparison.
struct FieldSetConformance {
    private typealias Check = @Sendable () throws -> Void

    /// Objects of built-in kinds, with the published type they have.
    private static let objects: [(name: String, type: String, hasSet: Bool)] = [
        ("pod", "io.k8s.api.core.v1.Pod", true), ("node", "io.k8s.api.core.v1.Node", true),
        ("endpoints", "io.k8s.api.core.v1.Endpoints", true),
        ("k8s-deployment", "io.k8s.api.apps.v1.Deployment", false),
        (
            "prometheus-crd",
            "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinition",
            true
        ),
    ]
    private static let schemas = ["k8s-schema", "k8s-schema-10pct-fieldoverride", "k8s-schema-100pct-fieldoverride"]

    @Test func theSamplesAreReadMergedAndOwnedAsPublished() async throws {
        try await ConformanceSuite("structured-merge-diff", in: "releases/structured-merge-diff").run { folder in
            func yaml(_ name: String) throws -> JSON { try Self.yaml(folder.appending(path: "\(name).yaml")) }
            func set(_ name: String) throws -> [UInt8] {
                Array(try Data(contentsOf: folder.appending(path: "\(name)set.json")))
            }
            var cases: [(String, Check)] = []
            for object in Self.objects where object.hasSet {
                let bytes = try set(object.name)
                cases.append(("\(object.name)set", { try Self.checkSet(bytes) }))
            }
            for schema in Self.schemas {
                let published = PublishedSchema(try yaml(schema))
                for object in Self.objects {
                    let value = try yaml(object.name)
                    // With every field overridden, single values of a definition are maps: its set was published without.
                    let isAnothers = object.name == "prometheus-crd" && schema.contains("100pct")
                    let owned = object.hasSet && !isAnothers ? try JSON(parsing: try set(object.name)) : nil
                    cases.append(
                        (
                            "\(object.name) under \(schema)",
                            { try Self.check(value, published.type(object.type, for: value), owned) }
                        )
                    )
                }
            }
            for (name, kind) in [("pod", "Pod"), ("node", "Node"), ("endpoints", "Endpoints")] {
                // Since these were published, references to Secrets have become single values.
                let (value, owned) = (try yaml(name), name == "pod" ? nil : try JSON(parsing: try set(name)))
                cases.append(("\(name) as served here", { try Self.checkServed(value, "v1", kind, owned) }))
            }
            let deployment = try yaml("k8s-deployment")
            cases.append(
                ("k8s-deployment as served here", { try Self.checkServed(deployment, "apps/v1", "Deployment", nil) })
            )
            let resource = try yaml("apiresourceimport-cr")
            let definition = PublishedSchema(try yaml("apiresourceimport"))
            cases.append(
                (
                    "apiresourceimport-cr",
                    { try Self.check(resource, definition.type("apiresourceimport", for: resource), nil) }
                )
            )
            cases += try Self.schemaCases(yaml)
            return cases.map { ConformanceCase($0.0, $0.1) }
        } check: { (check: Check) in
            try check()
        }
    }

    private static func yaml(_ file: URL) throws -> JSON {
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        return try YAMLDocument.parseRepeating(text, as: .kubernetes).value?.json ?? .null
    }

    /// The schema of schemas, with which its authors try their tool.
    private static func schemaCases(_ yaml: (String) throws -> JSON) throws -> [(String, Check)] {
        let meta = try yaml("schema")
        let (list, structure, scalar) = (try yaml("list"), try yaml("struct"), try yaml("scalar"))
        let (badScalar, badSchema) = (try yaml("bad-scalar"), try yaml("bad-schema"))
        let type = PublishedSchema(meta).type("schema", for: meta, list, structure, scalar, badScalar, badSchema)
        return [
            ("schema by itself", { try check(meta, type, nil) }), ("list", { try check(list, type, nil) }),
            ("struct", { try check(structure, type, nil) }), ("scalar", { try check(scalar, type, nil) }),
            (
                "bad-schema",
                { try requireEqual(type.problems(badSchema), [".types: element 0: \(noKey)"], "problems") }
            ),
            (
                "list into struct",
                {
                    let both: JSON = ["types": .array((structure["types"]?.array ?? []) + (list["types"]?.array ?? []))]
                    try requireEqual(type.merge(structure, list), both, "merged")
                    let change = type.comparison(structure, list)
                    try requireEqual(change.added.contains(path: [.field("types"), key("list")]), true, "added")
                    try requireEqual(change.removed.contains(path: [.field("types"), key("struct")]), true, "removed")
                }
            ),
            (
                "bad-scalar into scalar",
                {
                    try requireEqual(type.merge(scalar, badScalar), badScalar, "merged")
                    let path: [PathElement] = [.field("types"), key("scalar"), .field("scalar")]
                    try requireEqual(type.comparison(scalar, badScalar).modified, FieldSet(paths: [path]), "modified")
                    try requireEqual(type.comparison(scalar, badScalar).removed.isEmpty, true, "removed")
                }
            ),
        ]
    }

    private static let noKey =
        "associative list with keys has an element that omits all key fields [\"name\"] (and doesn't have default values "
        + "for any key fields)"

    private static func key(_ name: String) -> PathElement {
        PathElement(key: [PathElement.KeyPart(name: "name", value: .string(name))])
    }

    private static func checkSet(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isNewline }
        let set = try FieldSet(fieldsV1: try JSON(parsing: bytes))
        try requireEqual(set.fieldsV1.text, text, "text")
        try requireEqual(set.subtracting(set).isEmpty, true, "a set less itself is empty")
        try requireEqual(set.union(set), set, "union with itself")
        try requireEqual(set.intersection(set), set, "intersection with itself")
        try requireEqual(FieldSet(paths: set.paths), set, "its paths")
    }

    /// What holds for every value of a type: it fits, merging it into itself changes nothing, and so on.
    private static func check(_ value: JSON, _ type: FieldType, _ owned: JSON?) throws {
        try requireEqual(type.problems(value), [], "problems")
        try requireEqual(type.merge(value, value), value, "merged with itself")
        try requireEqual(type.merge([:], value), value, "merged into nothing")
        try requireEqual(type.comparison(value, value), FieldComparison(), "compared with itself")
        let new = type.comparison([:], value)
        try requireEqual(new.modified.isEmpty && new.removed.isEmpty, true, "all of a new object is added")
        if let owned { try requireEqual(new.added.fieldsV1.text, owned.text, "owned fields") }
        let gone = type.comparison(value, [:])
        try requireEqual(gone.removed, new.added, "what is added is what goes again")
        let applied = type.fieldSet(value)
        try requireEqual(applied.subtracting(new.added).isEmpty, true, "nothing is applied that is not there")
        try requireEqual(type.removing(type.ensured(applied), from: value), [:], "without what was applied")
        try requireEqual(type.reconciled(new.added), new.added, "reconciled")
    }

    private static func checkServed(_ value: JSON, _ version: String, _ kind: String, _ owned: JSON?) throws {
        let parts = version.split(separator: "/").map(String.init)
        let schema = SchemaTable.builtIn.schema(
            group: parts.count > 1 ? parts[0] : "",
            version: parts.last ?? "",
            kind: kind
        )
        guard let schema else { throw ConformanceMismatch("\(kind) is not served") }
        try check(value, .builtIn(schema, nil), owned)
    }
}
