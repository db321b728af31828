// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("waiting for objects", .timeLimit(.minutes(5)))
struct HealthWatchTests {
    private let cluster = FakeCluster()
    private let time = VirtualTime()
    private let progress = RecordedProgress()

    private var watch: HealthWatch {
        HealthWatch(cluster: InterceptedCluster(cluster), progress: progress, clock: time.wall, sleeper: time)
    }

    private func reference(_ type: ResourceType, _ name: String = "cart") -> ObjectReference {
        ObjectReference(type, namespace: "shop", name: name)
    }

    private func create(_ type: ResourceType, _ name: String = "cart", _ members: JSON = [:]) async throws -> KubeObject
    {
        var object = KubeObject(type, namespace: "shop", name: name)
        for (key, value) in members.object ?? [:] { object[key] = value }
        return try await cluster.create(object, as: type)
    }

    private func setStatus(_ status: JSON, of type: ResourceType, _ name: String = "cart") async throws {
        _ = try await cluster.patch(
            reference(type, name),
            subresource: "status",
            .merge,
            ["status": status],
            options: WriteOptions()
        )
    }

    /// What a wait ends with; `nil` where all is as asked.
    private func end(_ targets: [HealthTarget], _ patience: Duration) async -> RolloutFailed? {
        do {
            try await watch.wait(for: targets, patience: patience)
            return nil
        } catch {
            return error as? RolloutFailed
        }
    }

    @Test func whatNobodyReportsOnIsNotWaitedFor() async throws {
        let targets = [ResourceType.configMaps, .secrets].map { HealthTarget(reference($0)) }
        try await watch.wait(for: targets, patience: .seconds(10))
        #expect(progress.lines.isEmpty)
    }

    @Test func theLastChangeEndsTheWaitWithoutAnyTimePassing() async throws {
        _ = try await create(.statefulSets, "db", ["spec": ["replicas": 1]])
        _ = try await create(.jobs, "migrate")
        let targets = [HealthTarget(reference(.statefulSets, "db")), HealthTarget(reference(.jobs, "migrate"))]
        async let outcome = end(targets, .seconds(60))
        await progress.wait(for: "statefulset/db: ")
        try await setStatus(["conditions": [["type": "Complete", "status": "True"]]], of: .jobs, "migrate")
        await progress.wait(for: "statefulset/db is inProgress" + "job/migrate is current")
        try await setStatus(
            ["replicas": 1, "readyReplicas": 1, "currentReplicas": 1, "updateRevision": "a", "currentRevision": "a"],
            of: .statefulSets,
            "db"
        )
        let failure = await outcome
        #expect(failure?.diagnosis == nil)
        #expect(time.now.offset == .zero)
    }

    @Test func oneThatFailsDecidesForAll() async throws {
        _ = try await create(.jobs, "good")
        _ = try await create(.jobs, "bad")
        let targets = ["good", "bad"].map { HealthTarget(reference(.jobs, $0)) }
        async let outcome = end(targets, .seconds(60))
        await progress.wait(for: "job/good: ")
        let failed: JSON = [
            "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many",
        ]
        try await setStatus(["conditions": [failed]], of: .jobs, "bad")
        let failure = await outcome
        #expect(failure?.diagnosis.code == .jobFails && failure?.diagnosis.object?.name == "bad")
        #expect(progress.lines.contains("local: B209"))
    }

    @Test func onlyPodsOfTheNewRevisionCount() async throws {
        let set = try await create(
            .statefulSets,
            "db",
            ["spec": ["replicas": 1], "status": ["updateRevision": "db-2", "currentRevision": "db-1", "replicas": 1]]
        )
        for revision in ["db-1", "db-2"] {
            var pod = KubeObject(
                .pods,
                namespace: "shop",
                name: "pod-of-\(revision)",
                labels: ["controller-revision-hash": revision]
            )
            pod.json.set([["uid": .string(set.uid), "controller": true]], at: ["metadata", "ownerReferences"])
            let reason: JSON = revision == "db-1" ? "InvalidImageName" : "ContainerCreating"
            pod["status"] = [
                "phase": "Pending", "containerStatuses": [["name": "db", "state": ["waiting": ["reason": reason]]]],
            ]
            _ = try await cluster.create(pod, as: .pods)
        }
        async let outcome = end([HealthTarget(reference(.statefulSets, "db"))], .seconds(60))
        await progress.wait(for: "pod-of-db-2: ContainerCreating")
        // The old pod's trouble would have ended it by now; that of the new one does.
        let broken: JSON = ["name": "db", "state": ["waiting": ["reason": "InvalidImageName", "message": "x y"]]]
        try await setStatus(["containerStatuses": [broken]], of: .pods, "pod-of-db-2")
        let failure = await outcome
        #expect(failure?.diagnosis.pod == "pod-of-db-2" && failure?.diagnosis.code == .imageNameInvalid)
    }

