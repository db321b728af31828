// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Follows objects of one cluster and shows them at each change.
///
/// Nothing is lost between a list and its watch, an expired watch lists anew, and a cluster that does not answer is asked
/// again until the caller has seen enough.
final class HealthObserver: Sendable {
    /// What a look shows.
    struct Look: Sendable {
        /// In the order of the targets; `nil` until everything was listed once.
        var views: [RolloutView]?
        /// The last thing that went wrong in asking the cluster, and when.
        var trouble: (failure: Failure, at: Timestamp)?
    }

    private struct Notes {
        var trouble: (failure: Failure, at: Timestamp)?
        var pullMessages: [String: String] = [:]
    }

    private let targets: [HealthTarget]
    private let cluster: any ClusterAPI
    private let clock: WallClock
    private let sleeper: any Clock<Duration>
    private let notes = Mutex(Notes())

    init(cluster: any ClusterAPI, targets: [HealthTarget], clock: WallClock, sleeper: any Clock<Duration>) {
        self.cluster = cluster
        self.targets = targets
        self.clock = clock
        self.sleeper = sleeper
    }

    /// Calls `decide` at each change, and at each second because time is a change too, until it returns a value.
    func follow<Value: Sendable>(_ decide: (Look) async throws -> Value?) async throws -> Value {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let mirrors = HealthMirrors(of: targets) { query, isEssential in mirror(query, isEssential, signal) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for mirror in mirrors.all {
                group.addTask { await mirror.run() }
                group.addTask {
                    await mirror.waitUntilSynced()
                    signal.yield()
                    for await _ in mirror.changes() { signal.yield() }
                }
            }
            group.addTask { [sleeper] in
                while true {
                    signal.yield()
                    try await sleeper.sleep(for: .seconds(1))
                }
            }
            for await _ in signals {
                var look = Look(trouble: notes.withLock(\.trouble))
                if mirrors.areSynced { look.views = views(of: mirrors) }
                if let value = try await decide(look) { return value }
            }
            throw CancellationError()
        }
    }

    private func mirror(_ query: ListQuery, _ isEssential: Bool, _ signal: AsyncStream<Void>.Continuation)
        -> ObjectMirror
    {
        ObjectMirror(
            query,
            of: cluster,
            clock: sleeper,
            backoff: BackoffSchedule(first: .milliseconds(200), limit: .seconds(5)),
            trim: { object in
                var object = object
                object.json.set(nil, at: ["metadata", "managedFields"])
                return object
            },
            onFailure: { [weak self, clock] error, _ in
                guard isEssential else { return }
                let failure = error as? Failure ?? Failure(.fault, ErrorWords.text(of: error))
                self?.notes.withLock { $0.trouble = (failure, clock.now) }
                signal.yield()
            }
        )
    }

    // MARK: What a look shows

    private func views(of mirrors: HealthMirrors) -> [RolloutView] {
        var places: [String: Place] = [:]
        return targets.map { target in
            let reference = target.reference
            guard target.isWatched else { return RolloutView(reference, target.applied, health: .current("stored")) }
            let namespace = reference.namespace ?? ""
            let place = places[namespace] ?? Place(mirrors, namespace, at: clock.now)
            places[namespace] = place
            return view(of: target, mirrors, place)
        }
    }

    /// What the objects of one namespace have in common in one look.
    private struct Place {
        let pods: [KubeObject]
        let revisions: [KubeObject]
        let claims: [KubeObject]
        let events: ToldEvents
        let surroundings: Health.Surroundings

        init(_ mirrors: HealthMirrors, _ namespace: String, at now: Timestamp) {
            pods = mirrors.objects(.pods, in: namespace)
            revisions =
                mirrors.objects(.replicaSets, in: namespace) + mirrors.objects(.controllerRevisions, in: namespace)
            claims = mirrors.objects(.persistentVolumeClaims, in: namespace)
            events = ToldEvents(mirrors.objects(.events, in: namespace))
            let classes = mirrors.objects(.storageClasses, in: nil)
            let mounted = pods.flatMap { pod in
                (pod.spec["volumes"]?.array ?? []).compactMap {
                    $0[path: "persistentVolumeClaim", "claimName"]?.string
                }
            }
            surroundings = Health.Surroundings(
                now: now,
                storageClasses: Dictionary(classes.map { ($0.name, $0) }) { first, _ in first },
                mountedClaims: Set(mounted)
            )
        }

        var openClaims: [String: String] {
            claims.filter { $0.status["phase"]?.string != "Bound" }.reduce(into: [:]) { open, claim in
                let told = events.of(claim).last { ClaimDiagnosis.trouble.contains($0.reason) }
                open[claim.name] = told?.message ?? ""
            }
        }
    }

    private func view(of target: HealthTarget, _ mirrors: HealthMirrors, _ place: Place) -> RolloutView {
        guard let object = mirrors.object(target.reference) else {
            return RolloutView(target.reference, nil, health: Health(.missing, "NotFound", "it is not there"))
        }
        var view = RolloutView(target.reference, object, health: Health.of(object, in: place.surroundings))
        guard target.hasPods || target.reference.type == .persistentVolumeClaims else { return view }
        let newest = NewestRevision.find(of: object, among: place.revisions, place.pods)
        view.revision = newest.revision
        view.pods = newest.pods.sorted { $0.name < $1.name }
        for pod in view.pods { view.events[pod.name] = place.events.of(pod) }
        view.ownEvents = place.events.of(object, since: newest.revision?.creationTimestamp)
        if let set = newest.revision, set.kind == "ReplicaSet" { view.ownEvents += place.events.of(set) }
        view.openClaims = target.hasPods ? place.openClaims : [:]
        view.pullMessages = pullMessages(of: view)
        return view
    }

    private func pullMessages(of view: RolloutView) -> [String: String] {
        notes.withLock { notes in
            for pod in view.pods where notes.pullMessages[pod.name] == nil {
                notes.pullMessages[pod.name] = Self.pullMessage(pod, view.events[pod.name] ?? [])
            }
            return notes.pullMessages
        }
    }

    /// The registry's own words. Once there is a back-off, the status says only that; the first event still has them.
    private static func pullMessage(_ pod: KubeObject, _ events: [RolloutView.Event]) -> String? {
        for status in PodHealth.statuses(of: pod) {
            let waiting = status[path: "state", "waiting"]
            if waiting?["reason"]?.string == "ErrImagePull", let message = waiting?["message"]?.string {
                return message
            }
        }
        return events.first { $0.reason == "Failed" && $0.message.hasPrefix("Failed to pull image") }?.message
    }
}
