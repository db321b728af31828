// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Stage 3: the cluster is changed, and its new pods are awaited.
struct PodsStage: Sendable {
    let cluster: any ClusterAPI
    let progress: any ReleaseProgress
    let clock: WallClock
    let sleeper: any Clock<Duration>
    let retry: CallRetry
    /// How Ballast calls the cluster.
    var name = ClusterName.local
    /// Where inventories are kept; `nil`: in this cluster itself.
    var home: (any ClusterAPI)?
    /// It goes back to what was good, and takes over what others changed meanwhile.
    var goesBack = false

    private var inventories: InventoryBook { InventoryBook(home: home ?? cluster, retry: retry) }

    private func planner(_ app: App) async throws -> ObjectPlanner {
        ObjectPlanner(
            cluster: cluster,
            retry: retry,
            taken: try TakenFields(app.takenFields),
            adopts: app.object.annotations[ObjectOwner.adoption] == "true",
            known: Set(try await inventories.read(app, name)?.entries.map(\.identity) ?? []),
            goesBack: goesBack
        )
    }

    /// Throws `conflict` where an object that the app needs belongs to somebody else. Changes nothing.
    func check(_ app: App) async throws {
        let name = app.namespace.text
        let sight = try await retry("look at the cluster") { try await NamespaceSight.of(name, in: cluster) }
        if case .found(let namespace) = sight, namespace.isTerminating {
            throw Failure(.conflict, "the namespace '\(app.namespace)' is being deleted; release again once it is gone")
        }
        // Also where the namespace is yet to come: a manifest that nobody can place is said before tests and builds.
        let state = try await desired(app, image: "", pullSecret: nil)
        guard !sight.isMissing else {
            return try await retry("look at the cluster") {
                try await NamespaceSight.create(name, in: cluster, isDryRun: true)
            }
        }
        let own = Set(AppObjects(app: app, image: "").all.map(\.type)).subtracting([.persistentVolumeClaims])
        let checked = state.objects.filter { $0.object.name == app.name.text && own.contains($0.type) }
        let live = try await LiveObjects.read(checked.map(\.reference), from: cluster, retry)
        let planner = try await planner(app)
        for object in checked {
            guard let stored = live[object.reference] else { continue }
            if let refusal = planner.refusal(of: stored, object) { throw refusal }
            if object.type == .deployments { try ObjectOwner.demandSelector(of: object.object, in: stored) }
        }
    }

    /// Throws `conflict` where a field that the app sets belongs to somebody else, and what else of the objects that are there
    /// the cluster would refuse, as far as that can be said before there is a new image. Changes nothing.
    func checkFields(_ app: App) async throws {
        let image = try await retry("look for the latest image") {
            try await LatestImage.of(app, in: cluster, home: home ?? cluster)
        }
        let state = try await desired(app, image: image ?? "", pullSecret: nil)
        var planner = try await planner(app)
        planner.checksNewObjects = false
        _ = try await planner.plan(state)
    }

    func desired(_ app: App, image: String, pullSecret: KubeObject?) async throws -> DesiredState {
        var own = AppObjects(app: app, image: image, pullSecret: PullSecret.name(for: app)).all
        if let pullSecret { own.insert((.secrets, pullSecret), at: 0) }
        return try await DesiredState(own, app.manifests, app: app, schema: cluster.schema)
    }

    /// What ``apply(_:image:pullSecret:)`` would do, and what ``removeWhatIsNoLongerWanted(_:)`` would delete after it.
    func plan(_ app: App, image: String, pullSecret: KubeObject?) async throws -> ClusterPlan {
        let state = try await desired(app, image: image, pullSecret: pullSecret)
        let planned = try await planner(app).plan(state)
        let surplus = try await surplus(app, state)
        var plan = ClusterPlan(cluster: name, objects: planned, surplus: surplus)
        let namespace = ObjectReference(.namespaces, name: app.namespace.text)
        if !state.objects.contains(where: { $0.reference == namespace }) {
            let sight = try await retry("look at the cluster") {
                try await NamespaceSight.of(app.namespace.text, in: cluster)
            }
            if sight.isMissing { plan.willCreate(namespace) }
        }
        return plan
    }

