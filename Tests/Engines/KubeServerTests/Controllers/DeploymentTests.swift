// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("deployments", .timeLimit(.minutes(5)))
struct DeploymentTests {
    let cluster = ControlledCluster()

    func isComplete(_ deployment: KubeObject, _ replicas: Int) -> Bool {
        deployment.statusCount("availableReplicas") == replicas && deployment.statusCount("updatedReplicas") == replicas
            && deployment.statusCount("replicas") == replicas
            && deployment.statusCount("observedGeneration") == deployment.generation
            && deployment.condition("Progressing")?["reason"]?.string == "NewReplicaSetAvailable"
    }

    @Test("a deployment becomes a replica set, running pods, conditions and events")
    func becomesPods() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(Sample.deployment("web", replicas: 3), as: .deployments)
            let done = try await cluster.wait(.deployments, "web") { isComplete($0, 3) }
            let set = try #require(cluster.api.all(.replicaSets).first)
            let hash = try #require(set.labels["pod-template-hash"])
            #expect(set.name == "web-\(hash)")
            #expect(set.annotations["deployment.kubernetes.io/desired-replicas"] == "3")
            #expect(set.annotations["deployment.kubernetes.io/max-replicas"] == "4")
            #expect(done.annotations["deployment.kubernetes.io/revision"] == "1")
            #expect(done.condition("Available")?["reason"] == "MinimumReplicasAvailable")
            #expect(
                done.condition("Progressing")?["message"]?.string
                    == "ReplicaSet \"\(set.name)\" has successfully progressed."
            )
            let pods = cluster.api.all(.pods)
            #expect(pods.count == 3)
            #expect(
                pods.allSatisfy {
                    $0.nodeName == "n1" && $0.labels["pod-template-hash"] == hash && $0.isControlled(by: set)
                }
            )
            let events = try await cluster.waitForEvents("Deployment", count: 1)
            #expect(events == ["ScalingReplicaSet: Scaled up replica set \(set.name) from 0 to 3"])
            let made = try await cluster.waitForEvents("ReplicaSet", count: 3)
            #expect(Set(made) == Set(pods.map { "SuccessfulCreate: Created pod: \($0.name)" }))
        }
    }

    @Test("a new template rolls out within the bounds, and the old one returns by undo under a new revision")
    func rollsForwardAndBack() async throws {
        try await cluster.run { cluster in
            let rolling: JSON = [
                "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0]]
            ]
            let first = Sample.deployment("web", replicas: 3, spec: rolling)
            _ = try await cluster.api.create(first, as: .deployments)
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 3) }
            let oldSet = try #require(cluster.api.all(.replicaSets).first)

            let version = try await cluster.api.list(ListQuery(.pods)).resourceVersion
            let watched = try await cluster.api.watch(ListQuery(.pods), after: version)
            _ = try await cluster.api.update(
                Sample.deployment("web", replicas: 3, image: "web:2", spec: rolling),
                as: .deployments
            )
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 3) && $0.revision == 2 }
            cluster.api.closeWatches()
            // Replays what happened to the pods: never above four, never below three ready ones.
            var alive: [String: Bool] = Dictionary(uniqueKeysWithValues: [])
            for pod in cluster.api.all(.pods) where pod.isControlled(by: oldSet) {
                Issue.record("old pod \(pod.name) is left")
            }
            for try await event in watched {
                switch event {
                case .added(let pod), .modified(let pod): alive[pod.uid] = pod.isReadyPod && !pod.isTerminating
                case .deleted(let pod): alive[pod.uid] = nil
                case .bookmark: break
                }
                #expect(alive.count { $0.value } <= 4)
            }
            #expect(cluster.api.all(.pods).allSatisfy { $0.spec["containers"]?[0]?["image"] == "web:2" })

            _ = try await cluster.api.update(first, as: .deployments)
            let back = try await cluster.wait(.deployments, "web") { isComplete($0, 3) && $0.revision == 3 }
            let reused = try #require(cluster.api.all(.replicaSets).first { $0.uid == oldSet.uid })
            #expect(back.revision == 3)
            #expect(reused.revision == 3)
            #expect(reused.annotations["deployment.kubernetes.io/revision-history"] == "1")
            #expect(cluster.api.all(.replicaSets).count == 2)
        }
    }

    @Test("recreate removes every old pod before it makes a new one")
    func recreates() async throws {
        try await cluster.run { cluster in
            let strategy: JSON = ["strategy": ["type": "Recreate"]]
            _ = try await cluster.api.create(Sample.deployment("web", replicas: 2, spec: strategy), as: .deployments)
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 2) }
            let version = try await cluster.api.list(ListQuery(.pods)).resourceVersion
            let watched = try await cluster.api.watch(ListQuery(.pods), after: version)
            _ = try await cluster.api.update(
                Sample.deployment("web", replicas: 2, image: "web:2", spec: strategy),
                as: .deployments
            )
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 2) && $0.revision == 2 }
            cluster.api.closeWatches()
            var (gone, made): (Int, Int) = (0, 0)
            for try await event in watched {
                if case .deleted = event { gone += 1 }
                guard case .added = event else { continue }
                made += 1
                #expect(gone == 2)
            }
            #expect(made == 2)
        }
    }

    @Test("scaling changes the one replica set; a paused deployment scales but does not roll")
    func scales() async throws {
        try await cluster.run { cluster in
            _ = try await cluster.api.create(Sample.deployment("web", replicas: 1), as: .deployments)
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 1) }
            let reference = ObjectReference(.deployments, namespace: "shop", name: "web")
            _ = try await cluster.api.patch(reference, .merge, ["spec": ["replicas": 4]])
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 4) }
            _ = try await cluster.api.patch(reference, .merge, ["spec": ["paused": true]])
            _ = try await cluster.wait(.deployments, "web") {
                $0.condition("Progressing")?["reason"] == "DeploymentPaused"
            }
            _ = try await cluster.api.update(
                Sample.deployment("web", replicas: 2, image: "web:2", spec: ["paused": true]),
                as: .deployments
            )
            _ = try await cluster.wait(.deployments, "web") {
                $0.statusCount("replicas") == 2 && $0.statusCount("observedGeneration") == $0.generation
            }
            #expect(cluster.api.all(.replicaSets).count == 1)
            _ = try await cluster.api.patch(reference, .merge, ["spec": ["paused": .null]])
            _ = try await cluster.wait(.deployments, "web") { isComplete($0, 2) && $0.revision == 2 }
            #expect(cluster.api.all(.replicaSets).count == 2)
        }
    }

    @Test("a rollout that stands still exceeds its deadline, in the real words")
    func timesOut() async throws {
        let clock = HandClock()
        let cluster = ControlledCluster(clock: clock.wall)
        try await cluster.run(phase: { _ in "Pending" }) { cluster in
            _ = try await cluster.api.create(
                Sample.deployment("web", replicas: 1, spec: ["progressDeadlineSeconds": 60]),
                as: .deployments
            )
            _ = try await cluster.wait(.deployments, "web") { $0.statusCount("unavailableReplicas") == 1 }
            clock.advance(by: .seconds(62))
            let reference = ObjectReference(.deployments, namespace: "shop", name: "web")
            _ = try await cluster.api.patch(reference, .merge, ["metadata": ["annotations": ["look": "again"]]])
            let late = try await cluster.wait(.deployments, "web") {
                $0.condition("Progressing")?["reason"] == "ProgressDeadlineExceeded"
            }
            let set = try #require(cluster.api.all(.replicaSets).first)
            #expect(late.condition("Progressing")?["status"] == "False")
            #expect(
                late.condition("Progressing")?["message"]?.string
                    == "ReplicaSet \"\(set.name)\" has timed out progressing."
            )
            #expect(late.condition("Available")?["reason"] == "MinimumReplicasUnavailable")
        }
    }

    @Test("pods that may not be created show as ReplicaFailure with the API's words, and come once they may")
    func replicaFailure() async throws {
        try await cluster.run { cluster in
            cluster.api.setFault { call in
                guard call.verb == .create, call.type == .pods else { return }
                throw Failure(.denied, "pods \"x\" is forbidden: exceeded quota")
            }
            _ = try await cluster.api.create(Sample.deployment("web", replicas: 2), as: .deployments)
            let stuck = try await cluster.wait(.deployments, "web") { $0.condition("ReplicaFailure") != nil }
            #expect(stuck.condition("ReplicaFailure")?["reason"] == "FailedCreate")
            #expect(stuck.condition("ReplicaFailure")?["message"] == "pods \"x\" is forbidden: exceeded quota")
            let events = try await cluster.waitForEvents("ReplicaSet", count: 1)
            #expect(events == ["FailedCreate: Error creating: pods \"x\" is forbidden: exceeded quota"])
            cluster.api.setFault(nil)
            let done = try await cluster.wait(.deployments, "web") { isComplete($0, 2) }
            #expect(done.condition("ReplicaFailure") == nil)
        }
    }
}
