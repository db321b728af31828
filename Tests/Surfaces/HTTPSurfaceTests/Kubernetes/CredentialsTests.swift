// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import HTTPTypes
import KubeServer
import Model
import Testing

@testable import HTTPSurface

struct CredentialsTests {
    private func name(_ text: String) throws -> HTTPField.Name { try #require(HTTPField.Name(text)) }

    @Test(
        "the token stands behind the word Bearer, however that is written",
        arguments: [
            ("Bearer abc", "abc"), ("bearer abc ", "abc"), (" BEARER a.b.c", "a.b.c"),
        ]
    )
    func bearer(_ text: String, _ token: String) {
        #expect(Credentials.bearer([.authorization: text]) == token)
    }

    @Test("anything else is no token", arguments: ["abc", "Basic abc", "Bearer", "Bearer ", "Bearer  abc"])
    func noBearer(_ text: String) { #expect(Credentials.bearer([.authorization: text]) == nil) }

    @Test("a WebSocket may bring its token among the subprotocols, and only a WebSocket")
    func subprotocolBearer() throws {
        let offered = try name("Sec-WebSocket-Protocol")
        var headers: HTTPFields = [.upgrade: "websocket"]
        let token = "base64url.bearer.authorization.k8s.io.YS5iLmM_"
        headers[offered] = "v4.channel.k8s.io, \(token)"
        #expect(Credentials.bearer(headers) == "a.b.c?")
        #expect(Credentials.subprotocols(headers) == ["v4.channel.k8s.io", token])
        headers[.authorization] = "Bearer other"
        #expect(Credentials.bearer(headers) == "other")
        headers[.authorization] = nil
        headers[.upgrade] = nil
        #expect(Credentials.bearer(headers) == nil)
    }

    @Test("all that is claimed about another user is read")
    func impersonation() throws {
        var headers: HTTPFields = [:]
        #expect(Credentials.impersonation(headers) == nil)
        headers.append(HTTPField(name: try name("Impersonate-User"), value: "bob"))
        headers.append(HTTPField(name: try name("Impersonate-Group"), value: "one"))
        headers.append(HTTPField(name: try name("Impersonate-Group"), value: "two"))
        headers.append(HTTPField(name: try name("Impersonate-Uid"), value: "7"))
        headers.append(HTTPField(name: try name("Impersonate-Extra-Acme.io%2Fteam"), value: "red"))
        let found = try #require(Credentials.impersonation(headers))
        #expect(found.name == "bob" && found.groups == ["one", "two"] && found.uid == "7")
        #expect(found.extra == ["acme.io/team": ["red"]])
    }

    @Test("an empty name is nobody's, and with other claims it stays empty")
    func emptyName() throws {
        let user = HTTPField(name: try name("Impersonate-User"), value: "")
        #expect(Credentials.impersonation(HTTPFields([user])) == nil)
        let group = HTTPField(name: try name("Impersonate-Group"), value: "one")
        #expect(Credentials.impersonation(HTTPFields([user, group]))?.groups == ["one"])
    }

    @Test("the key of the service accounts is the same after a restart, and knows its own signatures")
    func key() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ballast-key-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try ServiceAccountKey.prepare(in: folder)
        let second = try ServiceAccountKey.prepare(in: folder)
        let message = Array("message".utf8)
        let signature = try first.sign(message)
        #expect(first.keyID == second.keyID && signature.count == 64)
        #expect(second.accepts(signature, of: message, keyID: first.keyID))
        #expect(!second.accepts(signature, of: message + [0], keyID: first.keyID))
        #expect(!second.accepts(signature, of: message, keyID: "other"))
        #expect(!ServiceAccountKey().accepts(signature, of: message, keyID: nil))
        let key = try JSON(parsing: first.keySet)["keys"]?[0] ?? .null
        #expect(key["kty"] == "EC" && key["crv"] == "P-256" && key["alg"] == "ES256")
        #expect(key["x"]?.string?.count == 43 && key["y"]?.string?.count == 43)
    }
}