    /// What a release is about to change in the cluster.
    struct Change: Sendable {
        let app: App
        let image: String
        let state: DesiredState
        let planned: [PlannedObject]

        /// For people.
        var words: [String] { planned.flatMap(\.changes) }
        /// What is there already as it is wanted.
        var unchanged: Set<ObjectReference> { Set(planned.filter { $0.action == .none }.map(\.reference)) }
        /// The app's Deployment as it will be, where its pods are replaced.
        var newPods: KubeObject? {
            let deployment = planned.first {
                $0.desired.type == .deployments && $0.reference.name == app.name.text
                    && $0.reference.namespace == app.namespace.text
            }
            guard let deployment, deployment.fields.contains(where: { $0.path.hasPrefix("spec.template") }) else {
                return nil
            }
            return deployment.desired.object
        }
    }

    /// Tries everything, and changes nothing. Throws where one object would be refused, or a field belongs to somebody else.
    func change(_ app: App, image: String, pullSecret: KubeObject?) async throws -> Change {
        let state = try await desired(app, image: image, pullSecret: pullSecret)
        let planned = try await planner(app).plan(state)
        for note in planned.flatMap(\.notes) { await progress.report(.note(note)) }
        return Change(app: app, image: image, state: state, planned: planned)
    }

    private var applier: ObjectApplier {
        ObjectApplier(cluster: cluster, retry: retry, progress: progress, sleeper: sleeper)
    }

    /// Writes what has to be there before pods change, and runs the jobs that come before them.
    func prepare(_ change: Change) async throws {
        try await extendInventory(change.app, change.state)
        try await applier.apply(change.planned, in: ApplyStage.allCases.filter(\.isBeforeJobs))
        guard let number = change.app.releaseNumber else { return }
        let jobs = BeforeJobs(
            cluster: cluster,
            clusterName: name.text,
            progress: progress,
            clock: clock,
            sleeper: sleeper,
            retry: retry
        )
        let secret = PullSecret.name(for: change.app)
        try await jobs.run(AppObjects(app: change.app, image: change.image, pullSecret: secret), release: number)
    }

    /// Writes the rest.
    func finish(_ change: Change) async throws {
        try await applier.apply(change.planned, in: ApplyStage.allCases.filter { !$0.isBeforeJobs })
    }

    /// Creates or changes what the app needs, in order; returns what changed, for people.
    func apply(_ app: App, image: String, pullSecret: KubeObject?) async throws -> [String] {
        let change = try await change(app, image: image, pullSecret: pullSecret)
        try await prepare(change)
        try await finish(change)
        return change.words
    }

    // MARK: What the app had and wants no more

    /// The inventory names what was and what is to come, before anything comes: a release that is killed forgets nothing.
    private func extendInventory(_ app: App, _ state: DesiredState) async throws {
        let stored = try await inventories.read(app, name)
        var next = stored ?? Inventory(app: app.name, namespace: app.namespace, cluster: name)
        next.add(state.objects.map { Inventory.Entry($0.reference) })
        try await inventories.write(next, over: stored)
    }

