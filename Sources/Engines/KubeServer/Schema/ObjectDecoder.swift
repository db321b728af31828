// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// An object as the server stores it, with what strict field validation has to say about the text it came from.
package struct DecodedObject: Sendable {
    /// Only known fields, in the server's order, with values in their canonical form.
    package var object: JSON
    /// `unknown field "spec.replicass"` and `duplicate field "data.a"`, in the order of the text, at most 100.
    package var problems: [String]
}

/// Why an object of a built-in kind does not decode, in the words of the real server.
package struct DecodingError: Error, Equatable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
}

/// Reads objects of built-in kinds as the real server's decoder does.
///
/// Checks types, drops unknown fields, `null`s and what is empty or zero and optional, brings quantities, times and base64
/// into canonical form, sorts maps by key and fields into the server's order, so that equal objects print equal bytes.
/// Reading its own output changes nothing.
package enum ObjectDecoder {
    /// - Parameter duplicates: ``JSONParser/duplicates`` of the text the value came from.
    package static func decode(
        _ value: JSON,
        as schema: Schema,
        duplicates: [String] = []
    ) throws(DecodingError) -> DecodedObject {
        var walk = DecodingWalk(table: schema.table, duplicates: Set(duplicates))
        let object = try walk.read(value, schema.shape)
        if let error = walk.typeError { throw DecodingError(message: error) }
        return DecodedObject(object: object, problems: walk.problems.prefix(100).map(\.text))
    }
}

/// One pass over a value along its type.
struct DecodingWalk {
    struct Problem {
        enum Kind: String {
            case unknown, duplicate
        }

        var kind: Kind
        /// The path from the value being read; the callers put theirs in front.
        var path: String

        var text: String { "\(kind.rawValue) field \"\(path)\"" }
    }

    let table: SchemaTable
    private(set) var problems: [Problem] = []
    /// The first wrong type. The real decoder goes on after one, and a malformed quantity, time or base64 text that
    /// comes later wins over it.
    private(set) var typeError: String?

    private let duplicates: Set<String>
    /// Names of the fields on the way here, without indices and keys: what type errors show.
    private var fieldNames: [String] = []
    /// The type that holds the field being read.
    private var owner: SchemaType?
    /// The exact path, kept only where duplicates must be recognised.
    private var path = ""

    init(table: SchemaTable, duplicates: Set<String>) {
        self.table = table
        self.duplicates = duplicates
    }

    mutating func read(_ value: JSON, _ shape: SchemaShape, goType: String? = nil) throws(DecodingError) -> JSON {
        switch (shape, value) {
        case (.any, _), (.rawObject, _): return value
        case (_, .null): return zero(of: shape)
        case (.objectOrAny(let place), .object(let members)):
            let known = problems.count
            defer { problems.removeSubrange(known...) }
            return .object(try read(members, table.types[place]))
        case (.objectOrAny, _): return value
        case (.object(let place), .object(let members)): return .object(try read(members, table.types[place]))
        case (.array(let element), .array(let values)): return .array(try read(values, element))
        case (.map(let element), .object(let members)): return .object(try read(members, mapOf: element))
        case (.string, .string), (.bool, .bool), (.double, .number): return value
        case (.int32, .number(let number)): return whole(value, number, bits: 32)
        case (.int64, .number(let number)): return whole(value, number, bits: 64)
        default: return try readScalar(value, shape, goType: goType)
        }
    }

    private mutating func readScalar(
        _ value: JSON,
        _ shape: SchemaShape,
        goType: String?
    ) throws(DecodingError) -> JSON {
        switch (shape, value) {
        case (.quantity, .string(let text)): return .string(try ScalarText.quantity(text))
        case (.quantity, .number(let number)): return .string(try ScalarText.quantity(number.text))
        case (.quantity, _): throw ScalarText.badQuantity
        case (.intOrString, .string): return value
        case (.intOrString, .number(let number)):
            guard Int32(number.text) != nil else {
                throw DecodingError(message: "json: cannot unmarshal number \(number.text) into Go value of type int32")
            }
            return value
        case (.intOrString, _):
            throw DecodingError(message: "json: cannot unmarshal \(value.goKind) into Go value of type int32")
        case (.time, .string(let text)): return .string(try ScalarText.time(text).description)
        case (.microTime, .string(let text)): return .string(try ScalarText.time(text, isMicro: true).microText)
        case (.time, _), (.microTime, _):
            throw DecodingError(message: "json: cannot unmarshal \(value.goKind) into Go value of type string")
        case (.bytes, .string(let text)):
            if let offset = ScalarText.base64Problem(text) {
                throw DecodingError(message: "illegal base64 data at input byte \(offset)")
            }
            return text.utf8.contains { $0 == 0x0A || $0 == 0x0D } ? .string(text.filter { !$0.isNewline }) : value
        default:
            note(value.goKind, shape, goType: goType)
            return zero(of: shape)
        }
    }

    private mutating func whole(_ value: JSON, _ number: JSONNumber, bits: Int) -> JSON {
        let fits = bits == 32 ? Int32(number.text) != nil : Int64(number.text) != nil
        guard fits else {
            note("number \(number.text)", bits == 32 ? .int32 : .int64, goType: nil)
            return 0
        }
        return value
    }

    /// What Go's decoder leaves where a `null` was written into a list or map.
    private func zero(of shape: SchemaShape) -> JSON {
        switch shape {
        case .string, .bytes: ""
        case .int32, .int64, .double, .intOrString: 0
        case .bool: false
        case .quantity: "0"
        case .object(let place): .object(emptyObject(table.types[place]))
        case .array, .map, .time, .microTime, .any, .rawObject, .objectOrAny: .null
        }
    }

