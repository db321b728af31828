// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization
import Testing

@testable import KubeServer

/// A server over a log in memory, with helpers that read like kubectl.
struct TestServer {
    let server: KubernetesServer
    let log: ObjectLog
    let now = Mutexed(Timestamp(seconds: 1_800_000_000))

    init(
        signer: (any TokenSigner)? = nil,
        _ adjust: (inout KubernetesServer.Configuration) -> Void = { _ in }
    ) async throws {
        let moment = now
        let clock = WallClock { moment.value }
        log = try ObjectLog(path: nil, clock: clock)
        var configuration = KubernetesServer.Configuration()
        configuration.settlesDefaultRoles = false
        adjust(&configuration)
        server = try KubernetesServer(log: log, configuration: configuration, clock: clock, signer: signer)
        try await server.bootstrap()
        guard configuration.requiresServiceAccounts else { return }
        for namespace in ["default", "kube-system"] { try await addServiceAccount(namespace) }
    }

    /// What the controller does for a new namespace.
    func addServiceAccount(_ namespace: String) async throws {
        let account = KubeObject(.serviceAccounts, namespace: namespace, name: "default")
        _ = try await server.api.create(account, as: .serviceAccounts)
    }

    static let admin = APIUser(name: "admin", groups: ["system:masters"])

    /// Sends a request; `path` may have a query.
    func send(
        _ method: String,
        _ path: String,
        _ body: JSON? = nil,
        contentType: String = "",
        accept: String = "application/json",
        user: APIUser? = TestServer.admin
    ) async -> APIResponse {
        await send(method, path, bytes: body?.bytes ?? [], contentType: contentType, accept: accept, user: user)
    }

    /// Expects that an object of a named group is refused as invalid, in exactly these words.
    func expectInvalid(
        _ object: JSON,
        at path: String,
        _ words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let answer = await send("POST", path, object)
        let group = (object["apiVersion"]?.string ?? "").prefix { $0 != "/" }
        let name = "\(object["kind"]?.string ?? "").\(group) \"\(object[path: "metadata", "name"]?.string ?? "")\""
        #expect(answer.status == 422, sourceLocation: sourceLocation)
        #expect(answer.message == "\(name) is invalid: \(words)", sourceLocation: sourceLocation)
    }

    func send(
        _ method: String,
        _ path: String,
        bytes: [UInt8],
        contentType: String = "",
        accept: String = "application/json",
        takesGzip: Bool = false,
        user: APIUser? = TestServer.admin,
        bearer: String? = nil,
        impersonation: Impersonation? = nil
    ) async -> APIResponse {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        let query = parts.count > 1 ? parts[1].split(separator: "&").map(Self.pair) : []
        return await server.answer(
            APIRequest(
                method: method,
                path: Self.decoded(parts.first ?? ""),
                query: query,
                accept: accept,
                takesGzip: takesGzip,
                contentType: contentType,
                body: bytes,
                user: user,
                bearer: bearer,
                impersonation: impersonation
            )
        )
    }

    private static func pair(_ text: Substring) -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (decoded(String(parts[0])), parts.count > 1 ? decoded(String(parts[1]).replacing("+", with: " ")) : "")
    }

    private static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let pair = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), let value = UInt8(pair, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension APIResponse {
    var bytes: [UInt8] {
        guard case .bytes(let bytes) = body else { return [] }
        return bytes
    }

    /// The body as JSON; text that is none as a string.
    var json: JSON { (try? JSON(parsing: bytes)) ?? .string(String(decoding: bytes, as: UTF8.self)) }

    var message: String { json["message"]?.string ?? "" }
}

/// A value that a test changes while a server reads it.
final class Mutexed<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>
    init(_ value: Value) { stored = Mutex(value) }
    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}

extension TestServer {
    /// A server with pods: `one` and `two` by their containers, on a node; `free` on none.
    static func withPods(_ agent: (any NodeAgent)?) async throws -> TestServer {
        let test = try await TestServer()
        test.server.nodeAgent = agent
        func container(_ name: String) -> JSON { ["name": .string(name), "image": "a:1"] }
        for (name, spec) in [
            ("one", ["nodeName": "n1", "containers": [container("main")]]),
            (
                "two",
                [
                    "nodeName": "n1", "containers": [container("main"), container("side")],
                    "initContainers": [container("init")],
                ]
            ), ("free", ["containers": [container("main")]]),
        ] as [(String, JSON)] {
            let made = await test.send(
                "POST",
                "/api/v1/namespaces/default/pods",
                ["metadata": ["name": .string(name)], "spec": spec]
            )
            try #require(made.status == 201, "\(made.json.text)")
        }
        return test
    }
}
