// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Synchronization
import Telemetry
import TestKit
import Testing

@testable import KubeServer

/// A cluster in memory with all controllers and a node that runs whatever it is given.
struct ControlledCluster: Sendable {
    let api: FakeCluster
    let configuration: ControllerConfiguration
    let clock: WallClock

    init(configuration: ControllerConfiguration = ControllerConfiguration(), clock: WallClock = HandClock().wall) {
        self.clock = clock
        api = FakeCluster(clock: clock)
        self.configuration = configuration
    }

    /// Runs `body` beside the controllers and a node named `n1`; `phase` says what becomes of a pod put there.
    func run(
        phase: @escaping @Sendable (KubeObject) -> String = { _ in "Running" },
        _ body: @escaping @Sendable (ControlledCluster) async throws -> Void
    ) async throws {
        let controllers = Controllers(
            api: api,
            configuration: configuration,
            wallClock: clock,
            telemetry: Telemetry("test", log: .quiet)
        )
        try await addNode("n1", cpu: "2", memory: "1Gi")
        try await withThrowingTaskGroup { group in
            group.addTask { await controllers.run() }
            group.addTask { await Kubelet(api: api, clock: clock, phase: phase).run() }
            try await body(self)
            group.cancelAll()
        }
    }

    func addNode(_ name: String, cpu: String, memory: String) async throws {
        var node = KubeObject(.nodes, name: name, labels: ["kubernetes.io/hostname": name])
        node["status"] = [
            "allocatable": ["cpu": .string(cpu), "memory": .string(memory), "pods": "110"],
            "conditions": [["type": "Ready", "status": "True"]],
        ]
        _ = try await api.create(node, as: .nodes)
    }

    /// The objects of a type once the claim about them is true.
    @discardableResult
    func wait(_ type: ResourceType, until isTrue: ([KubeObject]) -> Bool) async throws -> [KubeObject] {
        let start = try await api.list(ListQuery(type))
        if isTrue(start.items) { return start.items }
        for try await _ in try await api.watch(ListQuery(type), after: start.resourceVersion) {
            let now = api.all(type)
            if isTrue(now) { return now }
        }
        return []
    }

    /// One object once the claim about it is true.
    func wait(_ type: ResourceType, _ name: String, until isTrue: @escaping (KubeObject) -> Bool) async throws
        -> KubeObject
    {
        let all = try await wait(type) { $0.contains { $0.name == name && isTrue($0) } }
        return try #require(all.first { $0.name == name })
    }

    /// Reasons and messages of the events about one kind of object, in order of their first occurrence.
    func waitForEvents(_ kind: String, count: Int) async throws -> [String] {
        let events = try await wait(.events) { $0.count { $0["involvedObject"]?["kind"]?.string == kind } >= count }
        return events.filter { $0["involvedObject"]?["kind"]?.string == kind }
            .map { "\($0["reason"]?.string ?? ""): \($0["message"]?.string ?? "")" }
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Plays the node: pods that are bound get an address and a phase; pods that are to go, go.
struct Kubelet: Sendable {
    let api: any ClusterAPI
    let clock: WallClock
    let phase: @Sendable (KubeObject) -> String
    /// Whether pods show containers, each with the pod's uid as its id.
    var showsContainers = false

    func run() async {
        let mirror = ObjectMirror(ListQuery(.pods), of: api)
        await withDiscardingTaskGroup { group in
            group.addTask { await mirror.run() }
            for await change in mirror.changes() { try? await look(at: change) }
            group.cancelAll()
        }
    }

    private func look(at change: ObjectChange) async throws {
        if case .deleted = change { return }
        let pod = change.object
        guard !pod.nodeName.isEmpty else { return }
        if pod.isTerminating {
            let reference = ObjectReference(.pods, namespace: pod.namespace, name: pod.name)
            return try await api.delete(reference, options: DeleteOptions(gracePeriod: .zero, uid: pod.uid))
        }
        let phase = phase(pod)
        guard pod.status["podIP"] == nil, phase != "Pending" else { return }
        var changed = pod
        changed["status"] = [
            "phase": .string(phase), "podIP": "10.0.0.\(pod.name.utf8.reduce(1) { ($0 * 31 + Int($1)) % 250 })",
            "conditions": [
                [
                    "type": "Ready", "status": phase == "Running" ? "True" : "False",
                    "lastTransitionTime": .string(clock.now.description),
                ]
            ],
        ]
        if showsContainers {
            let now = JSON.string(clock.now.description)
            changed.json.set(now, at: ["status", "startTime"])
            let status: JSON = [
                "name": "main", "image": "web:1", "imageID": "", "ready": true, "restartCount": 0,
                "containerID": .string("test://\(pod.uid)"), "state": ["running": ["startedAt": now]],
            ]
            changed.json.set([status], at: ["status", "containerStatuses"])
        }
        _ = try await api.updateStatus(changed, as: .pods)
    }
}

/// Objects as tests write them.
enum Sample {
    static func deployment(_ name: String, replicas: Int, image: String = "web:1", spec: JSON = [:]) -> KubeObject {
        var object = KubeObject(.deployments, namespace: "shop", name: name)
        object["spec"] = [
            "replicas": JSON(replicas), "selector": ["matchLabels": ["app": .string(name)]],
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            "template": [
                "metadata": ["labels": ["app": .string(name)]],
                "spec": ["containers": [["name": "main", "image": .string(image)]]],
            ],
        ]
        for (key, value) in spec.object ?? [:] { object.json.set(value, at: ["spec", key]) }
        return object
    }

    static func pod(_ name: String, requests: JSON = [:]) -> KubeObject {
        var object = KubeObject(.pods, namespace: "shop", name: name)
        object["spec"] = ["containers": [["name": "main", "image": "web:1", "resources": ["requests": requests]]]]
        return object
    }
}
