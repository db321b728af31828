// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A place in an object as server-side apply sees it: what may stand there and how it is merged.
enum FieldType: Sendable {
    /// A place of a built-in kind, with the field that holds it.
    case builtIn(Schema, SchemaField?)
    /// A place of a custom resource; `keepsUnknown` is inherited from above.
    case custom(StructuralSchema, keepsUnknown: Bool)
    /// A custom resource as a whole, or one that is embedded in another.
    case resource(StructuralSchema, keepsUnknown: Bool)
    /// Text that is no field of any schema: `apiVersion`, `kind`.
    case text
    /// Anything, as one value.
    case untyped
    /// Anything; objects are merged, lists are one value.
    case deduced

    /// What may stand here: up to three alternatives.
    struct Atom {
        var scalar: Scalar?
        var list: ListAtom?
        var map: MapAtom?
    }

    enum Scalar { case numeric, string, boolean, any }

    struct ListAtom {
        enum Kind: Equatable {
            case atomic, set
            case keyed([String])
        }

        var kind: Kind
        var element: FieldType
    }

    struct MapAtom {
        var isAtomic = false
        /// The place whose members these are.
        var owner: FieldType

        /// The type of a member; `nil` where the schema has none. `isDeclared`: a field, no key of a free map.
        func member(_ name: String) -> (type: FieldType, isDeclared: Bool)? { owner.member(name) }
    }

    /// The type of a resource's objects.
    init(_ resource: Resource) {
        if let custom = resource.custom {
            self = .resource(custom.schema, keepsUnknown: false)
        } else if let schema = SchemaTable.builtIn.schema(resource.type) {
            self = .builtIn(schema, nil)
        } else {
            self = .deduced
        }
    }
}

extension FieldType {
    var atom: Atom {
        switch self {
        case .text: Atom(scalar: .string)
        case .untyped: Self.anything(isAtomic: true)
        case .deduced: Self.anything(isAtomic: false)
        case .resource: Atom(map: MapAtom(owner: self))
        case .builtIn(let schema, let field): Self.atom(schema, field, self)
        case .custom(let schema, let keepsUnknown): Self.atom(schema, keepsUnknown, self)
        }
    }

    private static func anything(isAtomic: Bool) -> Atom {
        Atom(
            scalar: .any,
            list: ListAtom(kind: .atomic, element: .untyped),
            map: MapAtom(isAtomic: isAtomic, owner: isAtomic ? .untyped : .deduced)
        )
    }

    private static func atom(_ schema: Schema, _ field: SchemaField?, _ owner: FieldType) -> Atom {
        switch schema.shape {
        case .string, .bytes: return Atom(scalar: .string)
        case .int32, .int64, .double: return Atom(scalar: .numeric)
        case .bool: return Atom(scalar: .boolean)
        case .intOrString, .quantity, .time, .microTime: return Atom(scalar: .any)
        case .rawObject: return anything(isAtomic: true)
        case .any, .objectOrAny: return anything(isAtomic: false)
        case .array(let element):
            let kind: ListAtom.Kind =
                switch field?.listType {
                case .set: .set
                case .map(let keys): .keyed(keys)
                case .atomic, nil: .atomic
                }
            return Atom(list: ListAtom(kind: kind, element: .builtIn(Schema(table: schema.table, shape: element), nil)))
        case .map: return Atom(map: MapAtom(isAtomic: field?.isAtomicMap ?? false, owner: owner))
        case .object:
            let isAtomic = field?.isAtomicMap == true || (schema.type?.isAtomic == true && field?.isGranular != true)
            return Atom(map: MapAtom(isAtomic: isAtomic, owner: owner))
        }
    }

    private static func atom(_ schema: StructuralSchema, _ keepsUnknown: Bool, _ owner: FieldType) -> Atom {
        let keeps = keepsUnknown || schema.preservesUnknownFields
        var atom = Atom()
        switch schema.type {
        case "string": atom.scalar = ["byte", nil].contains(schema.format) ? .string : .any
        case "integer", "number": atom.scalar = .numeric
        case "boolean": atom.scalar = .boolean
        case nil: atom.scalar = .any
        default: break
        }
        if schema.type == nil || schema.type == "array" {
            let kind: ListAtom.Kind =
                switch schema.listType {
                case .set: .set
                case .map: .keyed(schema.listMapKeys)
                case .atomic, nil: .atomic
                }
            let element = schema.items.map { FieldType.custom($0, keepsUnknown: keeps) } ?? .untyped
            atom.list = ListAtom(kind: kind, element: element)
        }
        if schema.type == nil || schema.type == "object" {
            let whole: FieldType = schema.isEmbeddedResource ? .resource(schema, keepsUnknown: keepsUnknown) : owner
            atom.map = MapAtom(isAtomic: schema.isAtomicMap, owner: whole)
        }
        return atom
    }

    private static let metadata = SchemaTable.builtIn.schema(named: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

    fileprivate func member(_ name: String) -> (type: FieldType, isDeclared: Bool)? {
        switch self {
        case .text: return nil
        case .untyped: return (.untyped, false)
        case .deduced: return (.deduced, false)
        case .builtIn(let schema, _): return Self.member(name, of: schema)
        case .resource(let schema, let keepsUnknown):
            if name == "apiVersion" || name == "kind" { return (.text, true) }
            if name == "metadata", let metadata = Self.metadata { return (.builtIn(metadata, nil), true) }
            return Self.member(name, of: schema, keepsUnknown)
        case .custom(let schema, let keepsUnknown): return Self.member(name, of: schema, keepsUnknown)
        }
    }

    private static func member(_ name: String, of schema: Schema) -> (type: FieldType, isDeclared: Bool)? {
        if let type = schema.type {
            guard let field = type.field(name) else { return type.fields.isEmpty ? (.deduced, false) : nil }
            return (.builtIn(Schema(table: schema.table, shape: field.shape), field), true)
        }
        return schema.element.map { (.builtIn($0, nil), false) }
    }

    private static func member(
        _ name: String,
        of schema: StructuralSchema,
        _ keepsUnknown: Bool
    ) -> (type: FieldType, isDeclared: Bool)? {
        let keeps = keepsUnknown || schema.preservesUnknownFields
        if let property = schema.property(name) { return (.custom(property, keepsUnknown: keeps), true) }
        switch schema.additionalProperties {
        case .schema(let element): return (.custom(element, keepsUnknown: keeps), false)
        case .allowed(let isAllowed): return isAllowed ? (.deduced, false) : nil
        case .unspecified: return keeps || schema.properties.isEmpty ? (.deduced, false) : nil
        }
    }

    /// What stands for the key field of a list element that leaves it out.
    func keyDefault(_ name: String) -> JSON? {
        switch atom.map?.owner {
        case .builtIn(let schema, _)?: return schema.type?.field(name).flatMap(Self.zero)
        case .custom(let schema, _)?, .resource(let schema, _)?: return schema.property(name)?.defaultValue
        default: return nil
        }
    }

    private static func zero(_ field: SchemaField) -> JSON? {
        if let value = field.defaultValue { return value }
        guard field.isAlwaysPrinted else { return nil }
        switch field.shape {
        case .string: return ""
        case .int32, .int64, .double: return 0
        case .bool: return false
        default: return nil
        }
    }
}
