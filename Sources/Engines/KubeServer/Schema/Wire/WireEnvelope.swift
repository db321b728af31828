// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What a body in `application/vnd.kubernetes.protobuf` begins with: four bytes that tell it apart, then a message that
/// names the type and holds the object's own message.
struct WireEnvelope {
    static let contentType = "application/vnd.kubernetes.protobuf"
    static let mark: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

    private(set) var apiVersion = ""
    private(set) var kind = ""
    /// Where in the body the object's message lies.
    private(set) var object: Range<Int>

    init(_ body: [UInt8]) throws(WireError) {
        guard !body.isEmpty else { throw WireError(message: "empty data") }
        guard body.starts(with: Self.mark) else {
            throw WireError(
                message: "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
            )
        }
        guard body.count > Self.mark.count else { throw WireError(message: "empty body") }
        object = body.endIndex..<body.endIndex
        var reader = WireReader(body, in: Self.mark.count..<body.count)
        while let tag = try reader.tag(in: "Unknown") {
            switch tag.number {
            case 1: try readType(body, in: try reader.counted(tag, field: "TypeMeta"))
            case 2: object = try reader.counted(tag, field: "Raw")
            case 3: _ = try reader.counted(tag, field: "ContentEncoding")
            case 4: _ = try reader.counted(tag, field: "ContentType")
            default: try reader.skip(tag)
            }
        }
    }

    private mutating func readType(_ body: [UInt8], in range: Range<Int>) throws(WireError) {
        var reader = WireReader(body, in: range)
        while let tag = try reader.tag(in: "TypeMeta") {
            switch tag.number {
            case 1: apiVersion = String(decoding: body[try reader.counted(tag, field: "APIVersion")], as: UTF8.self)
            case 2: kind = String(decoding: body[try reader.counted(tag, field: "Kind")], as: UTF8.self)
            default: try reader.skip(tag)
            }
        }
    }
}

extension WireReader {
    /// A counted value, where the tag says that one follows.
    mutating func counted(_ tag: WireTag, field: String) throws(WireError) -> Range<Int> {
        try expect(.counted, tag, field: field)
        return try counted()
    }

    func expect(_ form: WireTag.Form, _ tag: WireTag, field: String) throws(WireError) {
        guard tag.form == form else {
            throw WireError(message: "proto: wrong wireType = \(tag.rawForm) for field \(field)")
        }
    }
}