    @Test func anIngressWithoutAnAddressIsWaitedForAWhileOnly() async throws {
        _ = try await create(.ingresses)
        async let outcome = end([HealthTarget(reference(.ingresses))], .seconds(600))
        await progress.wait(for: "no controller has given it an address yet")
        await time.passDuringRollout(.seconds(10))
        let failure = await outcome
        #expect(failure?.diagnosis == nil)
    }

    @Test func whatNeverComesIsNamedAtTheDeadline() async throws {
        async let outcome = end([HealthTarget(reference(.ingresses))], .seconds(2))
        await progress.wait(for: "ingress/cart is missing")
        await time.passDuringRollout(.seconds(2))
        let failure = await outcome
        #expect(failure?.diagnosis.cause == "ingress shop/cart was deleted while it was awaited")
    }

    @Test func anotherImageMeansThatSomebodyElseTookOver() async throws {
        let template: JSON = ["spec": ["containers": [["name": "web", "image": "a"]]]]
        let applied = try await create(.deployments, "cart", ["spec": ["template": template]])
        async let outcome = end([HealthTarget(reference(.deployments), applied: applied)], .seconds(60))
        await progress.wait(for: "deployment/cart is inProgress")
        let other: JSON = ["spec": ["template": ["spec": ["containers": [["name": "web", "image": "b"]]]]]]
        _ = try await cluster.patch(reference(.deployments), .merge, other)
        let failure = await outcome
        #expect(failure?.diagnosis.code == .takenOver)
    }

    @Test func aProgramForAnotherProcessorShowsInItsLastLinesOnly() async {
        let diagnosis = Diagnosis(code: .crashLoop, cause: "x", advice: "y", pod: "cart-x", container: "web")
        let speaking = SpeakingCluster(line: "exec /bin/web: exec format error")
        let end = await LastLines(cluster: speaking).added(
            to: diagnosis,
            in: [HealthTarget(reference(.deployments))]
        )
        #expect(end.diagnosis.code == .wrongArchitecture && end.lastLines.count == 1)
    }

    /// A kubelet keeps the lines of the last end alone, and answers 200 with an apology for those of the one before.
    @Test(arguments: [("waiting", "present"), ("terminated", "present"), ("running", "previous")])
    func theLinesAreThoseOfTheLastEnd(_ state: String, _ expected: String) async {
        let diagnosis = Diagnosis(code: .crashLoop, cause: "x", advice: "y", pod: "cart-x", container: "web")
        let speaking = SpeakingCluster(
            line: "present",
            previous: state == "running" ? "previous" : "unable to retrieve container logs for containerd://a10e",
            status: ["containerStatuses": [["name": "web", "state": .object([state: [:]])]]]
        )
        let target = HealthTarget(reference(.deployments))
        let end = await LastLines(cluster: speaking).added(to: diagnosis, in: [target])
        #expect(end.lastLines == [expected])
        var silent = speaking
        silent.status = nil
        let unknown = await LastLines(cluster: silent).added(to: diagnosis, in: [target])
        #expect(unknown.lastLines == [expected], "where the pod cannot be asked, an apology is no last line")
    }
}

/// A cluster of which only the logs are asked for.
private struct SpeakingCluster: ClusterAPI {
    var line: String
    var previous: String?
    /// Of the pod that is asked for; `nil`: it cannot be had.
    var status: JSON?

    private var nothing: Failure { Failure(.notFound, "there is nothing here") }

    func get(_ reference: ObjectReference, subresource: String?) async throws -> KubeObject {
        guard let status else { throw nothing }
        return KubeObject(["kind": "Pod", "status": status])
    }
    func list(_ query: ListQuery) async throws -> ObjectList { throw nothing }
    func watch(_ query: ListQuery, after version: ResourceVersion) async throws -> AsyncThrowingStream<
        WatchEvent, any Error
    > { throw nothing }
    func create(_ object: KubeObject, as type: ResourceType, options: WriteOptions) async throws -> KubeObject {
        throw nothing
    }
    func update(_ object: KubeObject, as type: ResourceType, subresource: String?, options: WriteOptions) async throws
        -> KubeObject
    { throw nothing }
    func patch(
        _ reference: ObjectReference,
        subresource: String?,
        _ type: PatchType,
        _ body: JSON,
        options: WriteOptions
    ) async throws -> KubeObject { throw nothing }
    func delete(_ reference: ObjectReference, options: DeleteOptions) async throws { throw nothing }
    func logs(_ pod: ObjectReference, _ options: LogOptions) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            continuation.yield(Array((options.isPrevious ? previous ?? line : line).utf8))
            continuation.finish()
        }
    }
}
