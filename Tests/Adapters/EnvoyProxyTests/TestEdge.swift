// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Glibc
import Logging
import Model
import NIOCore
import Ports
import Subprocess
import Synchronization
import SystemPackage
import Telemetry
import TestKit
import Testing

@testable import EnvoyProxy

/// A running Envoy over a cluster in memory, with addresses of its own for pods and Services.
final class TestEdge: Sendable {
    let cluster = FakeCluster()
    let proxy: EnvoyProxy
    let configuration: EnvoyConfiguration
    let net: String

    /// Where Envoy is, if it is.
    static let program: String? = {
        if let named = ProcessInfo.processInfo.environment["BALLAST_ENVOY"] { return named }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let root = URL(filePath: #filePath).pathComponents.dropLast(4).joined(separator: "/").dropFirst()
        return ([String(root) + "/.tools/bin"] + path.split(separator: ":").map(String.init)).map { $0 + "/envoy" }
            .first { unsafe access($0, X_OK) == 0 }
    }()

    static var isPossible: Bool { geteuid() == 0 && program != nil }

    private init(folder: String, edgePort: Int, net: String) {
        var configuration = EnvoyConfiguration(
            program: Self.program ?? "",
            folder: "\(folder)/envoy",
            logFolder: "\(folder)/logs"
        )
        configuration.edgePort = edgePort
        // Pods are below .64, Services above it, the node is .250.
        configuration.podSubnet = "\(net).0/26"
        configuration.nodeAddress = "\(net).250"
        self.configuration = configuration
        self.net = net
        proxy = EnvoyProxy(configuration: configuration, api: cluster, telemetry: Telemetry("test"))
    }

    /// Runs the body beside a running proxy, and leaves nothing behind.
    static func with(prepare: (TestEdge) async throws -> Void = { _ in }, _ body: (TestEdge) async throws -> Void)
        async throws
    {
        let folder = "/tmp/ballast-envoy-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        // The range for benchmarks of network devices (RFC 2544) is nobody's.
        let net = try await freeNet()
        let edge = TestEdge(folder: folder, edgePort: try LoopbackSocket.freePort(), net: net)
        do {
            try await prepare(edge)
            try await run(edge, body)
        } catch {
            await edge.clean(folder)
            throw error
        }
        await edge.clean(folder)
    }

    static func run(_ edge: TestEdge, _ body: (TestEdge) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await edge.proxy.run() }
            await edge.proxy.state.waitUntilReady()
            try await body(edge)
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
        #expect(LeftoverEnvoy.processes(edge.configuration.bootstrapPath).isEmpty, "no Envoy is left")
    }

