// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import AsyncHTTPClient
import Foundation
import Model
import NIOHTTP1
import Ports
import Synchronization
import TestKit
import Testing

@testable import KubernetesClient

/// What servers and networks do to a client.
@Suite("a client and its troubles")
struct FaultTests {
    private static let object = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"}}"#
    private static let reference = ObjectReference(.configMaps, namespace: "shop", name: "a")

    private static func status(_ code: Int, _ reason: String, _ message: String = "words") -> String {
        #"{"kind":"Status","apiVersion":"v1","code":\#(code),"reason":"\#(reason)","message":"\#(message)"}"#
    }

    private final class Pauses: Sendable {
        private let all = Mutex<[Duration]>([])
        var list: [Duration] { all.withLock { $0 } }
        func note(_ pause: Duration) { all.withLock { $0.append(pause) } }
    }

    private let pauses = Pauses()

    private func withClient<Value>(
        _ server: WireServer,
        limits: Limits = Limits(deadline: .seconds(20)),
        _ change: (inout KubeConfig) -> Void = { _ in },
        _ work: (KubernetesClient) async throws -> Value
    ) async throws -> Value {
        var config = KubeConfig(server: server.url)
        change(&config)
        let client = try KubernetesClient(config, limits: limits) { [pauses] in pauses.note($0) }
        do {
            let value = try await work(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Asks a cluster of another name than the server's, by way of the server.
    private func read(_ server: WireServer, through address: String) async throws {
        let proxy = try ProxyAddress(address)
        let change = { (config: inout KubeConfig) in
            config.server = "http://cluster.example:8080"
            config.proxy = proxy
        }
        _ = try await withClient(server, change) { try await $0.get(Self.reference) }
    }

    private func failure(_ work: () async throws -> some Any) async throws -> Failure {
        try #require(await #expect(throws: Failure.self) { _ = try await work() })
    }

    // MARK: Patience

    @Test("a server that asks for patience is asked again after so long, writes included", arguments: [429, 503])
    func retryAfter(_ code: Int) async throws {
        let count = Mutex(0)
        let server = try WireServer { _, wire in
            let isFirst = count.withLock { count in
                count += 1
                return count < 3
            }
            if isFirst {
                wire.answer(code, Self.status(code, "TooManyRequests"), headers: [("Retry-After", "2")])
            } else {
                wire.answer(201, Self.object)
            }
            return true
        }
        let made = try await withClient(server) {
            try await $0.create(KubeObject(.configMaps, namespace: "shop", name: "a"), as: .configMaps)
        }
        #expect(made.name == "a")
        #expect(pauses.list == [.seconds(2), .seconds(2)])
        #expect(server.requests.map(\.method) == ["POST", "POST", "POST"])
        #expect(server.requests.allSatisfy { $0.body == server.requests[0].body })
    }

    @Test("patience ends where the deadline does, and without the header there is none")
    func impatience() async throws {
        let server = try WireServer { request, wire in
            let isLong = request.target.contains("limit")
            wire.answer(
                429,
                Self.status(429, "TooManyRequests", "later"),
                headers: isLong ? [("Retry-After", "600")] : []
            )
            return true
        }
        try await withClient(server) { client in
            let long = try await failure { try await client.list(ListQuery(.configMaps, limit: 1)) }
            #expect(long.code == .unavailable && long.message == "later" && long.status?.code == 429)
            let silent = try await failure { try await client.get(Self.reference) }
            #expect(silent.code == .unavailable)
        }
        #expect(pauses.list.isEmpty)
        #expect(server.requests.count == 2)
    }

    // MARK: Cuts

    @Test("a connection that is lost is mended for reads and server-side apply, and told for other writes")
    func lostConnections() async throws {
        let count = Mutex(0)
        let server = try WireServer { request, wire in
            let isFirst = count.withLock { count in
                count += 1
                return count % 2 == 1
            }
            // In the middle of the head, and without a word.
            if isFirst {
                if request.method == "GET" { wire.send("HTTP/1.1 200 OK\r\nContent-Le") }
                return false
            }
            wire.answer(200, Self.object)
            return true
        }
        try await withClient(server) { client in
            #expect(try await client.get(Self.reference).name == "a")
            let options = WriteOptions(fieldManager: "ballast")
            let applied = try await client.patch(Self.reference, subresource: nil, .apply, [:], options: options)
            #expect(applied.name == "a")
            let lost = try await failure { try await client.patch(Self.reference, .merge, [:]) }
            #expect(lost.code == .unavailable)
        }
        #expect(server.requests.map(\.method) == ["GET", "GET", "PATCH", "PATCH", "PATCH"])
    }

    @Test("an answer cut off in its body is read again; one that always is says so")
    func truncated() async throws {
        let server = try WireServer { _, wire in
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{\"kind\":")
            return false
        }
        let failure = try await withClient(server) { client in
            try await self.failure { try await client.get(Self.reference) }
        }
        #expect(failure.code == .unavailable)
        #expect(server.requests.count == 3)
    }

    @Test(
        "a server that takes the request and says nothing costs the deadline, in its head as in its body",
        arguments: [false, true]
    )
    func slow(_ hasHead: Bool) async throws {
        let server = try WireServer { _, wire in
            if hasHead { wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") }
            wire.stall()
            return false
        }
        let failure = try await withClient(server, limits: Limits(deadline: .milliseconds(200))) { client in
            try await self.failure { try await client.get(Self.reference) }
        }
        #expect(failure.code == .deadlineExceeded)
        #expect(failure.message == "the cluster at '\(server.url)' did not answer in time")
    }

    @Test(
        "garbage is named as such, not taken for an object",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", Failure.Code.fault, "something that is no JSON"),
            ("SSH-2.0-OpenSSH_9.2\r\n", .unavailable, "broke off or garbled its answer"),
            ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", .fault, "answered 502 Bad Gateway"),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", .notFound, "answered 404 Not Found"),
            ("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", .fault, "answered 302 Found"),
        ]
    )
    func garbage(_ answer: String, _ code: Failure.Code, _ words: String) async throws {
        let server = try WireServer { _, wire in
            wire.send(answer)
            return false
        }
        let failure = try await withClient(server) { client in
            try await self.failure { try await client.get(Self.reference) }
        }
        #expect(failure.code == code && failure.message.contains(words), "\(failure.code) \(failure.message)")
    }

    @Test("a cluster that is gone is told at once")
    func gone() async throws {
        let client = try KubernetesClient(KubeConfig(server: "http://127.0.0.1:1"))
        let begin = ContinuousClock.now
        let failure = try await failure { try await client.get(Self.reference) }
        #expect(failure.code == .unavailable)
        #expect(failure.description.contains("cannot be reached") && failure.description.contains("refused"))
        #expect(ContinuousClock.now - begin < .seconds(5))
        await client.shutdown()
    }

    // MARK: Who asks

    @Test("a refused token is replaced by the file's new one, once; a refusal that stays names the user")
    func reauthentication() async throws {
        let folder = try TestFolder()
        let path = try folder.write("token", "old")
        let server = try WireServer { request, wire in
            if request.header("authorization") == "Bearer old" { _ = try? folder.write("token", "new") }
            let isGood = request.header("authorization") == "Bearer new" && request.target.hasSuffix("/a")
            wire.answer(isGood ? 200 : 401, isGood ? Self.object : Self.status(401, "Unauthorized", "Unauthorized"))
            return true
        }
        func user(_ config: inout KubeConfig) { (config.user.tokenFile, config.user.name) = (path, "robot") }
        try await withClient(server, user) { client in
            #expect(try await client.get(Self.reference).name == "a")
            let other = ObjectReference(.configMaps, namespace: "shop", name: "b")
            let failure = try await failure { try await client.get(other) }
            #expect(failure.code == .denied)
            let words =
                "refuses the credentials of user 'robot': the token in '\(path)' is not accepted; renew that file"
            #expect(failure.message.hasSuffix(words), "\(failure.message)")
        }
        #expect(server.lines.filter { $0.hasSuffix("/a") }.count == 2)
        #expect(server.lines.filter { $0.hasSuffix("/b") }.count == 1)
    }

    @Test("impersonation goes with every request")
    func impersonation() async throws {
        let server = try WireServer { _, wire in
            wire.answer(200, Self.object)
            return true
        }
        let other = Impersonation(
            user: "ada",
            uid: "7",
            groups: ["a", "b"],
            extra: ["example.org/why not": ["x", "y"]]
        )
        _ = try await withClient(server, { $0.user.impersonation = other }) { try await $0.get(Self.reference) }
        let request = try #require(server.requests.first)
        #expect(request.header("impersonate-user") == "ada" && request.header("impersonate-uid") == "7")
        #expect(request.all("impersonate-group") == ["a", "b"])
        #expect(request.all("impersonate-extra-example.org%2fwhy%20not") == ["x", "y"])
    }

    @Test("a proxy is asked to connect, with its login; the cluster's own name is asked for behind it")
    func proxy() async throws {
        let server = try WireServer { request, wire in
            if request.method == "CONNECT" {
                wire.send("HTTP/1.1 200 Connected\r\n\r\n")
            } else {
                wire.answer(200, Self.object)
            }
            return true
        }
        try await read(server, through: "http://me:pw@127.0.0.1:\(server.port)")
        #expect(server.lines == ["CONNECT cluster.example:8080", "GET /api/v1/namespaces/shop/configmaps/a"])
        #expect(server.requests[0].header("proxy-authorization") == "Basic bWU6cHc=")
        #expect(server.requests[1].header("proxy-authorization") == nil)
    }

    @Test("a SOCKS proxy is told the cluster's name and port")
    func socks() async throws {
        let asked = Mutex<[UInt8]>([])
        let server = try WireServer { wire in
            let methods = wire.receive(2)
            _ = wire.receive(Int(methods.last ?? 0))
            wire.send([5, 0])
            // Version, command, a reserved byte, "a name follows", its length, the name, the port.
            var request = wire.receive(5)
            request += wire.receive(Int(request.last ?? 0) + 2)
            asked.withLock { $0 = request }
            wire.send([5, 0, 0, 1, 127, 0, 0, 1, 0, 80])
        } _: { _, wire in
            wire.answer(200, Self.object)
            return true
        }
        try await read(server, through: "socks5://127.0.0.1:\(server.port)")
        let name = Array("cluster.example".utf8)
        #expect(asked.withLock { $0 } == [5, 1, 0, 3, UInt8(name.count)] + name + [0x1F, 0x90])
        #expect(server.lines == ["GET /api/v1/namespaces/shop/configmaps/a"])
    }

    @Test("a TLS name of its own is asked for at the server's address, which stays the host")
    func serverName() throws {
        var config = KubeConfig(server: "https://10.0.0.1:6443/k8s")
        config.serverName = "kube.example"
        let (address, headers) = try ServerAddress.base(of: config, userAgent: "ballast")
        #expect(address == "https://kube.example:6443/k8s")
        #expect(headers["Host"] == ["10.0.0.1:6443"])
        let configuration = try HTTPClient.Configuration(config, Limits(), TLSMaterial(config))
        #expect(configuration.dnsOverride == ["kube.example": "10.0.0.1"])
    }

    @Test("certificates that are none are named before anything is sent")
    func badCertificates() {
        var config = KubeConfig(server: "https://h")
        config.authority = .text("nonsense")
        let authority = #expect(throws: Failure.self) { try KubernetesClient(config) }
        #expect(authority?.message == "the certificate authority for 'https://h' is no PEM of certificates")
        config.authority = nil
        config.user.identity = .init(certificate: .text("nonsense"), key: .text("nonsense"))
        let identity = #expect(throws: Failure.self) { try KubernetesClient(config) }
        #expect(identity?.message == "the client certificate for 'https://h' is no PEM of certificates")
    }

    // MARK: What is asked

    @Test("apply says manager, force, dry run and validation, each patch its own type; a dry removal is one")
    func parameters() async throws {
        let server = try WireServer { _, wire in
            wire.answer(200, Self.object)
            return true
        }
        try await withClient(server) { client in
            let all = WriteOptions(fieldManager: "b+l", isDryRun: true, fieldValidation: .strict, isForced: true)
            _ = try await client.patch(Self.reference, subresource: "status", .apply, ["a": 1], options: all)
            for type in [PatchType.json, .merge, .strategicMerge] {
                _ = try await client.patch(Self.reference, subresource: nil, type, [], options: all)
            }
            try await client.delete(Self.reference, options: DeleteOptions(uid: "u", isDryRun: true))
        }
        let path = "/api/v1/namespaces/shop/configmaps/a"
        let query = "fieldManager=b%2Bl&dryRun=All&fieldValidation=Strict"
        #expect(
            server.lines == [
                "PATCH \(path)/status?\(query)&force=true", "PATCH \(path)?\(query)", "PATCH \(path)?\(query)",
                "PATCH \(path)?\(query)", "DELETE \(path)?dryRun=All",
            ]
        )
        #expect(
            server.requests.prefix(4).map { $0.header("content-type") } == [
                "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
                "application/strategic-merge-patch+json",
            ]
        )
    }

