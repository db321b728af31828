// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Testing

@testable import KubeServer

/// Bodies that kubectl 1.37 sent to a listener of ours, and what it printed for the same arguments with
/// `--dry-run=client -o json`: `Fuzz/kube-body/NAME` and `KubectlBodies/NAME.json` in the corpus.
@Suite("bodies recorded from kubectl")
struct KubectlBodyTests {
    static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpus").path

    static let names = [
        "clusterrole", "configmap", "cronjob", "definition", "deployment", "ingress", "job", "namespace",
        "poddisruptionbudget",
        "priorityclass", "quota", "rolebinding", "secret-docker", "secret-generic", "service-clusterip",
        "service-externalname", "service-headless", "service-nodeport", "serviceaccount", "token",
    ]

    static func body(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(corpus)/Fuzz/kube-body/\(name)")))
    }

    @Test("each reads as the object that kubectl prints", arguments: names)
    func readsAsPrinted(_ name: String) throws {
        let printed = try JSON(
            parsing: Array(try Data(contentsOf: URL(filePath: "\(Self.corpus)/KubectlBodies/\(name).json")))
        )
        let schema = try #require(SchemaTable.builtIn.schema(of: printed))
        let body = try Self.body(name)
        let envelope = try WireEnvelope(body)
        var read: JSON = ["kind": .string(envelope.kind), "apiVersion": .string(envelope.apiVersion)]
        for (key, value) in try WireDecoder.decode(body, in: envelope.object, as: schema).object ?? [:] {
            read[key] = value
        }
        // The namespace is in the path of the request, and some commands leave it out of the object they send.
        var expected = printed
        if read[path: "metadata", "namespace"] == nil { expected.set(nil, at: ["metadata", "namespace"]) }
        let decoded = try ObjectDecoder.decode(read, as: schema)
        #expect(decoded.problems.isEmpty)
        #expect(try decoded.object.text == ObjectDecoder.decode(expected, as: schema).object.text)
    }

    @Test("cut short anywhere, each is refused or read, and never traps", arguments: names)
    func cutShort(_ name: String) throws {
        let body = try Self.body(name)
        let envelope = try WireEnvelope(body)
        let schema = try #require(
            SchemaTable.builtIn.schema(of: ["kind": .string(envelope.kind), "apiVersion": .string(envelope.apiVersion)])
        )
        for end in envelope.object.lowerBound..<envelope.object.upperBound {
            _ = try? WireDecoder.decode(body, in: envelope.object.lowerBound..<end, as: schema)
            #expect(throws: WireError.self) { _ = try WireEnvelope(Array(body[..<end])) }
        }
    }

    @Test("with any byte changed, each is refused or read, and never traps", arguments: names)
    func changed(_ name: String) throws {
        let body = try Self.body(name)
        for place in body.indices.dropFirst(WireEnvelope.mark.count) {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var broken = body
                broken[place] ^= mask
                guard let envelope = try? WireEnvelope(broken) else { continue }
                let head: JSON = ["kind": .string(envelope.kind), "apiVersion": .string(envelope.apiVersion)]
                guard let schema = SchemaTable.builtIn.schema(of: head),
                    let read = try? WireDecoder.decode(broken, in: envelope.object, as: schema),
                    let object = try? ObjectDecoder.decode(read, as: schema).object
                else { continue }
                #expect(try ObjectDecoder.decode(object, as: schema).object == object, "byte \(place)")
            }
        }
    }
}

@Suite("the API with protobuf bodies")
struct ProtobufRequestTests {
    private static let protobuf = "application/vnd.kubernetes.protobuf"

    /// A server that has the namespace 'shop', made by protobuf.
    private func serverWithShop() async throws -> TestServer {
        let test = try await TestServer()
        let body = try KubectlBodyTests.body("namespace")
        let created = await test.send("POST", "/api/v1/namespaces", bytes: body, contentType: Self.protobuf)
        try #require(created.status == 201)
        return test
    }

