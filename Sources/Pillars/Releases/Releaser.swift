// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import AppFile
import FoundationEssentials
package import Model
package import Ports

/// Runs releases: test → image → pods, in that order, and records each.
///
/// A failing test or build changes nothing in the cluster but the record itself. A rollout that fails leaves the last good
/// release serving, and puts its declaration back.
package struct Releaser: Sendable {
    let home: any ClusterAPI
    let registries: any ImageRegistries
    let builder: any ImageBuilder
    let bases: (any BaseImages)?
    let containerfiles: (any ContainerfileBuilder)?
    let runner: any CommandRunner
    let records: any LogRecords
    let progress: any ReleaseProgress
    let architecture: String
    let clock: WallClock
    let sleeper: any Clock<Duration>
    let holder: ReleaseHolder
    let hasEnded: @Sendable (ReleaseHolder) -> Bool?
    let clusters: any ClusterDirectory
    let signals: @Sendable (ClusterName) -> [any ReleaseSignals]
    let origin: ReleaseOrigin

    /// `bases` brings images to build on, `containerfiles` builds from Containerfiles; `sleeper` is how waiting is done; `holder` is the process that runs the releases, and `hasEnded` tells of another's.
    package init(
        home: any ClusterAPI,
        registries: any ImageRegistries,
        builder: any ImageBuilder,
        bases: (any BaseImages)? = nil,
        containerfiles: (any ContainerfileBuilder)? = nil,
        runner: any CommandRunner,
        records: any LogRecords,
        progress: any ReleaseProgress,
        architecture: String,
        clock: WallClock,
        sleeper: any Clock<Duration> = ContinuousClock(),
        holder: ReleaseHolder = .current,
        hasEnded: @escaping @Sendable (ReleaseHolder) -> Bool? = ReleaseHolder.hasEnded,
        clusters: (any ClusterDirectory)? = nil,
        signals: @escaping @Sendable (ClusterName) -> [any ReleaseSignals] = { _ in [] },
        origin: ReleaseOrigin = ReleaseOrigin()
    ) {
        self.home = home
        self.clusters = clusters ?? HomeOnly(home)
        self.signals = signals
        self.origin = origin
        self.registries = registries
        self.builder = builder
        self.bases = bases
        self.containerfiles = containerfiles
        self.runner = runner
        self.records = records
        self.progress = progress
        self.architecture = architecture
        self.clock = clock
        self.sleeper = sleeper
        self.holder = holder
        self.hasEnded = hasEnded
    }

    /// Releases the app of a file into its clusters, or only into those of `to`.
    ///
    /// A newer release of the same app wins: the older one stops at its next safe point. Throws, before anything is done,
    /// `invalidInput` for keys that cannot be honoured yet, `conflict` where an object belongs to somebody else, and
    /// `notFound` for a missing login or an unknown cluster. Throws the first stage's failure after it is on record:
    /// `invalidInput` for a failing test or build, else the diagnosis of the pods.
    package func release(_ file: AppFile, to: [ClusterName] = []) async throws -> ReleaseRecord {
        let file = try Self.withManifests(file)
        let plan = try ReleasePlan(file, to: to)
        let kit = kit
        try await demandClusters(plan)
        try await OwnRegistry(home: home, clusters: clusters).demandReach(plan)
        try await look(at: plan, file.app, kit)
        let login = try await credentials(of: plan, kit.retry(progress))
        let draft = ReleaseDraft(
            app: file.app,
            waves: plan.waves,
            by: origin.person(),
            revision: await origin.revision(file.folder)
        )
        let notes = plan.notes + unanswered(plan, file.app)
        return try await run(draft, .source(file, plan), login: login, notes: notes)
    }

    func run(
        _ draft: ReleaseDraft,
        _ work: ReleaseRun.Work,
        login: RegistryCredentials?,
        notes: [String]
    ) async throws -> ReleaseRecord {
        let kit = kit
        let book = ReleaseBook(
            cluster: home,
            clock: clock,
            retry: kit.retry(progress),
            holder: holder,
            run: UUID().uuidString,
            hasEnded: hasEnded
        )
        let record = try await book.open(draft)
        await progress.report(.started(app: record.app, number: record.number))
        for note in notes { await progress.report(.note(note)) }
        return try await ReleaseRun(work, login: login, releaser: self, kit: kit, book: book, record: record).run()
    }

    var kit: FleetKit {
        FleetKit(
            home: home,
            clusters: clusters,
            signals: signals,
            progress: progress,
            clock: clock,
            sleeper: sleeper
        )
    }

    /// Every cluster that the file names and nobody knows, each with its place.
    private func demandClusters(_ plan: ReleasePlan) async throws {
        let names = plan.waves.flatMap(\.self)
        guard names != [.local] else { return }
        let known = try await clusters.names()
        try plan.demand(names, among: known)
    }

    /// Looks at every cluster before anything is done. One that does not answer is left to its wave where the policy allows.
    private func look(at plan: ReleasePlan, _ app: App, _ kit: FleetKit) async throws {
        let names = plan.waves.flatMap(\.self)
        let isAlone = names.count == 1
        let policy = app.deploy.unreachable
        // Tests and a build take minutes, after which nobody wants to hear of a field of somebody else.
        let takesTime = !app.tests.isEmpty || app.image.build != nil
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                let progress: any ReleaseProgress =
                    isAlone ? kit.progress : ClusterProgress(base: kit.progress, cluster: name)
                group.addTask {
                    do {
                        _ = try await kit.check(app, name, progress, fields: takesTime)
                    } catch let failure as Failure where !isAlone {
                        if policy == .skip, FleetKit.isSilence(failure) {
                            return await progress.report(.note("does not answer: \(failure.message)"))
                        }
                        let message = "the cluster '\(name)' is no place for this release: \(failure.message)"
                        throw Failure(failure.code, message, cause: failure.cause)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// What `verify` asks and no source can tell: said, since it would pass in silence otherwise.
    private func unanswered(_ plan: ReleasePlan, _ app: App) -> [String] {
        var keys: Set<String> = []
        for name in plan.waves.joined() {
            let rules = app.overridden(for: name).deploy.verify
            keys.formUnion(Verification.unanswered(rules, by: signals(name)))
        }
        return keys.sorted().map { "spec.deploy.verify.\($0) has no source of signals yet, and is not checked" }
    }

    /// Throws `invalidInput` with every key of the file that cannot be honoured yet, or not where the home cluster has no
    /// registry of its own. Asks nobody.
    package static func check(_ file: AppFile, hasRegistry: Bool = true) throws {
        let plan = try ReleasePlan(file)
        if !hasRegistry { try plan.demandRegistry() }
    }

    /// The login for the app's registry, from the Secret it names.
    private func credentials(of plan: ReleasePlan, _ retry: CallRetry) async throws -> RegistryCredentials? {
        try await credentials(of: plan.app, plan.image, retry)
    }

    func credentials(of app: App, _ image: ImageReference, _ retry: CallRetry) async throws -> RegistryCredentials? {
        try await PullSecret.login(of: app, for: image, in: home, retry)
    }
}
