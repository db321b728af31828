// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Synchronization
import Telemetry
import TestKit
import Testing

@testable import PodRuntime

/// What was reported, in order.
final class Recorded<Element: Sendable>: Sendable {
    private let list = Mutex<[Element]>([])
    var all: [Element] { list.withLock { $0 } }
    func add(_ element: Element) { list.withLock { $0.append(element) } }
}

/// A node of a test's own: a real runtime over a cluster and a registry in memory.
final class TestNode: Sendable {
    let folder: ScratchFolder
    let cluster: FakeCluster
    let registry: MemoryRegistry
    let runtime: PodRuntime
    private let running = Mutex<Task<Void, any Error>?>(nil)
    /// What the runtime told of its stop.
    let stops: Recorded<StopProgress>

    /// Why the tests of real containers cannot run here; `nil` where they can.
    static let isPossible = geteuid() == 0 && ProgramSearch.find("runc") != nil && Folder.exists("/bin/busybox")

    static let wall = WallClock {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(nanoseconds: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
    }

    convenience init(shutdownGrace: Duration = .seconds(1), drain: any EndpointDrain = NoEndpointDrain()) throws {
        let registry = MemoryRegistry()
        registry.add("busybox", [Self.busybox], config: ["Env": ["FROM_IMAGE=yes"], "Cmd": ["/bin/sh"]])
        try self.init(
            ScratchFolder(),
            FakeCluster(clock: Self.wall),
            registry,
            shutdownGrace: shutdownGrace,
            drain: drain
        )
    }

    /// A node on a folder that another one had before.
    init(
        _ folder: ScratchFolder,
        _ cluster: FakeCluster,
        _ registry: MemoryRegistry,
        shutdownGrace: Duration = .seconds(1),
        drain: any EndpointDrain = NoEndpointDrain()
    ) throws {
        let stops = Recorded<StopProgress>()
        self.stops = stops
        self.folder = folder
        self.cluster = cluster
        self.registry = registry
        var configuration = PodRuntimeConfiguration(
            dataFolder: folder.path,
            nodeName: "local",
            kubeletVersion: "v1.36.2+test"
        )
        configuration.shutdownGrace = shutdownGrace
        runtime = try PodRuntime(
            configuration: configuration,
            api: cluster,
            registries: registry,
            drain: drain,
            wall: Self.wall,
            telemetry: Telemetry("test"),
            onStop: { stops.add($0) }
        )
    }

    /// An image with busybox alone.
    private static let busybox: [UInt8] = {
        let program = FileText.content("/bin/busybox") ?? []
        var tar = TarText()
        for path in ["bin/", "etc/", "tmp/"] { tar.add(path, type: "5", mode: path == "tmp/" ? 0o777 : 0o755) }
        tar.add("etc/passwd", content: "root:x:0:0::/:/bin/sh\nweb:x:101:102::/:/bin/sh\n")
        tar.add("etc/group", content: "root:x:0:\nweb:x:102:\nextra:x:103:web\n")
        tar.raw(
            TarText.header(
                "bin/busybox",
                type: "0",
                target: "",
                mode: 0o755,
                user: 0,
                group: 0,
                size: program.count,
                seconds: 0
            )
        )
        tar.raw(program + [UInt8](repeating: 0, count: (512 - program.count % 512) % 512))
        for name in [
            "sh", "sleep", "cat", "echo", "rm", "id", "env", "ls", "head", "nc", "httpd", "touch", "kill", "dd", "yes",
            "wget", "printf", "stat", "hostname", "true", "false", "nslookup", "ip",
        ] {
            tar.add("bin/\(name)", type: "2", target: "busybox")
        }
        return tar.closed
    }()

    /// Runs the node while `body` runs, then stops it and waits until it has.
    func run(_ body: (TestNode) async throws -> Void) async throws {
        start()
        do {
            try await body(self)
        } catch {
            try await stop()
            throw error
        }
        try await stop()
    }

    func start() {
        let runtime = runtime
        running.withLock { $0 = Task { try await runtime.run() } }
    }

    func stop() async throws {
        let task = running.withLock { $0.take() }
        task?.cancel()
        try await task?.value
    }

    // MARK: Pods

    @discardableResult
    func create(
        _ name: String,
        _ command: String...,
        container: JSON = [:],
        spec: JSON = [:],
        metadata: JSON = [:]
    ) async throws -> KubeObject {
        var main: JSON = ["name": "main", "image": "r.test/a:busybox", "imagePullPolicy": "IfNotPresent"]
        if !command.isEmpty { main["command"] = .array(command.map { .string($0) }) }
        for (key, value) in container.object ?? [:] { main[key] = value }
        var pod = KubeObject(.pods, namespace: "default", name: name)
        for (key, value) in metadata.object ?? [:] { pod.json.set(value, at: ["metadata", key]) }
        var body: JSON = ["nodeName": "local", "containers": [main], "terminationGracePeriodSeconds": 1]
        for (key, value) in spec.object ?? [:] { body[key] = value }
        pod["spec"] = body
        return try await cluster.create(pod, as: .pods)
    }

    /// Waits until the pod is as `claim` says, or 20 seconds.
    @discardableResult
    func wait(
        for name: String,
        type: ResourceType = .pods,
        _ comment: String = "",
        until claim: @escaping @Sendable (KubeObject?) -> Bool
    ) async throws -> KubeObject? {
        let cluster = cluster
        let query = ListQuery(type, namespace: type.isNamespaced ? "default" : nil)
        return try await withThrowingTaskGroup(of: KubeObject?.self) { group in
            group.addTask {
                let list = try await cluster.list(query)
                let now = list.items.first { $0.name == name }
                if claim(now) { return now }
                for try await event in try await cluster.watch(query, after: list.resourceVersion) {
                    switch event {
                    case .added(let object), .modified(let object):
                        if object.name == name, claim(object) { return object }
                    case .deleted(let object):
                        if object.name == name, claim(nil) { return nil }
                    case .bookmark: break
                    }
                }
                throw Failure(.deadlineExceeded, "the watch of '\(name)' ended")
            }
            group.addTask {
                try await Task.sleep(for: .seconds(20))
                let last = try? await cluster.find(ObjectReference(type, namespace: "default", name: name))
                throw Failure(
                    .deadlineExceeded,
                    "'\(name)' did not become as expected \(comment): \(last?.status.prettyText ?? "gone")"
                )
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// Waits for something outside the API, such as a folder of another process, for at most 20 seconds.
    func eventually(_ comment: String = "", _ claim: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try await !claim() {
            guard ContinuousClock.now < deadline else {
                throw Failure(.deadlineExceeded, "it did not happen \(comment)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func waitForPhase(_ phase: String, of name: String) async throws -> KubeObject {
        let found = try await wait(for: name, phase) { $0?.status["phase"]?.string == phase }
        return try #require(found)
    }

    func waitForReady(_ name: String) async throws -> KubeObject {
        let found = try await wait(for: name, "Ready") { $0?.condition("Ready")?["status"] == "True" }
        return try #require(found)
    }

    /// The whole log of a pod's container.
    func log(_ pod: KubeObject, _ change: (inout LogOptions) -> Void = { _ in }) async throws -> String {
        var options = LogOptions(container: "main")
        change(&options)
        var bytes: [UInt8] = []
        for try await piece in try await runtime.agent.logs(
            namespace: "default",
            pod: pod.name,
            uid: pod.uid,
            options
        ) {
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Follows a log until it holds all the texts, and returns what came.
    func follow(_ pod: KubeObject, until texts: String..., container: String = "main") async throws -> String {
        try await wait(for: pod.name, "started") { found in
            let all =
                (found?.status["initContainerStatuses"]?.array ?? [])
                + (found?.status["containerStatuses"]?.array ?? [])
            return all.first { $0["name"]?.string == container }.map { $0[path: "state", "waiting"] == nil } ?? false
        }
        var options = LogOptions(container: container)
        options.follows = true
        var bytes: [UInt8] = []
        for try await piece in try await runtime.agent.logs(
            namespace: "default",
            pod: pod.name,
            uid: pod.uid,
            options
        ) {
            bytes += piece
            let text = String(decoding: bytes, as: UTF8.self)
            if texts.allSatisfy({ text.contains($0) }) { return text }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func events(_ pod: String) -> [String] {
        cluster.all(.events).filter { $0[path: "involvedObject", "name"]?.string == pod }
            .sorted { ($0["firstTimestamp"]?.string ?? "", $0.name) < ($1["firstTimestamp"]?.string ?? "", $1.name) }
            .map { "\($0["reason"]?.string ?? ""): \($0["message"]?.string ?? "")" }
    }
}