    /// The fields that the server prints even for an empty object.
    private func emptyObject(_ type: SchemaType) -> JSONObject {
        var object: JSONObject = [:]
        for field in type.fields {
            if field.isPrintedNull {
                object[field.name] = JSON.null
            } else if field.isPrintedEmpty {
                object[field.name] = zero(of: field.shape)
            }
        }
        return object
    }

    private mutating func note(_ kind: String, _ shape: SchemaShape, goType: String?) {
        guard typeError == nil else { return }
        let type = goType ?? goName(of: shape)
        guard let owner else {
            typeError = "json: cannot unmarshal \(kind) into Go value of type \(type)"
            return
        }
        let path = fieldNames.joined(separator: ".")
        typeError = "json: cannot unmarshal \(kind) into Go struct field \(owner.shortName).\(path) of type \(type)"
    }

    private func goName(of shape: SchemaShape) -> String {
        switch shape {
        case .string: "string"
        case .int32: "int32"
        case .int64: "int64"
        case .double: "float64"
        case .bool: "bool"
        case .bytes: "[]uint8"
        case .quantity: "resource.Quantity"
        case .intOrString: "intstr.IntOrString"
        case .time: "v1.Time"
        case .microTime: "v1.MicroTime"
        case .any, .rawObject: "map[string]interface {}"
        case .object(let place), .objectOrAny(let place): table.types[place].goName
        case .array(let element): "[]\(goName(of: element))"
        case .map(.quantity): "v1.ResourceList"
        case .map(let element): "map[string]\(goName(of: element))"
        }
    }
}

extension DecodingWalk {
    private mutating func read(_ members: JSONObject, _ type: SchemaType) throws(DecodingError) -> JSONObject {
        let outerOwner = owner
        let outerPath = path
        defer {
            owner = outerOwner
            path = outerPath
        }
        var values = [JSON?](repeating: nil, count: type.fields.count)
        for (key, member) in members {
            guard let place = type.place(of: key) else {
                problems.append(Problem(kind: .unknown, path: key))
                continue
            }
            let field = type.fields[place]
            owner = type
            fieldNames.append(key)
            if !duplicates.isEmpty { path = outerPath.isEmpty ? key : "\(outerPath).\(key)" }
            let known = problems.count
            values[place] = member.isNull ? JSON?.none : try read(member, field.shape, goType: field.goType)
            if problems.count > known { prefixProblems(since: known, with: key) }
            noteDuplicate(key)
            fieldNames.removeLast()
        }
        return printed(values, type)
    }

    /// Lays the values out in the server's order, without what is empty and optional.
    private func printed(_ values: [JSON?], _ type: SchemaType) -> JSONObject {
        var object = JSONObject(capacity: values.count)
        for (place, field) in type.fields.enumerated() {
            switch values[place] {
            case .array(let elements)? where elements.isEmpty && !field.isRequired && !field.isPrintedNull: break
            case .object(let members)? where members.isEmpty && field.isOmittedEmpty: break
            case let value? where field.isOmittedZero && value.isZero: break
            case let value?: object.appendUnique(field.name, value)
            case nil where field.isPrintedNull: object.appendUnique(field.name, .null)
            case nil where field.isPrintedEmpty: object.appendUnique(field.name, zero(of: field.shape))
            case nil: break
            }
        }
        return object
    }

    private mutating func read(_ values: [JSON], _ element: SchemaShape) throws(DecodingError) -> [JSON] {
        let outerPath = path
        defer { path = outerPath }
        var result: [JSON] = []
        result.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            if !duplicates.isEmpty { path = "\(outerPath)[\(place)]" }
            let known = problems.count
            result.append(try read(value, element))
            if problems.count > known { prefixProblems(since: known, with: "[\(place)]") }
        }
        return result
    }

    private mutating func read(_ members: JSONObject, mapOf element: SchemaShape) throws(DecodingError) -> JSONObject {
        let outerPath = path
        defer { path = outerPath }
        var result: [(String, JSON)] = []
        result.reserveCapacity(members.count)
        for (key, member) in members {
            if !duplicates.isEmpty { path = outerPath.isEmpty ? key : "\(outerPath).\(key)" }
            let known = problems.count
            let value = try read(member, element)
            // What amounts to less than a thousandth counts as one.
            result.append((key, element == .quantity ? ScalarText.roundedUp(value) : value))
            if problems.count > known { prefixProblems(since: known, with: key) }
            noteDuplicate(key)
        }
        result.sort { $0.0 < $1.0 }
        return JSONObject(unique: result)
    }

    private mutating func noteDuplicate(_ key: String) {
        guard !duplicates.isEmpty, duplicates.contains(path) else { return }
        problems.append(Problem(kind: .duplicate, path: key))
    }

    private mutating func prefixProblems(since start: Int, with step: String) {
        for place in problems[start...].indices {
            let tail = problems[place].path
            problems[place].path = tail.hasPrefix("[") ? step + tail : "\(step).\(tail)"
        }
    }
}

extension JSON {
    /// `""`, `0` or `false`.
    fileprivate var isZero: Bool {
        switch self {
        case .string(let text): text.isEmpty
        case .number(let number): number.text.allSatisfy { "0.-".contains($0) }
        case .bool(let flag): !flag
        default: false
        }
    }
}

extension SchemaField {
    /// Whether the server prints it where the client wrote nothing: as `""`, `0`, `{}`, or `null` for times and lists.
    fileprivate var isPrintedEmpty: Bool {
        if isAlwaysPrinted { return true }
        guard isRequired, case .array = shape else { return false }
        return true
    }

    /// Maps vanish where they are empty; objects are pointers or structs and stay.
    fileprivate var isOmittedEmpty: Bool {
        guard case .map = shape else { return false }
        return !isRequired
    }
}
