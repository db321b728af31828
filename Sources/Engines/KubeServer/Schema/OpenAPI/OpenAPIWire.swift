// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The protobuf form of an OpenAPI 2 document, which is all that kubectl accepts of it.
struct OpenAPIWire {
    static let contentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    /// The second is how clients have asked since before the first was found to be the correct one.
    static let accepted = [contentType, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"]

    private(set) var bytes: [UInt8] = []

    static func encode(_ document: JSON) -> [UInt8] {
        var wire = OpenAPIWire()
        wire.members(of: document, .document)
        return wire.bytes
    }

    private mutating func members(of json: JSON, _ message: OpenAPIMessage) {
        guard let object = json.object else { return }
        for (key, value) in object where !value.isNull {
            if let (number, shape) = message.fields[key] {
                write(number, value, shape)
            } else if let number = message.extensions, key.hasPrefix("x-") {
                pair(number, key, value, .any)
            }
        }
    }

    private mutating func write(_ number: Int, _ value: JSON, _ shape: OpenAPIShape) {
        switch shape {
        case .text: text(number, value.string ?? value.text)
        case .flag: if value.bool == true { varint(number, 1) }
        case .integer: if let int = value.int { varint(number, UInt64(bitPattern: Int64(int))) }
        case .double: if let double = value.double { fixed(number, double.bitPattern) }
        case .list(let element): for each in value.array ?? [value] { write(number, each, element) }
        case .any: inside(number) { $0.text(2, value.text + "\n") }
        case .message(let message): inside(number) { $0.members(of: value, message) }
        case .alone(let inner, let shape): inside(number) { $0.write(inner, value, shape) }
        case .pairs(let inner, let shape):
            inside(number) { for (key, each) in value.object ?? [:] { $0.pair(inner, key, each, shape) } }
        case .schema: inside(number) { $0.members(of: value, .schema) }
        case .schemaOrFlag:
            inside(number) { $0.write(value.bool == nil ? 1 : 2, value, value.bool == nil ? .schema : .flag) }
        case .parameter: parameter(number, value)
        }
    }

    /// A parameter's message depends on where it is sent.
    private mutating func parameter(_ number: Int, _ value: JSON) {
        inside(number) { item in
            item.inside(1) { parameter in
                switch value["in"]?.string {
                case "body": parameter.inside(1) { $0.members(of: value, .bodyParameter) }
                case "path": parameter.inside(2) { $0.write(4, value, .message(.pathParameter)) }
                default: parameter.inside(2) { $0.write(3, value, .message(.queryParameter)) }
                }
            }
        }
    }

    private mutating func pair(_ number: Int, _ name: String, _ value: JSON, _ shape: OpenAPIShape) {
        inside(number) {
            $0.text(1, name)
            $0.write(2, value, shape)
        }
    }

    private mutating func inside(_ number: Int, _ fill: (inout OpenAPIWire) -> Void) {
        var inner = OpenAPIWire()
        fill(&inner)
        counted(number, inner.bytes)
    }

    private mutating func text(_ number: Int, _ text: String) { counted(number, Array(text.utf8)) }

    private mutating func counted(_ number: Int, _ content: [UInt8]) {
        append(UInt64(number) << 3 | 2)
        append(UInt64(content.count))
        bytes += content
    }

    private mutating func varint(_ number: Int, _ value: UInt64) {
        append(UInt64(number) << 3)
        append(value)
    }

    private mutating func fixed(_ number: Int, _ bits: UInt64) {
        append(UInt64(number) << 3 | 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }

    private mutating func append(_ varint: UInt64) {
        var rest = varint
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