    @Test("an applied text arrives as it was even where the server reads it as YAML")
    func yamlBodies() async throws {
        let server = try WireServer { _, wire in
            wire.answer(200, Self.object)
            return true
        }
        // Characters that YAML folds or forbids, their neighbours that it takes, and the escapes of JSON.
        let text =
            "a\u{7F}b\u{80}\u{85}\u{9F}\u{A0}é\u{2027}\u{2028}\u{2029}\u{FEFF}\u{FFFD}\u{FFFE}\u{FFFF}😀\u{1}\n\t\"\\/ x: y # z"
        let body: JSON = ["data": ["k\u{2028}": .string(text)]]
        try await withClient(server) { client in
            _ = try await client.patch(Self.reference, .apply, body)
            _ = try await client.patch(Self.reference, .merge, body)
            _ = try await client.create(KubeObject([:]), in: Self.reference, subresource: "eviction")
        }
        let sent = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(try JSON(parsing: sent[0]) == body && JSON(parsing: sent[1]) == body)
        #expect(try YAMLDocument.parse(sent[0], as: .kubernetes).json == body)
        let forbidden: Set<Unicode.Scalar> = [
            "\u{7F}", "\u{80}", "\u{85}", "\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}",
        ]
        #expect(!sent[0].unicodeScalars.contains { forbidden.contains($0) })
        #expect(server.lines.last == "POST /api/v1/namespaces/shop/configmaps/a/eviction")
    }

