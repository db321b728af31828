// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Writes types as OpenAPI schemas, and with each type those it refers to.
struct OpenAPISchemas {
    let dialect: OpenAPIDialect
    private(set) var schemas: [String: JSON] = [:]
    private let table = SchemaTable.builtIn

    private let kindsByType: [String: [JSON]]

    init(dialect: OpenAPIDialect) {
        self.dialect = dialect
        var kinds: [String: [JSON]] = [:]
        for (type, kind) in table.kinds {
            let parts = kind.split(separator: "/", omittingEmptySubsequences: false).map { JSON.string(String($0)) }
            kinds[type.name, default: []].append(["group": parts[0], "kind": parts[2], "version": parts[1]])
        }
        kindsByType = kinds
    }

    private static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1"

    /// The kind, its list, what its subresources use, and what every client needs beside.
    mutating func add(_ resource: OpenAPIResource) {
        if let custom = resource.customSchema {
            addCustom(resource, custom)
        } else if let type = table.schema(resource.type)?.type {
            addType(type)
        }
        if resource.verbs.contains("list") { addList(of: resource) }
        for subresource in resource.subresources {
            guard let kind = subresource.kind, let type = table.schema(kind)?.type else { continue }
            addType(type)
        }
        for name in ["Status", "DeleteOptions", "ListMeta"] {
            if let type = table.schema(named: "\(Self.meta).\(name)")?.type { addType(type) }
        }
        schemas["\(Self.meta).Patch"] = ["description": .string(FieldNotes.patch), "type": "object"]
        addGroupVersionKind("\(Self.meta).DeleteOptions", resource.type, kind: "DeleteOptions")
        addGroupVersionKind("\(Self.meta).Status", ResourceType.statusVersion, kind: "Status")
    }

    private mutating func addGroupVersionKind(_ name: String, _ type: ResourceType, kind: String) {
        let entry = Self.groupVersionKind(type, kind: kind)
        var kinds = schemas[name]?["x-kubernetes-group-version-kind"]?.array ?? []
        guard !kinds.contains(entry) else { return }
        kinds.append(entry)
        schemas[name]?["x-kubernetes-group-version-kind"] = .array(kinds)
    }

    static func groupVersionKind(_ type: ResourceType, kind: String? = nil) -> JSON {
        ["group": .string(type.group), "kind": .string(kind ?? type.kind), "version": .string(type.version)]
    }

    private mutating func addList(of resource: OpenAPIResource) {
        let items: JSON = ["type": "array", "items": dialect.reference(resource.schemaName)]
        schemas[resource.listSchemaName] = [
            "description": .string("A list of \(resource.type.kind) objects."), "type": "object", "required": ["items"],
            "properties": [
                "apiVersion": described(["type": "string"], FieldNotes.of("apiVersion", in: nil)),
                "items": items,
                "kind": described(["type": "string"], FieldNotes.of("kind", in: nil)),
                "metadata": reference("\(Self.meta).ListMeta", isAlwaysThere: true),
            ],
            "x-kubernetes-group-version-kind": [Self.groupVersionKind(resource.type, kind: resource.listKind)],
        ]
    }

    private func described(_ schema: JSON, _ text: String?) -> JSON {
        guard let text else { return schema }
        var result: JSON = ["description": .string(text)]
        for (key, value) in schema.object ?? [:] { result[key] = value }
        return result
    }

    /// A reference that other members stand beside is wrapped in OpenAPI 3; OpenAPI 2 takes both as they are.
    private func reference(_ name: String, isAlwaysThere: Bool = false) -> JSON {
        guard dialect == .v3 else { return dialect.reference(name) }
        var schema: JSON = ["allOf": [dialect.reference(name)]]
        if isAlwaysThere { schema["default"] = [:] }
        return schema
    }

    private mutating func addType(_ type: SchemaType) {
        guard schemas[type.name] == nil else { return }
        var schema: JSON = [:]
        if let text = FieldNotes.of(type) { schema["description"] = .string(text) }
        schema["type"] = "object"
        schemas[type.name] = schema  // ends the recursion of types that contain themselves
        let required = type.fields.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        var properties: [(key: String, value: JSON)] = []
        for field in type.fields.sorted(by: { $0.name < $1.name }) {
            properties.append((field.name, property(field, of: type)))
        }
        if !properties.isEmpty { schema["properties"] = .object(JSONObject(unique: properties)) }
        let kinds = kindsByType[type.name] ?? []
        if !kinds.isEmpty { schema["x-kubernetes-group-version-kind"] = .array(kinds) }
        if type.isAtomic { schema["x-kubernetes-map-type"] = "atomic" }
        schemas[type.name] = schema
    }