    /// What becomes of each object that the inventory names and the app wants no more.
    private func surplus(_ app: App, _ state: DesiredState) async throws -> [SurplusObject] {
        let stored = try await inventories.read(app, name)
        let secret = PullSecret.reference(for: app).map { [$0] } ?? []
        let wanted = Set((state.objects.map(\.reference) + secret).map { Inventory.Entry($0).identity })
        var candidates = (stored?.entries ?? []).filter { !wanted.contains($0.identity) }
        if stored == nil { candidates = Set(earlierSurplus(app, state).map { Inventory.Entry($0) }) }
        guard !candidates.isEmpty else { return [] }
        let pruner = Pruner(
            cluster: cluster,
            retry: retry,
            ofOthers: try await identitiesOfOthers(app),
            applied: state.objects.map(\.reference)
        )
        let sorted = candidates.sorted { $0.identity < $1.identity }
        let fates = try await inParallel(sorted, limit: LiveObjects.parallel) { try await pruner.fate(of: $0) }
        return zip(sorted, fates).map { SurplusObject(entry: $0, fate: $1) }
            .sorted { ApplyStage($0.entry.type) > ApplyStage($1.entry.type) }
    }

    /// What releases before there were inventories may have left.
    private func earlierSurplus(_ app: App, _ state: DesiredState) -> [ObjectReference] {
        var surplus = [ResourceType.ingresses, .services].map {
            ObjectReference($0, namespace: app.namespace.text, name: app.name.text)
        }
        // Each app had one of its own then.
        surplus.append(ObjectReference(.secrets, namespace: app.namespace.text, name: "ballast-pull-\(app.name)"))
        let wanted = Set(state.objects.map(\.reference))
        return surplus.filter { !wanted.contains($0) }
    }

    private func identitiesOfOthers(_ app: App) async throws -> Set<String> {
        let others = try await inventories.all(name, near: [app.namespace]).filter { $0.app != app.name || $0.namespace != app.namespace }
        return Set(others.flatMap { $0.entries.map(\.identity) })
    }

    /// Deletes what we made for this app and its file no longer asks for; what holds data is kept. After the new pods serve.
    func removeWhatIsNoLongerWanted(_ app: App) async throws -> [String] {
        let state = try await desired(app, image: "", pullSecret: nil)
        let surplus = try await surplus(app, state)
        let pruner = Pruner(cluster: cluster, retry: retry)
        var changes: [String] = []
        var kept: [Inventory.Entry] = []
        for object in surplus {
            let reference = object.entry.reference
            switch object.fate {
            case .gone: break
            case .keep(let why):
                kept.append(object.entry)
                await progress.report(.note("\(reference.words) is not deleted: \(why)"))
            case .release(let why): await progress.report(.note("\(reference.words) stays: \(why)"))
            case .delete(let uid):
                do {
                    if try await pruner.delete(reference, uid: uid) { changes.append("deleted \(reference.words)") }
                } catch let failure as Failure where failure.code == .denied {
                    kept.append(object.entry)
                    await progress.report(.note("\(reference.words) is not deleted: \(failure.message)"))
                }
            }
        }
        let stored = try await inventories.read(app, name)
        var next = Inventory(app: app.name, namespace: app.namespace, cluster: name)
        next.add(state.objects.map { Inventory.Entry($0.reference) } + kept)
        if let secret = PullSecret.reference(for: app) { next.add([Inventory.Entry(secret)]) }
        try await inventories.write(next, over: stored)
        return changes
    }

    /// Returns when all pods are of the new revision and ready; throws the diagnosis as ``RolloutFailed``.
    ///
    /// `unchanged` are objects that nothing was written to, which need not be waited for where that is a matter of taste.
    func awaitPods(
        _ app: App,
        image: String,
        patience: Duration,
        unchanged: Set<ObjectReference> = []
    ) async throws {
        let watch = HealthWatch(
            cluster: cluster,
            clusterName: name.text,
            progress: progress,
            clock: clock,
            sleeper: sleeper
        )
        let state = try await desired(app, image: image, pullSecret: nil)
        // The others either are what they are once they are stored, or wait for pods that nobody promised.
        let awaited = state.objects.filter { [.workloads, .others, .definitions].contains($0.stage) }
        let targets = awaited.map {
            HealthTarget($0.reference, applied: $0.object, isUnchanged: unchanged.contains($0.reference))
        }
        try await watch.wait(for: targets, patience: patience)
    }
}