    @Test("a deployment sent as protobuf is stored as the one sent as JSON")
    func sameAsJSON() async throws {
        let test = try await serverWithShop()
        let path = "/apis/apps/v1/namespaces/shop/deployments"
        let body = try KubectlBodyTests.body("deployment")
        let created = await test.send(
            "POST",
            path,
            bytes: body,
            contentType: Self.protobuf,
            accept: "\(Self.protobuf),application/json"
        )
        #expect(created.status == 201 && created.contentType == "application/json")
        let file = URL(filePath: "\(KubectlBodyTests.corpus)/KubectlBodies/deployment.json")
        var again = try JSON(parsing: Array(try Data(contentsOf: file)))
        again.set("other", at: ["metadata", "name"])
        let plain = await test.send("POST", path, again)
        #expect(plain.status == 201)
        #expect(created.json["spec"]?.text == plain.json["spec"]?.text)
        #expect(created.json[path: "metadata", "labels"] == plain.json[path: "metadata", "labels"])
    }

    @Test("what is no protobuf is refused with what it begins with")
    func refusals() async throws {
        let test = try await TestServer()
        let path = "/api/v1/namespaces/default/configmaps"
        func message(_ bytes: [UInt8]) async -> String? {
            let answer = await test.send("POST", path, bytes: bytes, contentType: Self.protobuf)
            #expect(answer.status == 400 && answer.json["reason"] == "BadRequest")
            return answer.json["message"]?.string
        }
        let unrecognized = "the object provided is unrecognized (must be of type ConfigMap): "
        #expect(await message([]) == unrecognized + "empty data (<empty>)")
        #expect(
            await message(Array("{}".utf8)) == unrecognized
                + "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({})"
        )
        #expect(await message(WireEnvelope.mark) == unrecognized + "empty body (6b387300)")
        #expect(await message(WireEnvelope.mark + [0x0A]) == unrecognized + "unexpected EOF (6b3873000a)")
        // The envelope is whole, the object is cut off.
        let type: [UInt8] = [0x0A, 0x0F, 0x0A, 0x02] + Array("v1".utf8) + [0x12, 0x09] + Array("ConfigMap".utf8)
        #expect(
            await message(WireEnvelope.mark + type + [0x12, 0x02, 0x0A, 0x05])
                == "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: unexpected EOF"
        )
        let other = try KubectlBodyTests.body("deployment")
        #expect(
            await message(other)
                == "Deployment in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Deployment) to "
                + "(core.ConfigMap): unknown conversion"
        )
    }

    @Test("delete options in protobuf count")
    func deleteOptions() async throws {
        let test = try await serverWithShop()
        let path = "/api/v1/namespaces/shop/configmaps/settings"
        let body = try KubectlBodyTests.body("configmap")
        _ = await test.send("POST", "/api/v1/namespaces/shop/configmaps", bytes: body, contentType: Self.protobuf)
        // DeleteOptions { preconditions 2 { uid 1 } }
        let options = WireEnvelope.mark + [0x12, 0x09, 0x12, 0x07, 0x0A, 0x05] + Array("other".utf8)
        let refused = await test.send("DELETE", path, bytes: options, contentType: Self.protobuf)
        #expect(refused.status == 409)
        let broken = await test.send("DELETE", path, bytes: WireEnvelope.mark + [0x0A], contentType: Self.protobuf)
        #expect(broken.status == 400)
        #expect(await test.send("DELETE", path).status == 200)
    }

    @Test("answers are JSON where that is accepted; a client of protobuf alone is told what there is")
    func answers() async throws {
        let test = try await TestServer()
        let path = "/api/v1/namespaces/default"
        let both = await test.send("GET", path, accept: "\(Self.protobuf), application/json")
        #expect(both.status == 200 && both.contentType == "application/json")
        let one = await test.send("GET", path, accept: Self.protobuf)
        #expect(one.status == 406 && one.contentType == "application/json")
        #expect(
            one.json["message"]
                == "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml"
        )
        let watch = await test.send("GET", "/api/v1/namespaces?watch=1", accept: "\(Self.protobuf);stream=watch")
        #expect(watch.status == 406)
        #expect(watch.json["message"]?.string?.contains("protobuf") == false)
        let patch = await test.send("PATCH", path, bytes: WireEnvelope.mark, contentType: Self.protobuf)
        #expect(patch.status == 415)
    }
}
