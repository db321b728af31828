// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import KubernetesClient

/// Credentials that end while somebody is at work with them.
@Suite("credentials that end in the middle of something")
struct ExpiryTests {
    private static let version = CredentialPlugin.versions[0]
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private static func object(_ name: String) -> String {
        #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\#(name)","namespace":"shop"}}"#
    }

    private static let refusal = #"{"kind":"Status","apiVersion":"v1","code":401,"reason":"Unauthorized"}"#

    /// A server that takes a token for so many requests and after that only the next one; `renew` is called when it refuses.
    private func server(takes first: Int, renew: @escaping @Sendable () -> Void) throws -> WireServer {
        let taken = Mutex(0)
        return try WireServer { request, wire in
            let token = request.header("authorization")
            let isGood = taken.withLock { taken in
                guard token == (taken < first ? "Bearer one" : "Bearer two") else { return false }
                taken += 1
                return true
            }
            if !isGood { renew() }
            let name = request.target.prefix { $0 != "?" }.split(separator: "/").last.map(String.init) ?? ""
            wire.answer(isGood ? 200 : 401, isGood ? Self.object(name) : Self.refusal)
            return true
        }
    }

    /// Applies six objects, one after the other, as a release does.
    private func applySix(_ config: KubeConfig) async throws {
        let client = try KubernetesClient(config)
        var thrown: (any Error)?
        do {
            for number in 0..<6 {
                let reference = ObjectReference(.configMaps, namespace: "shop", name: "c\(number)")
                let applied = try await client.patch(reference, .apply, ["data": ["a": "b"]])
                #expect(applied.name == reference.name)
            }
        } catch {
            thrown = error
        }
        await client.shutdown()
        if let thrown { throw thrown }
    }

    private static let sixAndOneAgain = [0, 1, 2, 3, 3, 4, 5].map {
        "PATCH /api/v1/namespaces/shop/configmaps/c\($0)"
    }

    @Test("a token file that is written anew is read anew: nothing fails, and nothing is applied twice")
    func tokenFile() async throws {
        let path = try folder.write("token", "one\n")
        let server = try server(takes: 3) { [folder] in _ = try? folder.write("token", "two\n") }
        var config = KubeConfig(server: server.url)
        config.user.tokenFile = path
        try await applySix(config)
        #expect(server.lines.map { $0.prefix { $0 != "?" } }.map(String.init) == Self.sixAndOneAgain)
    }

    @Test("a program that hands out tokens is asked once more when the cluster refuses its last one")
    func plugin() async throws {
        try folder.write("session", "one")
        let script = try folder.write(
            "login",
            """
            #!/bin/sh
            cd "$(dirname "$0")" && echo run >> runs
            printf '{"kind":"ExecCredential","apiVersion":"\(Self.version)","status":{"token":"%s"}}' "$(cat session)"
            """,
            isProgram: true
        )
        let server = try server(takes: 3) { [folder] in _ = try? folder.write("session", "two") }
        var config = KubeConfig(server: server.url)
        config.user.plugin = CredentialPlugin(apiVersion: Self.version, command: script)
        config.user.plugin?.interaction = .never
        try await applySix(config)
        #expect(server.lines.map { $0.prefix { $0 != "?" } }.map(String.init) == Self.sixAndOneAgain)
        #expect(try String(contentsOfFile: "\(folder.path)/runs", encoding: .utf8) == "run\nrun\n")
    }

    @Test("a session that has ended is told in the words of the program that knows of it")
    func sessionOver() async throws {
        let script = try folder.write(
            "login",
            """
            #!/bin/sh
            cd "$(dirname "$0")" && if [ -e over ]; then echo 'your session has ended: run login --again' >&2; exit 1; fi
            printf '{"kind":"ExecCredential","apiVersion":"\(Self.version)","status":{"token":"one"}}'
            """,
            isProgram: true
        )
        let server = try server(takes: 3) { [folder] in _ = try? folder.write("over", "") }
        var config = KubeConfig(server: server.url)
        config.user.plugin = CredentialPlugin(apiVersion: Self.version, command: script)
        config.user.plugin?.interaction = .never
        let failure = try #require(await #expect(throws: Failure.self) { try await applySix(config) })
        #expect(failure.code == .denied)
        #expect(failure.message.hasSuffix("your session has ended: run login --again"), "\(failure.message)")
        #expect(server.lines.count == 4)
    }

