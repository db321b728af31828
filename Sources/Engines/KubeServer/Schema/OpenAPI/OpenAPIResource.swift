// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A served resource as the OpenAPI documents show it.
struct OpenAPIResource: Sendable, Hashable {
    struct Subresource: Sendable, Hashable {
        /// Such as `status` or `log`.
        var name: String
        /// The kind that is read and written there; `nil` for plain text.
        var kind: ResourceType?
        /// As in discovery: `get`, `patch`, `update`, `create`.
        var verbs: [String]
    }

    var type: ResourceType
    var listKind: String
    /// As in discovery: `create`, `delete`, `deletecollection`, `get`, `list`, `patch`, `update`, `watch`.
    var verbs: [String]
    var subresources: [Subresource] = []
    /// The `openAPIV3Schema` of a custom resource's version; `nil` for built-in kinds.
    var customSchema: JSON?

    /// What describes its objects: a type of the table, or a name made from the group for custom resources.
    var schemaName: String {
        if customSchema == nil, let schema = SchemaTable.builtIn.schema(type)?.type { return schema.name }
        let reversed = type.group.split(separator: ".").reversed().joined(separator: ".")
        return "\(reversed).\(type.version).\(type.kind)"
    }

    var listSchemaName: String {
        guard let dot = schemaName.lastIndex(of: ".") else { return listKind }
        return schemaName[...dot] + listKind
    }
}

/// The two versions of OpenAPI that clients ask for, where they differ.
enum OpenAPIDialect: Sendable {
    case v2, v3

    var prefix: String { self == .v2 ? "#/definitions/" : "#/components/schemas/" }

    func reference(_ name: String) -> JSON { ["$ref": .string(prefix + name)] }
}