    @Test("an answer may come compressed, a stream may not")
    func gzip() async throws {
        // A ConfigMap of 20 kB.
        let body = try #require(Base64.decode(Self.compressed))
        let server = try WireServer { request, wire in
            guard request.header("accept-encoding") == "gzip" else {
                wire.beginChunks()
                wire.chunk(#"{"type":"ADDED","object":\#(Self.object)}"# + "\n")
                wire.endChunks()
                return true
            }
            let head = "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)"
            wire.send("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n")
            wire.send(body)
            return true
        }
        try await withClient(server) { client in
            for _ in 0..<2 {
                let object = try await client.get(Self.reference)
                #expect(object["data"]?["text"]?.string?.count == 20000)
            }
            let events = try await client.watch(ListQuery(.configMaps), after: ResourceVersion("1"))
            for try await event in events {
                if case .added(let object) = event { #expect(object.name == "a") } else { Issue.record("\(event)") }
            }
        }
        #expect(server.requests.map { $0.header("accept-encoding") } == ["gzip", "gzip", "identity"])
    }

    private static let compressed =
        "H4sIAAAAAAACA+3KOQ7CQBBFwbt0TMC+OCUmJR+BAQt5EbYQEvLdGQLOQFJZ9fv9jtRVx/LRV20TRTxnMYl71Zyz921zqa6H1OVU"
        + "l0M6pyFF8Y4m1WWeU85f9l06fe/+1nYxTuL3NpSvIefpbL5Yrtab7Y6IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiP6pGMcPYLhF7YROAAA="

    @Test("warnings of an answer reach whoever listens around the call")
    func warnings() async throws {
        let server = try WireServer { _, wire in
            wire.answer(
                200,
                Self.object,
                headers: [
                    ("Warning", #"299 - "unknown field \"spec.x\"", 299 - "two, three""#),
                    ("Warning", #"299 - "four""#),
                ]
            )
            return true
        }
        let heard = Mutex<[String]>([])
        try await withClient(server) { client in
            _ = try await client.get(Self.reference)
            _ = try await ClusterWarnings.heard { text in
                heard.withLock { $0.append(text) }
            } during: {
                try await client.get(Self.reference)
            }
        }
        #expect(heard.withLock { $0 } == [#"unknown field "spec.x""#, "two, three", "four"])
    }

    @Test("a thousand calls at once go over a bounded number of connections, which are used again")
    func concurrency() async throws {
        let server = try WireServer { _, wire in
            wire.answer(200, Self.object)
            return true
        }
        try await withClient(server) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<1000 { group.addTask { _ = try await client.get(Self.reference) } }
                try await group.waitForAll()
            }
        }
        #expect(server.requests.count == 1000)
        #expect(Set(server.requests.map(\.connection)).count <= 128)
    }

    @Test("waiting for a place among the calls ends with the task")
    func gate() async throws {
        let gate = CallGate(1)
        try await gate.enter()
        let waiting = Task { try await gate.enter() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let next = Task { try await gate.enter() }
        gate.leave()
        try await next.value
        gate.leave()
        try await gate.enter()
    }
}
