// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Reads protobuf messages of built-in kinds into the JSON that a Go client would have sent of the same object.
///
/// What Go always writes in protobuf and leaves out of JSON, such as empty texts, is left out here. Unknown numbers are
/// passed over. Names, types and times are as the message has them: ``ObjectDecoder`` settles the rest. The cost is
/// linear in the bytes, and nesting has a limit.
struct WireDecoder {
    /// More than any object needs; only schemas in a CustomResourceDefinition nest without end.
    static let depthLimit = 256

    let bytes: [UInt8]
    let table: WireTable

    static func decode(
        _ bytes: [UInt8],
        in range: Range<Int>,
        as schema: Schema,
        table: WireTable = .builtIn
    ) throws(WireError) -> JSON {
        guard let type = schema.type else { return .null }
        return try WireDecoder(bytes: bytes, table: table).object([range], type, depth: 0)
    }

    /// Reads a message that came in parts; laid end to end they are the message.
    func object(_ parts: [Range<Int>], _ type: SchemaType, depth: Int) throws(WireError) -> JSON {
        guard depth < Self.depthLimit else { throw .tooDeep }
        guard let message = table.message(type) else { return [:] }
        var found = [Gathered](repeating: .nothing, count: type.fields.count)
        for part in parts { try gather(part, message, type, into: &found, depth: depth) }
        var object = JSONObject(capacity: found.count)
        for (gathered, field) in zip(found, type.fields) {
            guard let value = try settle(gathered, field.shape, depth: depth) else { continue }
            object.appendUnique(field.name, value)
        }
        return .object(object)
    }

    /// What was read of a field while its message goes on.
    private enum Gathered {
        case nothing
        case value(JSON)
        case list([JSON])
        case map([String: JSON])
        case parts([Range<Int>])
    }

    private func settle(_ gathered: Gathered, _ shape: SchemaShape, depth: Int) throws(WireError) -> JSON? {
        switch (gathered, shape) {
        case (.value(let value), _): value
        case (.list(let values), _): .array(values)
        case (.map(let members), _): .object(JSONObject(unique: members.map { ($0.key, $0.value) }))
        case (.parts(let parts), .object(let place)): try object(parts, table.schemas.types[place], depth: depth + 1)
        case (.parts, _), (.nothing, _): nil
        }
    }

    private func gather(
        _ range: Range<Int>,
        _ message: WireMessage,
        _ type: SchemaType,
        into found: inout [Gathered],
        depth: Int
    ) throws(WireError) {
        var reader = WireReader(bytes, in: range)
        while let tag = try reader.tag(in: type.shortName) {
            switch message.members[tag.number] {
            case .field(let field):
                let value = WireValue(tag: tag, schema: type.fields[field.place], wire: field, depth: depth + 1)
                try gather(value, &reader, into: &found[field.place])
            case .part(let part):
                let range = try reader.counted(tag, field: "\(type.shortName)Source")
                try gather(range, part, type, into: &found, depth: depth)
            case nil: try reader.skip(tag)
            }
        }
    }

    private func gather(_ value: WireValue, _ reader: inout WireReader, into gathered: inout Gathered) throws(WireError)
    {
        switch value.schema.shape {
        case .array(let element):
            var list: [JSON] = []
            if case .list(let known) = gathered { list = known }
            // The list has one owner again, so that appending copies nothing.
            gathered = .nothing
            try append(value, element, &reader, to: &list)
            gathered = .list(list)
        case .map(let element):
            var map: [String: JSON] = [:]
            if case .map(let known) = gathered { map = known }
            gathered = .nothing
            let (key, member) = try entry(value, element, try reader.counted(value.tag, field: value.goName))
            map[key] = member
            gathered = .map(map)
        case .object:
            var parts: [Range<Int>] = []
            if case .parts(let known) = gathered { parts = known }
            gathered = .nothing
            parts.append(try reader.counted(value.tag, field: value.goName))
            gathered = .parts(parts)
        case let shape:
            let read = try self.read(value, shape, &reader)
            gathered = !value.wire.keepsZero && read.isGoZero(shape) ? .nothing : .value(read)
        }
    }

    /// Numbers may come many in one value.
    private func append(
        _ value: WireValue,
        _ element: SchemaShape,
        _ reader: inout WireReader,
        to list: inout [JSON]
    ) throws(WireError) {
        guard value.tag.form == .counted, let form = element.numberForm else {
            return list.append(try read(value, element, &reader))
        }
        var packed = WireReader(bytes, in: try reader.counted())
        var one = value
        one.tag.rawForm = form.rawValue
        while !packed.isAtEnd { list.append(try read(one, element, &packed)) }
    }

    private func entry(
        _ value: WireValue,
        _ element: SchemaShape,
        _ range: Range<Int>
    ) throws(WireError) -> (key: String, member: JSON) {
        var reader = WireReader(bytes, in: range)
        var key = ""
        var member: JSON?
        while let tag = try reader.tag(in: value.goName) {
            var part = value
            part.tag = tag
            switch tag.number {
            case 1: key = String(decoding: bytes[try reader.counted(tag, field: value.goName)], as: UTF8.self)
            case 2: member = try read(part, element, &reader)
            default: try reader.skip(tag)
            }
        }
        guard let member else { return (key, try absent(value, element)) }
        return (key, member)
    }
}

/// One value of a field, about to be read.
struct WireValue {
    var tag: WireTag
    let schema: SchemaField
    let wire: WireField
    /// Of the message in this value, if it is one.
    let depth: Int

    /// The field's name in errors. Go's own differs in abbreviations.
    var goName: String {
        schema.name == "metadata" ? "ObjectMeta" : schema.name.prefix(1).uppercased() + schema.name.dropFirst()
    }
}

extension SchemaShape {
    /// How a number of that shape travels; `nil` for what is none.
    var numberForm: WireTag.Form? {
        switch self {
        case .int32, .int64, .bool: .varint
        case .double: .eightBytes
        default: nil
        }
    }
}

extension JSON {
    /// Whether Go's JSON leaves a field with that value out. Structs are never left out.
    fileprivate func isGoZero(_ shape: SchemaShape) -> Bool {
        switch shape {
        case .string, .bytes: string?.isEmpty == true
        case .int32, .int64, .double: double == 0
        case .bool: bool == false
        default: false
        }
    }
}
