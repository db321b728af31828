// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Runs jobs to their end.
struct JobController: Reconciler {
    let context: ControllerContext
    let name = "job-controller"
    let workers = 4

    private var mirrors: ClusterMirrors { context.mirrors }
    private var writer: ClusterWriter { context.writer }

    var triggers: [Trigger] {
        [
            .each(mirrors.jobs), .owner("Job", of: mirrors.pods),
            // A pod that counts for some job, but belongs to none: its namespace is looked through.
            Trigger(mirrors.pods) { change in
                let pod = change.object
                guard pod.controller == nil, pod.finalizers.contains(JobView.finalizer) else { return [] }
                return [ObjectName(namespace: pod.namespace, name: "")]
            },
        ]
    }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        let job = mirrors.jobs[name]
        try await releaseOrphans(of: name, job)
        guard let job, let selector = job.workloadSelector else { return nil }
        let manager = job.spec["managedBy"]?.string ?? "kubernetes.io/job-controller"
        guard manager == "kubernetes.io/job-controller" else { return nil }
        let pods = try await Adoption(context, owner: job, type: .jobs, selector: selector)
            .claim(from: mirrors.pods, as: .pods, isWanted: { $0.isActivePod })
        if job.isFinishedJob || job.isTerminating {
            try await release(pods)
            return job.isTerminating ? nil : try await expire(job)
        }
        return try await look(at: job, pods)
    }

    /// Nobody will count the pods of a job that is gone, so nothing may hold them.
    private func releaseOrphans(of name: ObjectName, _ job: KubeObject?) async throws {
        let orphans = mirrors.pods.objects(in: name.namespace).filter { pod in
            guard pod.finalizers.contains(JobView.finalizer) else { return false }
            guard let owner = pod.controller else { return job == nil }
            return owner["kind"] == "Job" && owner["name"]?.string == name.name && owner["uid"]?.string != job?.uid
        }
        guard !orphans.isEmpty else { return }
        // The mirror of jobs may be behind that of pods.
        let present = try await writer.api.find(ObjectReference(.jobs, namespace: name.namespace, name: name.name))
        try await release(orphans.filter { $0.controller == nil || $0.controller?["uid"]?.string != present?.uid })
    }

    private func look(at job: KubeObject, _ pods: [KubeObject]) async throws -> Duration? {
        let view = JobView(job, pods: pods, at: context.clock.now)
        let ending = view.ending
        let again = ending == nil ? try await manage(view) : nil
        if ending != nil { try await remove(view.active, of: job, isCounted: true) }

        let present = JobView(job, pods: mirrors.pods.objects(controlledBy: job.uid), at: context.clock.now)
        let status = JobStatus(view: present, ending: ending)
        let noted = status.noting(active: present.active, terminating: present.terminating)
        try await store(noted, of: job)
        let held = Set(present.heldBack.values.map(\.uid))
        try await release(
            present.pods.filter { pod in
                ending != nil || pod.podPhase == "Succeeded" || present.isFailed(pod) && !held.contains(pod.uid)
            }
        )
        try await count(noted, of: job, ending)
        recordSuspension(from: job, to: noted)
        return [again, present.timeLeft].compactMap { $0 }.filter { $0 > .zero }.min()
    }

    /// Moves noted pods whose finalizer is gone into the counts, and declares the end.
    private func count(_ noted: JSON, of job: KubeObject, _ ending: JobEnding?) async throws {
        guard let current = mirrors.jobs[ObjectName(job)], current.uid == job.uid else { return }
        let view = JobView(current, pods: mirrors.pods.objects(controlledBy: job.uid), at: context.clock.now)
        let tracked = Set(view.pods.filter(view.isTracked).map(\.uid))
        let counted = JobStatus.counting(
            current.status,
            tracked: tracked,
            ending: ending,
            terminating: view.terminating,
            at: context.clock.now
        )
        try await store(counted, of: current)
        guard let ending, counted["conditions"] != current.status["conditions"] else { return }
        if ending.isSuccess {
            record(.normal, "Completed", "Job completed", on: job)
        } else {
            record(.warning, ending.reason, ending.message, on: job)
        }
    }

    private func store(_ status: JSON, of job: KubeObject) async throws {
        try await writer.setStatus(status, of: mirrors.jobs[ObjectName(job)] ?? job, as: .jobs)
    }

    private func recordSuspension(from job: KubeObject, to noted: JSON) {
        let (before, after) = (job.condition("Suspended"), ConditionList(noted)["Suspended"])
        guard let after, before?["status"] != after["status"] else { return }
        let isSuspended = after["status"]?.string == "True"
        record(
            .normal,
            isSuspended ? "Suspended" : "Resumed",
            isSuspended ? "Job suspended" : "Job resumed",
            on: job
        )
    }

    // MARK: Pods

    /// Creates or removes pods; returns when to try again where a failure is too fresh.
    private func manage(_ view: JobView) async throws -> Duration? {
        let surplus = view.surplus
        guard surplus.isEmpty else {
            try await remove(surplus, of: view.job, isCounted: false)
            return nil
        }
        let missing = view.missing
        guard missing > 0 else { return nil }
        guard view.indexLimit == nil else {
            let (indexes, delay) = view.dueIndexes(missing)
            try await create(indexes, view)
            return delay
        }
        guard view.creationDelay == .zero else { return view.creationDelay }
        try await create(view.isIndexed ? view.freeIndexes(missing) : Array(repeating: nil, count: missing), view)
        return nil
    }

    /// Creates a pod for each index, `nil` where pods have none.
    private func create(_ indexes: [Int?], _ view: JobView) async throws {
        var left = indexes[...]
        for size in ReplicaSetPlan.batches(of: indexes.count) {
            let error = await inParallel(Array(left.prefix(size))) { index in
                let stored = try await writer.create(view.makePod(index: index), as: .pods)
                record(.normal, "SuccessfulCreate", "Created pod: \(stored.name)", on: view.job)
            }
            left = left.dropFirst(size)
            guard let error else { continue }
            if (error as? Failure)?.status?.isNamespaceTerminating == true { return }
            record(.warning, "FailedCreate", "Error creating: \(error)", on: view.job)
            throw error
        }
    }

    /// `isCounted`: the pods count as failed, so they keep their finalizer until they are.
    private func remove(_ pods: [KubeObject], of job: KubeObject, isCounted: Bool) async throws {
        if !isCounted { try await release(pods) }
        let error = await inParallel(pods) { pod in
            try await writer.delete(pod, as: .pods)
            record(.normal, "SuccessfulDelete", "Deleted pod: \(pod.name)", on: job)
        }
        if let error { throw error }
    }

    /// Takes the tracking finalizer off.
    private func release(_ pods: [KubeObject]) async throws {
        let held = pods.filter { $0.finalizers.contains(JobView.finalizer) }
        let error = await inParallel(held) { pod in
            let finalizers = pod.finalizers.filter { $0 != JobView.finalizer }.map { JSON.string($0) }
            let metadata: JSON = [
                "finalizers": finalizers.isEmpty ? .null : .array(finalizers),
                "resourceVersion": .string(pod.resourceVersion.text),
            ]
            do {
                try await writer.merge(["metadata": metadata], into: pod, as: .pods)
            } catch let failure as Failure where failure.code == .notFound {}
        }
        if let error { throw error }
    }

    // MARK: After the end

    /// Removes a finished job when its time is over; returns how long that is.
    private func expire(_ job: KubeObject) async throws -> Duration? {
        guard let seconds = job.spec["ttlSecondsAfterFinished"]?.int, let end = job.finishedJobAt else { return nil }
        let left = end + .seconds(seconds) - context.clock.now
        guard left <= .zero else { return left }
        try await writer.delete(job, as: .jobs, propagation: .foreground)
        return nil
    }

    private func record(_ severity: EventRecorder.Severity, _ reason: String, _ message: String, on object: KubeObject)
    {
        context.events.record(severity, reason, message, on: object, by: name)
    }
}

