// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What a value looks like on the wire.
package enum SchemaShape: Sendable, Hashable {
    case string, int32, int64, double, bool
    /// A whole number or text, such as `maxSurge`.
    case intOrString
    case quantity
    /// RFC 3339, whole seconds.
    case time
    /// RFC 3339 with microseconds.
    case microTime
    /// Base64 text.
    case bytes
    /// Any JSON value.
    case any
    /// An object whose members nobody prescribes.
    case rawObject
    /// An object with fields, by its place in the table.
    case object(Int)
    /// The same, or any value that is no object: the nested schemas of a CustomResourceDefinition. What is unknown in
    /// such an object goes unreported.
    case objectOrAny(Int)
    indirect case array(SchemaShape)
    indirect case map(SchemaShape)
}

/// One field of an object type, with everything the API knows about it.
package final class SchemaField: Sendable {
    /// How server-side apply merges a list.
    package enum ListType: Sendable, Hashable {
        case atomic, set
        case map(keys: [String])
    }

    /// What the table says of a field beside its name and shape.
    struct Notes: Sendable {
        var isRequired = false
        var isAlwaysPrinted = false
        var isPrintedNull = false
        var isOmittedZero = false
        var defaultValue: JSON?
        var listType: ListType?
        var isAtomicMap = false
        var isGranular = false
        var isMerged = false
        var retainsKeys = false
        var isReplaced = false
        var mergeKey: String?
        var goType: String?
    }

    package let name: String
    package let shape: SchemaShape
    package let isRequired: Bool
    /// The server prints the field even where it is empty.
    package let isAlwaysPrinted: Bool
    /// The server prints the field as `null` where it is empty.
    package let isPrintedNull: Bool
    /// The server leaves the field out where it is zero, `""` or `false`: it cannot tell that from nothing.
    let isOmittedZero: Bool
    package let defaultValue: JSON?
    /// `nil` for what is no list, and for lists that say nothing (they are atomic).
    package let listType: ListType?
    package let isAtomicMap: Bool
    /// Server-side apply merges the object here although its type says otherwise.
    let isGranular: Bool
    /// Strategic merge patches merge this list instead of replacing it.
    package let isMerged: Bool
    /// Strategic merge patches may say which members to keep.
    package let retainsKeys: Bool
    /// Strategic merge patches replace this object as a whole.
    package let isReplaced: Bool
    /// By which member a strategic merge patch tells the elements of this list apart.
    package let mergeKey: String?
    /// The server's own name for a text type, which its decoding errors mention.
    package let goType: String?

    init(name: String, shape: SchemaShape, notes: Notes) {
        self.name = name
        self.shape = shape
        isRequired = notes.isRequired
        isAlwaysPrinted = notes.isAlwaysPrinted
        isPrintedNull = notes.isPrintedNull
        isOmittedZero = notes.isOmittedZero
        defaultValue = notes.defaultValue
        listType = notes.listType
        isAtomicMap = notes.isAtomicMap
        isGranular = notes.isGranular
        isMerged = notes.isMerged
        retainsKeys = notes.retainsKeys
        isReplaced = notes.isReplaced
        mergeKey = notes.mergeKey
        goType = notes.goType
    }
}

/// One object type of the API: its fields in the order in which the server prints them.
package final class SchemaType: Sendable {
    /// As in OpenAPI: `io.k8s.api.core.v1.Container`.
    package let name: String
    package let fields: [SchemaField]
    /// Server-side apply treats the whole object as one value.
    package let isAtomic: Bool
    /// `Container`.
    package let shortName: String
    private let places: [String: Int]

    init(name: String, fields: [SchemaField], isAtomic: Bool) {
        self.name = name
        self.fields = fields
        self.isAtomic = isAtomic
        shortName = name.split(separator: ".").last.map(String.init) ?? name
        places = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.name, $0) })
    }

    package func place(of field: String) -> Int? { places[field] }
    package func field(_ name: String) -> SchemaField? { places[name].map { fields[$0] } }

    /// As the server writes it in errors: `v1.Container`.
    var goName: String {
        let parts = name.split(separator: ".")
        return parts.suffix(2).joined(separator: ".")
    }
}

/// The built-in types of the Kubernetes API. Parsed once, at first use.
package final class SchemaTable: Sendable {
    package static let builtIn = SchemaTable(parsing: schemaTableText)

    let types: [SchemaType]
    private let byName: [String: Int]
    private let byKind: [String: Int]

    /// What the marks at the beginning of short names stand for.
    let prefixes: [Character: String]

    init(types: [SchemaType], kinds: [String: Int], prefixes: [Character: String] = [:]) {
        self.types = types
        self.prefixes = prefixes
        byKind = kinds
        byName = Dictionary(uniqueKeysWithValues: types.enumerated().map { ($1.name, $0) })
    }

    /// The schema of a built-in kind; `nil` for custom and unknown kinds. Core kinds have the group "".
    package func schema(group: String, version: String, kind: String) -> Schema? {
        byKind["\(group)/\(version)/\(kind)"].map { Schema(table: self, shape: .object($0)) }
    }

    /// The schema of an object's own kind.
    package func schema(of object: JSON) -> Schema? {
        guard let version = object["apiVersion"]?.string, let kind = object["kind"]?.string else { return nil }
        let place = byKind[version.contains("/") ? "\(version)/\(kind)" : "/\(version)/\(kind)"]
        return place.map { Schema(table: self, shape: .object($0)) }
    }

    package func schema(_ type: ResourceType) -> Schema? {
        schema(group: type.group, version: type.version, kind: type.kind)
    }

    /// The schema of a type by its full name, such as `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta`.
    package func schema(named name: String) -> Schema? {
        byName[name].map { Schema(table: self, shape: .object($0)) }
    }

    /// Every built-in kind as `group/version/kind`, with its type, sorted.
    var kinds: [(type: SchemaType, kind: String)] {
        byKind.map { (types[$0.value], $0.key) }.sorted { $0.kind < $1.kind }
    }
}

/// A place in the API's types: what the value there looks like.
package struct Schema: Sendable {
    let table: SchemaTable
    package let shape: SchemaShape

    /// The object type here, if the value is an object with fields.
    package var type: SchemaType? {
        switch shape {
        case .object(let place), .objectOrAny(let place): table.types[place]
        default: nil
        }
    }

    /// The field of that name, if the value here is an object with such a field.
    package func field(_ name: String) -> SchemaField? { type?.field(name) }

    /// What the member of that name looks like, for objects and maps.
    package func member(_ name: String) -> Schema? {
        switch shape {
        case .object(let place), .objectOrAny(let place):
            table.types[place].field(name).map { Schema(table: table, shape: $0.shape) }
        case .map(let element): Schema(table: table, shape: element)
        default: nil
        }
    }

    /// What the elements look like, for lists and maps.
    package var element: Schema? {
        switch shape {
        case .array(let element), .map(let element): Schema(table: table, shape: element)
        default: nil
        }
    }
}