    private func clean(_ folder: String) async {
        _ = try? await LeftoverEnvoy.end(bootstrap: configuration.bootstrapPath, clock: ContinuousClock())
        _ = try? await Self.ip("del", net)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// One that no other test has; it is taken by routing it here.
    private static func freeNet() async throws -> String {
        for _ in 0..<50 {
            let net = "198.18.\(Int.random(in: 1...254))"
            if try await ip("add", net) { return net }
        }
        throw Failure(.fault, "no net of 198.18.0.0/16 could be routed to this machine")
    }

    /// Whether it was done.
    @discardableResult
    private static func ip(_ verb: String, _ net: String) async throws -> Bool {
        let folders: [String] = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"]
        let path = folders.first { unsafe access($0, X_OK) == 0 }
        let result = try await Subprocess.run(
            .path(FilePath(try #require(path))),
            arguments: Arguments(["route", verb, "local", "\(net).0/24", "dev", "lo"]),
            output: .discarded,
            error: .discarded
        )
        return result.terminationStatus.isSuccess
    }

    // MARK: the cluster

    func backend(_ name: String, _ number: Int, delay: TimeAmount = .zero) async throws -> TestBackend {
        try await TestBackend(name, address: "\(net).\(number)", delay: delay)
    }

    func put(_ object: KubeObject, _ type: ResourceType) async throws {
        guard let old = try await cluster.find(ObjectReference(type, namespace: object.namespace, name: object.name))
        else {
            _ = try await cluster.create(object, as: type)
            return
        }
        var object = object
        object.json.set(.string(old.resourceVersion.text), at: ["metadata", "resourceVersion"])
        _ = try await cluster.update(object, as: type)
    }

    func service(_ name: String, _ number: Int = 0, port: Int = 80, spec: JSON = [:]) async throws {
        var service = KubeObject(.services, namespace: "shop", name: name)
        service["spec"] = [
            "clusterIP": number == 0 ? "None" : "\(net).\(number)", "ports": [["name": "http", "port": JSON(port)]],
        ]
        for (key, value) in spec.object ?? [:] { service.json.set(value, at: ["spec", key]) }
        try await put(service, .services)
    }

    /// The Service's pods are these, all on the same port number.
    func endpoints(_ service: String, _ backends: [(Int, TestBackend)]) async throws {
        for (index, (number, backend)) in backends.enumerated() {
            try await put(slice(service, "\(service)-\(index)", number, backend), .endpointSlices)
        }
        for stale in cluster.all(.endpointSlices) where stale.labels["kubernetes.io/service-name"] == service {
            guard let index = Int(stale.name.split(separator: "-").last ?? ""), index >= backends.count else {
                continue
            }
            try await cluster.delete(ObjectReference(.endpointSlices, namespace: "shop", name: stale.name))
        }
    }

    /// One slice with this address, as somebody's hand would write it.
    func handwritten(_ service: String, _ address: String, port: Int, name: String = "http") async throws {
        var slice = KubeObject(
            .endpointSlices,
            namespace: "shop",
            name: "\(service)-hand",
            labels: ["kubernetes.io/service-name": service]
        )
        slice["addressType"] = "IPv4"
        slice["ports"] = [["name": .string(name), "port": JSON(port)]]
        slice["endpoints"] = [["addresses": [.string(address)]]]
        try await put(slice, .endpointSlices)
    }

    /// `reason: message` of the events beside an object.
    func events(_ name: String) -> [String] {
        cluster.all(.events).filter { $0[path: "involvedObject", "name"]?.string == name }
            .map { "\($0["reason"]?.string ?? ""): \($0["message"]?.string ?? "")" }.sorted()
    }

    private func slice(_ service: String, _ name: String, _ number: Int, _ backend: TestBackend) -> KubeObject {
        var slice = KubeObject(
            .endpointSlices,
            namespace: "shop",
            name: name,
            labels: ["kubernetes.io/service-name": service]
        )
        slice["addressType"] = "IPv4"
        slice["ports"] = [["name": "http", "port": JSON(backend.port)]]
        slice["endpoints"] = [["addresses": ["\(net).\(number)"], "conditions": ["ready": true]]]
        return slice
    }

    func ingress(_ name: String, _ rules: [(host: String, path: String, service: String)]) async throws {
        var ingress = KubeObject(.ingresses, namespace: "shop", name: name)
        let list = rules.map { rule -> JSON in
            let backend: JSON = ["service": ["name": .string(rule.service), "port": ["number": 80]]]
            let path: JSON = ["path": .string(rule.path), "pathType": "Prefix", "backend": backend]
            return ["host": .string(rule.host), "http": ["paths": [path]]]
        }
        ingress["spec"] = ["rules": .array(list)]
        try await put(ingress, .ingresses)
    }

    // MARK: asking

    func get(_ url: String, headers: String = "") async throws -> TestConnection.Reply {
        try await TestConnection.get(url, at: configuration.edgeAddress, configuration.edgePort, headers: headers)
    }

    /// Asks until the claim holds; a change reaches Envoy by a watch and a file.
    @discardableResult
    func get(
        _ url: String,
        until holds: (TestConnection.Reply) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    )
        async throws -> TestConnection.Reply?
    {
        let found = await eventually {
            try? await self.get(url)
        } holds: {
            $0.map(holds) ?? false
        }
        #expect(found.map(holds) == true, "\(url): \(String(describing: found))", sourceLocation: sourceLocation)
        return found
    }
}

/// Asks again until the claim holds, at most for some seconds.
func eventually<Value>(_ ask: () async -> Value?, holds: (Value?) -> Bool) async -> Value? {
    let deadline = ContinuousClock.now + .seconds(15)
    var value = await ask()
    while !holds(value), ContinuousClock.now < deadline {
        try? await ContinuousClock().sleep(for: .milliseconds(5))
        value = await ask()
    }
    return value
}
