// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// Each line of the text is one type of the schema table: its name there, then `field=path` for each of its fields, with
// notes behind the path. A path is the field's number; `2/19` is number 19 in a message that has number 2 here and no
// name in JSON, as its members appear among ours.
// Notes: ? the field tells zero from absent; a, b, s a schema or a list of schemas, a schema or a truth value, a map to
// schemas or lists of texts.

/// How a field travels, beside what the schema table says of it.
struct WireField: Sendable {
    enum Choice: Sendable {
        case schemaOrList, schemaOrBool, schemaOrTexts
    }

    /// Its place among the fields of the schema's type.
    var place: Int
    /// Zero, "" and false are values of their own; without this they are the same as nothing.
    var keepsZero = false
    var choice: Choice?
}

/// One message: what each number in it stands for.
final class WireMessage: Sendable {
    enum Member: Sendable {
        case field(WireField)
        /// A message whose members are the outer one's.
        case part(WireMessage)
    }

    let members: [Int32: Member]

    init(_ fields: [(path: [Int32], field: WireField)]) {
        var members: [Int32: Member] = [:]
        for (number, group) in Dictionary(grouping: fields, by: { $0.path[0] }) {
            if group.count == 1, group[0].path.count == 1 {
                members[number] = .field(group[0].field)
            } else {
                members[number] = .part(WireMessage(group.map { (Array($0.path.dropFirst()), $0.field) }))
            }
        }
        self.members = members
    }
}

/// The protobuf form of the built-in types. Parsed once, at first use.
final class WireTable: Sendable {
    static let builtIn = WireTable(parsing: wireTableText, of: .builtIn)

    let schemas: SchemaTable
    private let messages: [String: WireMessage]

    func message(_ type: SchemaType) -> WireMessage? { messages[type.name] }

    /// Reads the text that scripts/make-wire-table writes. A broken text is a broken build: it traps.
    init(parsing text: String, of schemas: SchemaTable) {
        self.schemas = schemas
        var messages: [String: WireMessage] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let type = schemas.schema(named: schemas.fullName(words[0]))?.type else {
                preconditionFailure("the wire table names an unknown type: \(words[0])")
            }
            messages[type.name] = WireMessage(words.dropFirst().map { Self.field($0, of: type) })
        }
        self.messages = messages
    }

    private static func field(_ word: Substring, of type: SchemaType) -> (path: [Int32], field: WireField) {
        let parts = word.split(separator: "=")
        guard parts.count == 2, let place = type.place(of: String(parts[0])) else {
            preconditionFailure("the wire table holds an unknown field: \(type.name) \(word)")
        }
        let numbers = parts[1].prefix { $0.isNumber || $0 == "/" }
        var field = WireField(place: place)
        for note in parts[1].dropFirst(numbers.count) {
            switch note {
            case "?": field.keepsZero = true
            case "a": field.choice = .schemaOrList
            case "b": field.choice = .schemaOrBool
            case "s": field.choice = .schemaOrTexts
            default: preconditionFailure("the wire table holds an unknown note: \(word)")
            }
        }
        return (numbers.split(separator: "/").compactMap { Int32($0) }, field)
    }
}
