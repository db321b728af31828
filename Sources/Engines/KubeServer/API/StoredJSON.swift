// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The stored form of objects: JSON text without `apiVersion` and `kind`, which begins with the resource version.
///
/// `{"metadata":{"resourceVersion":"7","name":…},"spec":…}`. So a write adds its revision without printing the object
/// anew, a list is its items side by side, and an answer puts `kind` and `apiVersion` in front.
struct StoredJSON: Sendable {
    private static let head = Array(#"{"metadata":{"resourceVersion":""#.utf8)

    private let tail: [UInt8]

    /// Prints the object; `apiVersion`, `kind` and `metadata.resourceVersion` are left out.
    init(_ object: JSON) {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        bytes.reserveCapacity(512)
        for (key, value) in object["metadata"]?.object ?? [:] where key != "resourceVersion" {
            Self.append(key, value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        for (key, value) in object.object ?? [:] where !["metadata", "apiVersion", "kind"].contains(key) {
            Self.append(key, value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        tail = bytes
    }

    private static func append(_ key: String, _ value: JSON, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: ","))
        JSON.writeString(key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.write(to: &bytes)
    }

    /// The bytes to store under that revision.
    func bytes(at revision: Revision) -> [UInt8] {
        var output = Self.head
        output.reserveCapacity(Self.head.count + tail.count + 20)
        output.append(contentsOf: String(revision.number).utf8)
        output.append(contentsOf: tail)
        return output
    }

    /// The bytes of an object that is not stored and has no revision.
    var bytesWithoutRevision: [UInt8] { Array("{\"metadata\":{".utf8) + tail.dropFirst(2) }

    /// Reads stored bytes; `apiVersion` and `kind` come first again where a type is given.
    static func parse(_ bytes: [UInt8], as type: ResourceType?) throws(KubeStatus) -> JSON {
        let object: JSON
        do {
            object = try JSON(parsing: bytes)
        } catch {
            throw .fault("a stored object cannot be read: \(error)")
        }
        return type.map { typed(object, $0) } ?? object
    }

    static func typed(_ object: JSON, _ type: ResourceType) -> JSON {
        var whole: JSONObject = ["kind": .string(type.kind), "apiVersion": .string(type.apiVersion)]
        for (key, value) in object.object ?? [:] where key != "kind" && key != "apiVersion" { whole[key] = value }
        return .object(whole)
    }

    /// `{"kind":"Pod","apiVersion":"v1",`: what goes before the stored bytes without their first brace.
    static func preamble(_ type: ResourceType) -> [UInt8] {
        var bytes = Array("{\"kind\":".utf8)
        JSON.writeString(type.kind, to: &bytes)
        bytes.append(contentsOf: ",\"apiVersion\":".utf8)
        JSON.writeString(type.apiVersion, to: &bytes)
        bytes.append(UInt8(ascii: ","))
        return bytes
    }

    /// Appends the whole object.
    static func splice(_ stored: [UInt8], preamble: [UInt8], to output: inout [UInt8]) {
        output.append(contentsOf: preamble)
        output.append(contentsOf: stored.dropFirst())
    }
}
