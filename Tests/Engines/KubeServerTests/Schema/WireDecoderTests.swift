// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("protobuf bodies")
struct WireDecoderTests {
    private func decode(_ bytes: [UInt8], _ kind: String, _ group: String = "") throws -> JSON {
        try WireDecoder.decode(bytes, in: 0..<bytes.count, as: builtIn(group, "v1", kind))
    }

    private func message(_ bytes: [UInt8], _ kind: String, _ group: String = "") -> String? {
        #expect(throws: WireError.self) { _ = try decode(bytes, kind, group) }?.message
    }

    /// A counted value: tag, length, bytes.
    private func counted(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    private func counted(_ number: UInt8, _ text: String) -> [UInt8] { counted(number, Array(text.utf8)) }

    @Test("what Go always writes and JSON leaves out is left out, a pointer's zero stays")
    func zeros() throws {
        // DeploymentSpec: replicas 0 is a pointer's, minReadySeconds 0 and paused false say nothing.
        let spec: [UInt8] = [0x08, 0x00, 0x28, 0x00, 0x38, 0x00]
        #expect(try decode(counted(2, spec), "Deployment", "apps") == ["spec": ["replicas": 0]])
        // Metadata: an empty name and an empty creation time, which Go prints as null.
        let metadata = counted(1, "") + counted(8, "")
        #expect(try decode(counted(1, metadata), "ConfigMap") == ["metadata": ["creationTimestamp": .null]])
    }

    @Test("maps to texts and to bytes keep their empty values, a later key wins")
    func maps() throws {
        let body =
            counted(2, counted(1, "a") + counted(2, "old")) + counted(2, counted(1, "a") + counted(2, "new"))
            + counted(2, counted(1, "none")) + counted(3, counted(1, "b") + counted(2, [0xFF, 0x00]))
            + counted(3, counted(1, "nil"))
        let object = try decode(body, "ConfigMap")
        #expect(object["data"] == ["a": "new", "none": ""])
        #expect(object["binaryData"] == ["b": "/wA=", "nil": ""])
    }

    @Test("members of an embedded message are the outer one's, and its parts make one message")
    func embedded() throws {
        // PodSpec.volumes: name 1, volumeSource 2 { configMap 19 { localObjectReference 1 { name 1 } } }.
        let reference = counted(1, counted(1, "settings"))
        let source = [0x9A, 0x01, UInt8(reference.count)] + reference
        let volume = counted(1, "v") + counted(2, source)
        let pod = counted(2, counted(1, volume))
        let object = try decode(pod, "Pod")
        #expect(object[path: "spec", "volumes"] == [["name": "v", "configMap": ["name": "settings"]]])
        let parts = counted(2, counted(3, "Never")) + counted(2, counted(10, "n1"))
        #expect(try decode(parts, "Pod") == ["spec": ["restartPolicy": "Never", "nodeName": "n1"]])
    }

    @Test("a number or a text, whole seconds, microseconds")
    func scalars() throws {
        // ServicePort: targetPort 4 IntOrString { type 1, intVal 2, strVal 3 }.
        let named = counted(1, counted(4, [0x08, 0x01, 0x10, 0x00] + counted(3, "http")))
        let numbered = counted(1, counted(4, [0x08, 0x00, 0x10, 0x50] + counted(3, "")))
        let service = try decode(counted(2, named + numbered), "Service")
        #expect(service[path: "spec", "ports"] == [["targetPort": "http"], ["targetPort": 80]])
        // LeaseSpec: renewTime 4, a time with nanoseconds, which JSON cuts to microseconds.
        let time: [UInt8] = [0x08, 0x80, 0xA8, 0xD6, 0xB9, 0x06, 0x10, 0xE9, 0x0F]
        let lease = try decode(counted(2, counted(4, time)), "Lease", "coordination.k8s.io")
        #expect(lease == ["spec": ["renewTime": "2024-11-14T06:09:04.000002Z"]])
    }

    @Test("unknown numbers are passed over, groups and all")
    func unknownNumbers() throws {
        let group: [UInt8] = [0xA3, 0x06, 0x08, 0x01, 0xAB, 0x06, 0xAC, 0x06, 0xA4, 0x06]
        let odd: [UInt8] = [0xA0, 0x06, 0x7F, 0xA5, 0x06, 1, 2, 3, 4, 0xA1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]
        let body = group + odd + counted(1, counted(1, "a"))
        #expect(try decode(body, "ConfigMap") == ["metadata": ["name": "a"]])
    }

    @Test("broken bytes are refused in the real server's words")
    func brokenBytes() {
        #expect(message([0x0A, 0x05, 0x0A], "ConfigMap") == "unexpected EOF")
        #expect(message([0x0A], "ConfigMap") == "unexpected EOF")
        let endless = [UInt8](repeating: 0xFF, count: 11)
        #expect(message(endless, "ConfigMap") == "proto: integer overflow")
        #expect(
            message([0x0A] + [UInt8](repeating: 0xFF, count: 9) + [0x01], "ConfigMap")
                == "proto: negative length found during unmarshaling"
        )
        #expect(message([0x08, 0x01], "ConfigMap") == "proto: wrong wireType = 0 for field ObjectMeta")
        #expect(message([0x0C], "ConfigMap") == "proto: ConfigMap: wiretype end group for non-group")
        #expect(message([0x00, 0x01], "ConfigMap") == "proto: ConfigMap: illegal tag 0 (wire type 0)")
        #expect(message([0xA6, 0x06], "ConfigMap") == "proto: illegal wireType 6")
    }

    @Test("a schema in a definition nests only so deep")
    func depth() throws {
        let definition = "CustomResourceDefinition"
        func nested(_ levels: Int) throws -> [UInt8] {
            var writer = counted(4, "end")
            for _ in 0..<levels { writer = [0xE2, 0x01] + varint(writer.count) + writer }  // not = 28
            // spec 2, versions 7, schema 4, openAPIV3Schema 1.
            for tag: UInt8 in [0x0A, 0x22, 0x3A, 0x12] { writer = [tag] + varint(writer.count) + writer }
            return writer
        }
        let fine = try nested(200)
        let deep = try nested(300)
        _ = try decode(fine, definition, "apiextensions.k8s.io")
        #expect(message(deep, definition, "apiextensions.k8s.io") == "proto: exceeded max recursion depth")
    }

    private func varint(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