    // MARK: Words

    private static let now = Timestamp(seconds: 1_800_000_000)

    /// `{"exp":…}` between two parts that nobody reads.
    private static func webToken(endsAt seconds: Int) -> String {
        let claims = Base64.encode(Array(#"{"sub":"ü?>","exp":\#(seconds)}"#.utf8))
        return "e30." + claims.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") + ".c2ln"
    }

    /// Of a nobody, good for the 1st of January 2020.
    private static let oldCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBCTCBsAIBAjAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZub2JvZHkwHhcNMjAw
        MTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjARMQ8wDQYDVQQDDAZub2JvZHkwWTAT
        BgcqhkjOPQIBBggqhkjOPQMBBwNCAATjdwQ0rwX+9vQUN521bygT4RGAN0bN0Mvg
        y/LeOu7p0lyVfx+mzq4BEGMnKu3r/mL/F6l3mkXl2eIbBo8PhimKMAoGCCqGSM49
        BAMCA0gAMEUCIQCnzFESNFUuOxar4byyTRcsZhLHNKTRErX1Dh83RQjN7AIgaUK+
        hF9JS5cBwV8Id83pnSTSVH1+5diOvjGIx5FQbTI=
        -----END CERTIFICATE-----
        """

    private static func words(_ credential: Credential, _ change: (inout KubeUser) -> Void) -> String {
        var config = KubeConfig(server: "https://h")
        config.user.name = "ada"
        change(&config.user)
        let refused = RefusedCredential(config: config, credential: credential, now: now)
        let failure = refused.failure(cause: CancellationError())
        #expect(failure.code == .denied)
        let head = "the cluster at 'https://h' refuses the credentials of user 'ada': "
        #expect(failure.message.hasPrefix(head))
        return String(failure.message.dropFirst(head.count))
    }

    @Test("what was refused is named with its end, where it knows one, and with who can renew it")
    func refusals() {
        let (over, good) = (Self.webToken(endsAt: 1_799_999_940), Self.webToken(endsAt: 1_800_000_060))
        func bearer(_ token: String) -> Credential { Credential(authorization: Credential.bearer(token)) }
        let file = Self.words(bearer(over)) { $0.tokenFile = "/run/token" }
        #expect(file == "the token in '/run/token' ended at 2027-01-15T07:59:00Z; renew that file")
        let fixed = Self.words(bearer(good)) { $0.token = good }
        #expect(fixed == "its token is not accepted; get a new kubeconfig")
        let plugin = CredentialPlugin(apiVersion: Self.version, command: "cloud")
        #expect(
            Self.words(bearer(over)) { $0.plugin = plugin }
                == "the token of 'cloud' ended at 2027-01-15T07:59:00Z; log in with that program anew"
        )
        let identity = Credential(identity: .init(certificate: Self.oldCertificate, key: ""))
        #expect(
            Self.words(identity) { _ in }
                == "its client certificate ended at 2020-01-02T00:00:00Z; get a new kubeconfig"
        )
        let basic = Self.words(Credential(authorization: "Basic eA==")) {
            $0.basic = .init(username: "a", password: "b")
        }
        #expect(basic == "its name and password are not accepted")
        #expect(Self.words(Credential()) { _ in } == "its kubeconfig names nobody who asks")
    }

    @Test("only a web token knows its end", arguments: ["", "abc", "a.b", "a.!.c", "e30.e30.e30", "a.b.c.d"])
    func opaque(_ token: String) { #expect(RefusedCredential.end(ofToken: token) == nil) }
}