    private mutating func property(_ field: SchemaField, of type: SchemaType) -> JSON {
        var schema = described(shape(field.shape, field: field), FieldNotes.of(field.name, in: type))
        if let value = field.defaultValue, dialect == .v3 { schema["default"] = value }
        switch field.listType {
        case .atomic?: schema["x-kubernetes-list-type"] = "atomic"
        case .set?: schema["x-kubernetes-list-type"] = "set"
        case .map(let keys)?:
            schema["x-kubernetes-list-map-keys"] = .array(keys.map { .string($0) })
            schema["x-kubernetes-list-type"] = "map"
        case nil: break
        }
        if field.isAtomicMap { schema["x-kubernetes-map-type"] = "atomic" }
        if let key = field.mergeKey { schema["x-kubernetes-patch-merge-key"] = .string(key) }
        if let strategy = field.patchStrategy { schema["x-kubernetes-patch-strategy"] = .string(strategy) }
        return schema
    }

    private mutating func shape(_ shape: SchemaShape, field: SchemaField?) -> JSON {
        let isAlwaysThere = field?.isAlwaysPrinted ?? false
        func plain(_ schema: JSON, zero: JSON) -> JSON {
            guard isAlwaysThere, dialect == .v3 else { return schema }
            var schema = schema
            schema["default"] = zero
            return schema
        }
        switch shape {
        case .string: return plain(["type": "string"], zero: "")
        case .int32: return plain(["type": "integer", "format": "int32"], zero: 0)
        case .int64: return plain(["type": "integer", "format": "int64"], zero: 0)
        case .double: return plain(["type": "number", "format": "double"], zero: 0)
        case .bool: return plain(["type": "boolean"], zero: false)
        case .bytes: return ["type": "string", "format": "byte"]
        case .quantity: return special("io.k8s.apimachinery.pkg.api.resource.Quantity", field)
        case .intOrString: return special("io.k8s.apimachinery.pkg.util.intstr.IntOrString", field)
        case .time: return special("\(Self.meta).Time", field)
        case .microTime: return special("\(Self.meta).MicroTime", field)
        case .rawObject: return special("io.k8s.apimachinery.pkg.runtime.RawExtension", field)
        case .any: return special("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", field)
        case .object(let place), .objectOrAny(let place):
            let type = table.types[place]
            addType(type)
            return field == nil ? dialect.reference(type.name) : reference(type.name, isAlwaysThere: isAlwaysThere)
        case .array(let element): return ["type": "array", "items": self.shape(element, field: nil)]
        case .map(let element): return ["type": "object", "additionalProperties": self.shape(element, field: nil)]
        }
    }

    /// A type whose JSON form is not an object with fields.
    private mutating func special(_ name: String, _ field: SchemaField?) -> JSON {
        if schemas[name] == nil { schemas[name] = FieldNotes.special(name, dialect) }
        return field == nil ? dialect.reference(name) : reference(name)
    }
}

// Custom resources.
extension OpenAPISchemas {
    private mutating func addCustom(_ resource: OpenAPIResource, _ custom: JSON) {
        if let type = table.schema(named: "\(Self.meta).ObjectMeta")?.type { addType(type) }
        var schema = dialect == .v3 ? custom : Self.withoutNewerFeatures(custom)
        var properties = schema["properties"]?.object ?? [:]
        properties["apiVersion"] = described(["type": "string"], FieldNotes.of("apiVersion", in: nil))
        properties["kind"] = described(["type": "string"], FieldNotes.of("kind", in: nil))
        let metadata = reference("\(Self.meta).ObjectMeta")
        properties["metadata"] = described(metadata, FieldNotes.of("metadata", in: nil))
        if schema["type"] == nil { schema["type"] = "object" }
        schema["properties"] = .object(properties)
        schema["x-kubernetes-group-version-kind"] = [Self.groupVersionKind(resource.type)]
        schemas[resource.schemaName] = schema
    }

    /// OpenAPI 2 knows no `nullable`, no alternatives and no negation; what holds them is shown without a type's details.
    private static func withoutNewerFeatures(_ schema: JSON) -> JSON {
        guard case .object(var members) = schema else { return schema }
        for key in ["allOf", "anyOf", "oneOf", "not", "nullable", "default"] { members[key] = JSON?.none }
        if schema["nullable"] == true {
            for key in ["type", "format", "items", "properties", "additionalProperties"] { members[key] = JSON?.none }
        }
        if case .object(let properties)? = members["properties"] {
            members["properties"] = .object(properties.mapValues(withoutNewerFeatures))
        }
        for key in ["items", "additionalProperties"] {
            if let child = members[key], child.object != nil { members[key] = withoutNewerFeatures(child) }
        }
        if members["x-kubernetes-preserve-unknown-fields"] == true {
            for key in ["properties", "items"] { members[key] = JSON?.none }
        }
        return .object(members)
    }
}

extension SchemaField {
    /// As OpenAPI documents spell it.
    fileprivate var patchStrategy: String? {
        if isReplaced { return "replace" }
        let words = (isMerged ? ["merge"] : []) + (retainsKeys ? ["retainKeys"] : [])
        return words.isEmpty ? nil : words.joined(separator: ",")
    }
}

extension ResourceType {
    /// `Status` belongs to the core group.
    fileprivate static let statusVersion = ResourceType(
        group: "",
        version: "v1",
        plural: "",
        kind: "Status",
        isNamespaced: false
    )
}
