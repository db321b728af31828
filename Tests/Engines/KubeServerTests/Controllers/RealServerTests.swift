// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Telemetry
import TestKit
import Testing

@testable import KubeServer

/// The controllers beside the real API server, in one process.
@Suite("controllers on the real server", .timeLimit(.minutes(5)))
struct RealServerTests {
    /// Runs `body` beside server, controllers and a node that runs what it is given.
    func run(
        _ folder: ScratchFolder,
        phase: @escaping @Sendable (KubeObject) -> String = { _ in "Running" },
        _ body: @escaping @Sendable (any ClusterAPI) async throws -> Void
    ) async throws {
        let clock = HandClock().wall
        let log = try ObjectLog(path: folder.file("objects.db"), clock: clock)
        let server = try KubernetesServer(log: log, clock: clock)
        try await server.bootstrap()
        var configuration = ControllerConfiguration()
        configuration.volumeFolder = folder.file("volumes")
        configuration.rootCertificate = "PEM"
        configuration.endpoint = .init(serviceAddress: "10.96.0.1", address: "10.1.0.1", port: 6443)
        let controllers = Controllers(
            api: server.api,
            configuration: configuration,
            wallClock: clock,
            telemetry: Telemetry("test", log: .quiet)
        )
        var node = KubeObject(.nodes, name: "n1", labels: ["kubernetes.io/hostname": "n1"])
        node["status"] = [
            "allocatable": ["cpu": "2", "memory": "1Gi", "pods": "110"],
            "conditions": [["type": "Ready", "status": "True"]],
        ]
        _ = try await server.api.create(node, as: .nodes)
        _ = try await server.api.updateStatus(node, as: .nodes)
        try await withThrowingTaskGroup { group in
            group.addTask { await controllers.run() }
            group.addTask { await Kubelet(api: server.api, clock: clock, phase: phase).run() }
            try await body(server.api)
            group.cancelAll()
        }
        await log.close()
    }

    func wait(
        _ api: any ClusterAPI,
        _ type: ResourceType,
        until isTrue: @escaping ([KubeObject]) -> Bool
    ) async throws -> [KubeObject] {
        let mirror = ObjectMirror(ListQuery(type), of: api)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await mirror.run() }
            await mirror.waitUntilSynced()
            defer { group.cancelAll() }
            if isTrue(mirror.objects) { return mirror.objects }
            for await _ in mirror.changes() where isTrue(mirror.objects) { break }
            return mirror.objects
        }
    }

    func deployment(replicas: Int, image: String = "web:1") -> KubeObject {
        var object = KubeObject(.deployments, namespace: "shop", name: "web")
        object["spec"] = [
            "replicas": JSON(replicas), "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": ["containers": [["name": "main", "image": .string(image)]]],
            ],
        ]
        return object
    }

    func isDone(_ all: [KubeObject], revision: String, replicas: Int) -> Bool {
        all.contains {
            $0.annotations["deployment.kubernetes.io/revision"] == revision
                && $0.statusCount("availableReplicas") == replicas && $0.statusCount("replicas") == replicas
                && $0.statusCount("updatedReplicas") == replicas
                && $0.statusCount("observedGeneration") == $0.generation
                && $0.condition("Progressing")?["reason"] == "NewReplicaSetAvailable"
        }
    }

    @Test("a deployment runs, rolls, scales and is collected; its namespace can go with all that is in it")
    func shop() async throws {
        let folder = try ScratchFolder()
        try await run(folder) { [self] api in
            _ = try await api.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
            _ = try await api.create(deployment(replicas: 3), as: .deployments)
            _ = try await wait(api, .deployments) { isDone($0, revision: "1", replicas: 3) }
            _ = try await api.patch(
                ObjectReference(.deployments, namespace: "shop", name: "web"),
                .merge,
                ["spec": ["template": ["spec": ["containers": [["name": "main", "image": "web:2"]]]]]]
            )
            _ = try await wait(api, .deployments) { isDone($0, revision: "2", replicas: 3) }
            // The old pods may still be on their way out.
            let pods = try await api.list(ListQuery(.pods)).items.filter { !$0.isTerminating }
            #expect(
                pods.count == 3
                    && pods.allSatisfy { $0.spec["containers"]?[0]?["image"] == "web:2" && $0.nodeName == "n1" }
            )

            var service = KubeObject(.services, namespace: "shop", name: "web")
            service["spec"] = ["selector": ["app": "web"], "ports": [["port": 80, "targetPort": 8080]]]
            _ = try await api.create(service, as: .services)
            _ = try await wait(api, .endpointSlices) { all in
                all.contains { $0.namespace == "shop" && $0["endpoints"]?.array?.count == 3 }
            }
            _ = try await wait(api, .serviceAccounts) { $0.contains { $0.namespace == "shop" } }

            try await api.delete(ObjectReference(.namespaces, name: "shop"))
            _ = try await wait(api, .namespaces) { all in !all.contains { $0.name == "shop" } }
            for type in [ResourceType.pods, .replicaSets, .deployments, .services, .endpointSlices, .configMaps] {
                let left = try await api.list(ListQuery(type, namespace: "shop")).items
                #expect(left.map(\.name) == [], "\(type)")
            }
        }
    }

    @Test("a job completes, and a claim is bound when its pod is placed")
    func jobsAndClaims() async throws {
        let folder = try ScratchFolder()
        try await run(folder, phase: { $0.labels["batch.kubernetes.io/job-name"] == nil ? "Running" : "Succeeded" }) {
            [self] api in
            var job = KubeObject(.jobs, namespace: "default", name: "work")
            job["spec"] = [
                "completions": 3, "parallelism": 2,
                "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "main", "image": "job:1"]]]],
            ]
            _ = try await api.create(job, as: .jobs)
            let done = try await wait(api, .jobs) { $0.contains(where: \.isFinishedJob) }
            #expect(done.first?.status["succeeded"] == 3)

            var claim = KubeObject(.persistentVolumeClaims, namespace: "default", name: "data")
            claim["spec"] = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
            _ = try await api.create(claim, as: .persistentVolumeClaims)
            var pod = KubeObject(.pods, namespace: "default", name: "user")
            pod["spec"] = [
                "containers": [
                    ["name": "main", "image": "web:1", "volumeMounts": [["name": "data", "mountPath": "/data"]]]
                ],
                "volumes": [["name": "data", "persistentVolumeClaim": ["claimName": "data"]]],
            ]
            _ = try await api.create(pod, as: .pods)
            _ = try await wait(api, .pods) { $0.contains { $0.name == "user" && $0.podPhase == "Running" } }
            let bound = try await api.get(ObjectReference(.persistentVolumeClaims, namespace: "default", name: "data"))
            #expect(bound.isBoundClaim, "\(bound.json.text)")
            _ = try await wait(api, .services) {
                $0.contains { $0.name == "kubernetes" && $0.spec["clusterIP"] == "10.96.0.1" }
            }
        }
    }
}
