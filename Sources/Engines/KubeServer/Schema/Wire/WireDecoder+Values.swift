// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension WireDecoder {
    /// Reads one value of that shape; of a list or map, one element.
    func read(_ value: WireValue, _ shape: SchemaShape, _ reader: inout WireReader) throws(WireError) -> JSON {
        if let form = shape.numberForm { return try number(value, shape, form, &reader) }
        return try read(value, shape, in: try reader.counted(value.tag, field: value.goName))
    }

    /// What stands for a value that its message leaves out.
    func absent(_ value: WireValue, _ shape: SchemaShape) throws(WireError) -> JSON {
        guard shape.numberForm == nil else { return shape == .bool ? false : 0 }
        return try read(value, shape, in: 0..<0)
    }

    private func read(_ value: WireValue, _ shape: SchemaShape, in range: Range<Int>) throws(WireError) -> JSON {
        if let choice = value.wire.choice { return try chosen(choice, range, depth: value.depth) }
        switch shape {
        case .string: return .string(String(decoding: bytes[range], as: UTF8.self))
        case .bytes: return .string(Base64.encode(Array(bytes[range])))
        case .quantity: return .string(try quantity(range))
        case .intOrString: return try intOrString(range)
        case .time: return try time(range, isMicro: false)
        case .microTime: return try time(range, isMicro: true)
        case .any, .rawObject: return try raw(range)
        case .object(let place): return try object([range], table.schemas.types[place], depth: value.depth)
        case .array(let element): return .array(try items(value, element, range))
        // No kind has a map in a map, and a schema that may be something else is a choice.
        case .map, .objectOrAny: return .null
        case .int32, .int64, .double, .bool: return .null
        }
    }

    private func number(
        _ value: WireValue,
        _ shape: SchemaShape,
        _ form: WireTag.Form,
        _ reader: inout WireReader
    ) throws(WireError) -> JSON {
        try reader.expect(form, value.tag, field: value.goName)
        guard form == .varint else { return try double(Double(bitPattern: try reader.eightBytes())) }
        let bits = try reader.varint()
        return switch shape {
        case .bool: .bool(bits != 0)
        case .int32: JSON(Int(Int32(truncatingIfNeeded: bits)))
        default: JSON(Int(Int64(bitPattern: bits)))
        }
    }

    private func double(_ number: Double) throws(WireError) -> JSON {
        guard number.isFinite else { throw WireError(message: "json: unsupported value: \(number)") }
        guard let whole = Int(exactly: number), abs(number) < 1e15 else {
            return .number(JSONNumber(text: "\(number)"))
        }
        return JSON(whole)
    }

    /// A list that is a value of a map or list: a message whose first field repeats.
    private func items(
        _ value: WireValue,
        _ element: SchemaShape,
        _ range: Range<Int>
    ) throws(WireError) -> [JSON] {
        var reader = WireReader(bytes, in: range)
        var items: [JSON] = []
        while let tag = try reader.tag(in: value.goName) {
            var item = value
            item.tag = tag
            guard tag.number == 1 else {
                try reader.skip(tag)
                continue
            }
            items.append(try read(item, element, &reader))
        }
        return items
    }

    private func quantity(_ range: Range<Int>) throws(WireError) -> String {
        var reader = WireReader(bytes, in: range)
        var text = "0"
        while let tag = try reader.tag(in: "Quantity") {
            guard tag.number == 1 else {
                try reader.skip(tag)
                continue
            }
            text = String(decoding: bytes[try reader.counted(tag, field: "String_")], as: UTF8.self)
        }
        return text
    }

    private func intOrString(_ range: Range<Int>) throws(WireError) -> JSON {
        var reader = WireReader(bytes, in: range)
        var kind: UInt64 = 0
        var number: Int32 = 0
        var text = ""
        while let tag = try reader.tag(in: "IntOrString") {
            switch tag.number {
            case 1:
                try reader.expect(.varint, tag, field: "Type")
                kind = try reader.varint()
            case 2:
                try reader.expect(.varint, tag, field: "IntVal")
                number = Int32(truncatingIfNeeded: try reader.varint())
            case 3: text = String(decoding: bytes[try reader.counted(tag, field: "StrVal")], as: UTF8.self)
            default: try reader.skip(tag)
            }
        }
        switch kind {
        case 0: return JSON(Int(number))
        case 1: return .string(text)
        default: throw WireError(message: "impossible IntOrString.Type")
        }
    }

    /// An empty message is no time.
    private func time(_ range: Range<Int>, isMicro: Bool) throws(WireError) -> JSON {
        guard !range.isEmpty else { return .null }
        var reader = WireReader(bytes, in: range)
        var seconds: Int64 = 0
        var nanos: Int64 = 0
        while let tag = try reader.tag(in: "Timestamp") {
            switch tag.number {
            case 1:
                try reader.expect(.varint, tag, field: "Seconds")
                seconds = Int64(bitPattern: try reader.varint())
            case 2:
                try reader.expect(.varint, tag, field: "Nanos")
                nanos = Int64(Int32(truncatingIfNeeded: try reader.varint()))
            default: try reader.skip(tag)
            }
        }
        guard Timestamp(seconds: seconds).hasCommonYear else {
            throw WireError(message: "time \(seconds) s from 1970 is out of range")
        }
        guard isMicro else { return .string(Timestamp(seconds: seconds).description) }
        return .string(Timestamp(seconds: seconds, nanoseconds: nanos).microText)
    }

    /// JSON that travels as it is.
    private func raw(_ range: Range<Int>) throws(WireError) -> JSON {
        var reader = WireReader(bytes, in: range)
        var text = range.upperBound..<range.upperBound
        while let tag = try reader.tag(in: "RawExtension") {
            guard tag.number == 1 else {
                try reader.skip(tag)
                continue
            }
            text = try reader.counted(tag, field: "Raw")
        }
        guard !text.isEmpty else { return .null }
        let body = Array(bytes[text])
        do {
            return try JSON(parsing: body)
        } catch {
            throw WireError(message: GoJSONErrors.text(error, in: body))
        }
    }

    /// What JSON shows of a message that holds one thing or another.
    private func chosen(_ choice: WireField.Choice, _ range: Range<Int>, depth: Int) throws(WireError) -> JSON {
        let name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
        guard let schema = table.schemas.schema(named: name)?.type else { return .null }
        // A truth value stands first and moves the schema to the second place.
        let (schemaNumber, listNumber): (Int32, Int32) = choice == .schemaOrBool ? (2, 1) : (1, 2)
        var reader = WireReader(bytes, in: range)
        var parts: [Range<Int>] = []
        var list: [JSON] = []
        var isAllowed = false
        while let tag = try reader.tag(in: "JSONSchemaProps") {
            switch (tag.number, choice) {
            case (schemaNumber, _): parts.append(try reader.counted(tag, field: "Schema"))
            case (listNumber, .schemaOrBool):
                try reader.expect(.varint, tag, field: "Allows")
                isAllowed = try reader.varint() != 0
            case (listNumber, .schemaOrList):
                list.append(try object([try reader.counted(tag, field: "JSONSchemas")], schema, depth: depth))
            case (listNumber, .schemaOrTexts):
                list.append(.string(String(decoding: bytes[try reader.counted(tag, field: "Property")], as: UTF8.self)))
            default: try reader.skip(tag)
            }
        }
        guard list.isEmpty else { return .array(list) }
        guard parts.isEmpty else { return try object(parts, schema, depth: depth) }
        return choice == .schemaOrBool ? .bool(isAllowed) : .null
    }
}
