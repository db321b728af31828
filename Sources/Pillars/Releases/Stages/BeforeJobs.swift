// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Runs the jobs of `before`, one after the other, each to its end: the pods change only once all have succeeded.
struct BeforeJobs: Sendable {
    let cluster: any ClusterAPI
    let clusterName: String
    let progress: any ReleaseProgress
    let clock: WallClock
    let sleeper: any Clock<Duration>
    let retry: CallRetry

    /// Throws ``RolloutFailed`` with the last lines of a job that failed or took longer than the app's `deadline`.
    func run(_ objects: AppObjects, release number: Int) async throws {
        let app = objects.app
        guard !app.deploy.before.isEmpty else { return }
        try await endEarlier(app, number)
        for job in app.deploy.before {
            let object = objects.job(job, release: number)
            let reference = ObjectReference(.jobs, namespace: object.namespace, name: object.name)
            try await create(object, reference)
            let start = clock.now
            try await watch.wait(for: [HealthTarget(reference, applied: object)], patience: app.deploy.deadline)
            let seconds = (clock.now - start).components.seconds
            await progress.report(.note("the job '\(job.name)' succeeded in \(seconds) s"))
        }
    }

    private var watch: HealthWatch {
        HealthWatch(
            cluster: cluster,
            clusterName: clusterName,
            progress: progress,
            clock: clock,
            sleeper: sleeper
        )
    }

    /// A release that goes on where another process left it finds its job there.
    private func create(_ object: KubeObject, _ reference: ObjectReference) async throws {
        try await retry("start \(reference.words)") {
            guard try await cluster.find(reference) == nil else { return }
            _ = try await cluster.patch(
                reference,
                subresource: nil,
                .apply,
                object.json,
                options: ObjectApplier.options(isForced: false)
            )
        }
    }

    /// Jobs of earlier releases: what has ended is removed, and what runs is waited for, since two of them at once might
    /// spoil what they work on.
    private func endEarlier(_ app: App, _ number: Int) async throws {
        let labels = LabelSelector([
            .init(ReleaseRecord.appLabel, .isIn, [app.name.text]), .init(AppObjects.jobLabel, .exists),
        ])
        let query = ListQuery(.jobs, namespace: app.namespace.text, labelSelector: labels)
        let page = try await retry("look for earlier jobs") { try await cluster.list(query) }
        let current = Set(
            app.deploy.before.map { "\(app.name)-\($0.name)-\(number)" }
        )
        for job in page.items where !current.contains(where: { job.name.hasPrefix($0) }) {
            let reference = ObjectReference(.jobs, namespace: job.namespace, name: job.name)
            if !Self.hasEnded(job) {
                await progress.report(.note("waiting for the job '\(job.name)' of an earlier release"))
                do {
                    try await watch.wait(for: [HealthTarget(reference, applied: job)], patience: app.deploy.deadline)
                } catch let failed as RolloutFailed where failed.diagnosis.code != .jobFails {
                    let advice = "kubectl -n \(app.namespace) delete job \(job.name)"
                    throw Failure(
                        .conflict,
                        "the job '\(job.name)' of an earlier release does not end (\(failed.diagnosis.cause)); see to it, or delete it with '\(advice)'"
                    )
                } catch is RolloutFailed {}
            }
            try await retry("delete \(reference.words)") {
                guard try await cluster.find(reference) != nil else { return }
                try await cluster.delete(reference, options: DeleteOptions(propagation: .background, uid: job.uid))
            }
        }
    }

    private static func hasEnded(_ job: KubeObject) -> Bool {
        ["Complete", "Failed"].contains { job.condition($0)?["status"]?.string == "True" }
    }
}
