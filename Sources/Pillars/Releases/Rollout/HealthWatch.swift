// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// Waits for objects of one cluster: until all are as asked, one of them has failed, or the time is over.
///
/// It watches and does not poll: the last change that is awaited ends the wait at once, and a cause counts within a
/// second of its grace. Pods of older revisions have no say.
package struct HealthWatch: Sendable {
    let cluster: any ClusterAPI
    let clusterName: String
    let progress: any ReleaseProgress
    let clock: WallClock
    let sleeper: any Clock<Duration>

    /// `clusterName` is how progress names the cluster; `sleeper` is how waiting is done.
    package init(
        cluster: any ClusterAPI,
        clusterName: String = "local",
        progress: any ReleaseProgress,
        clock: WallClock,
        sleeper: any Clock<Duration> = ContinuousClock()
    ) {
        self.cluster = cluster
        self.clusterName = clusterName
        self.progress = progress
        self.clock = clock
        self.sleeper = sleeper
    }

    /// Returns once all targets are as asked.
    ///
    /// Throws RolloutFailed with the diagnosis where one has failed or the time is over, and a `Failure` where the
    /// cluster refuses to tell (`denied`, `notFound`, `invalidInput`). Reports what is awaited at each change of it.
    package func wait(for targets: [HealthTarget], patience: Duration) async throws {
        guard targets.contains(where: \.isWatched) else { return }
        var machine = HealthMachine(targets, startedAt: clock.now, patience: patience)
        let observer = HealthObserver(cluster: cluster, targets: targets, clock: clock, sleeper: sleeper)
        var said: Set<String> = []
        var shown: (report: HealthReport, at: Timestamp)?
        let start = clock.now
        let failed: Diagnosis? = try await observer.follow { look -> Diagnosis?? in
            let now = clock.now
            try await tell(look.trouble?.failure, after: now - start, &said)
            guard let views = look.views else {
                return now < machine.deadline ? nil : .some(Self.unreachable(look, patience))
            }
            let action = machine.observe(views, at: now)
            let report = machine.report(on: views, cluster: clusterName)
            if shown?.report != report, Self.isDue(report, shown?.at, now, action) {
                shown = (report, now)
                await progress.report(.health(report))
            }
            switch action {
            case .succeed: return .some(nil)
            case .fail(let diagnosis): return .some(Self.blamingTheCluster(for: diagnosis, look, now, patience))
            case .wait(_, let what):
                if said.insert(what).inserted { await progress.report(.waiting(what)) }
                return nil
            }
        }
        guard let failed else { return }
        let end = await LastLines(cluster: cluster).added(to: failed, in: targets)
        await progress.report(.diagnosed(cluster: clusterName, end.diagnosis, lastLines: end.lastLines))
        throw end
    }

    /// Many objects change many times; who reads along is told twice a second.
    private static func isDue(
        _ report: HealthReport,
        _ last: Timestamp?,
        _ now: Timestamp,
        _ action: RolloutMachine.Action
    ) -> Bool {
        guard case .wait = action, let last, report.objects.count > 20 else { return true }
        return now - last >= .milliseconds(500)
    }

    /// A kind that was defined a moment ago is not served at once.
    private static let patienceWithNewKinds = Duration.seconds(10)

    /// Speaks of a cluster that does not answer; throws where it answers that it will not tell.
    private func tell(_ failure: Failure?, after time: Duration, _ said: inout Set<String>) async throws {
        guard let failure else { return }
        let isFinal = failure.code == .notFound && time >= Self.patienceWithNewKinds
        if isFinal || [.denied, .invalidInput].contains(failure.code) {
            let message = "the cluster does not let the rollout be followed: \(failure.message)"
            throw Failure(failure.code, message, cause: failure.cause)
        }
        let note = "the cluster does not answer (\(failure.message)); asking on"
        if said.insert(note).inserted { await progress.report(.note(note)) }
    }

    /// Time ran out while the cluster did not answer: nobody knows what the pods do.
    private static func blamingTheCluster(
        for diagnosis: Diagnosis,
        _ look: HealthObserver.Look,
        _ now: Timestamp,
        _ patience: Duration
    ) -> Diagnosis {
        guard diagnosis.code == .deadline, let trouble = look.trouble, now - trouble.at < .seconds(15) else {
            return diagnosis
        }
        return unreachable(look, patience)
    }

    private static func unreachable(_ look: HealthObserver.Look, _ patience: Duration) -> Diagnosis {
        Diagnosis(
            code: .unreachable,
            cause:
                "the cluster did not answer for so long that \(patience.components.seconds) s ran out: \(look.trouble?.failure.message ?? "no answer")",
            advice: "see 'ballast status' once it answers again"
        )
    }
}