extension KubeObject {
    var isFinishedJob: Bool { hasTrueCondition("Complete") || hasTrueCondition("Failed") }

    var finishedJobAt: Timestamp? {
        let end = hasTrueCondition("Complete") ? condition("Complete") : condition("Failed")
        return end?["lastTransitionTime"]?.string.flatMap { Timestamp($0) }
    }
}

extension JobView {
    /// The next pod of the job, the one for `index` where the job is indexed.
    func makePod(index: Int?) -> KubeObject {
        var pod = ReplicaSetPlan.pod(from: job.spec["template"] ?? [:], of: job, as: .jobs)
        let finalizers = pod.finalizers.filter { $0 != Self.finalizer } + [Self.finalizer]
        pod.json.set(.array(finalizers.map { .string($0) }), at: ["metadata", "finalizers"])
        guard let index else { return pod }
        pod.json.set(.string("\(job.name)-\(index)-"), at: ["metadata", "generateName"])
        pod.json.set(.string("\(index)"), at: ["metadata", "annotations", Self.indexAnnotation])
        pod.json.set(.string("\(index)"), at: ["metadata", "labels", Self.indexAnnotation])
        pod.json.set(.string("\(job.name)-\(index)"), at: ["spec", "hostname"])
        if indexLimit != nil {
            for (annotation, count) in failureCounts(after: heldBack[index]) {
                pod.json.set(.string(count), at: ["metadata", "annotations", annotation])
            }
        }
        let variable: JSON = [
            "name": "JOB_COMPLETION_INDEX",
            "valueFrom": ["fieldRef": ["fieldPath": .string("metadata.labels['\(Self.indexAnnotation)']")]],
        ]
        for field in ["initContainers", "containers"] {
            guard let containers = pod.spec[field]?.array else { continue }
            let extended = containers.map { container in
                var container = container
                let given = container["env"]?.array ?? []
                guard !given.contains(where: { $0["name"] == variable["name"] }) else { return container }
                container["env"] = .array(given + [variable])
                return container
            }
            pod.json.set(.array(extended), at: ["spec", field])
        }
        return pod
    }
}
