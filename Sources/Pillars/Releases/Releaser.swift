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
        hasEnded: @escaping @Sendable (ReleaseHolder) -> Bool? = ReleaseHolder.hasEnded
    ) {
        self.home = home
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

    /// Releases the app of a file into its clusters.
    ///
    /// Throws, before anything is done, `invalidInput` for keys that cannot be honoured yet, `conflict` where another release
    /// of the app runs or an object belongs to somebody else, and `notFound` for a missing login. Throws the first stage's
    /// failure after it is on record: `invalidInput` for a failing test or build, else the diagnosis of the pods.
    package func release(_ file: AppFile) async throws -> ReleaseRecord {
        let file = try Self.withManifests(file)
        let plan = try ReleasePlan(file)
        let retry = CallRetry(clock: sleeper, progress: progress)
        let pods = PodsStage(cluster: home, progress: progress, clock: clock, sleeper: sleeper, retry: retry)
        try await pods.check(plan.app)
        let login = try await credentials(of: plan, retry)
        let book = ReleaseBook(
            cluster: home,
            clock: clock,
            retry: retry,
            holder: holder,
            run: UUID().uuidString,
            hasEnded: hasEnded
        )
        let record = try await book.open(file.app)
        await progress.report(.started(app: record.app, number: record.number))
        for note in plan.notes { await progress.report(.note(note)) }
        let run = ReleaseRun(
            file: file,
            plan: plan,
            login: login,
            releaser: self,
            book: book,
            pods: pods,
            retry: retry,
            record: record
        )
        return try await run.run()
    }

    /// Throws `invalidInput` with every key of the file that cannot be honoured yet. Asks nobody.
    package static func check(_ file: AppFile) throws { _ = try ReleasePlan(file) }

    /// The login for the app's registry, from the Secret it names.
    private func credentials(of plan: ReleasePlan, _ retry: CallRetry) async throws -> RegistryCredentials? {
        guard let name = plan.app.image.credentials else { return nil }
        let own = plan.app.namespace.text
        for namespace in [own, ReleaseRecord.systemNamespace] {
            let reference = ObjectReference(.secrets, namespace: namespace, name: name)
            let secret = try await retry("read \(reference.words)") { try await home.find(reference) }
            if let secret { return try PullSecret.login(from: secret, for: plan.image) }
        }
        throw Failure(
            .notFound,
            "the Secret '\(name)' of spec.image.credentials exists neither in '\(own)' nor in '\(ReleaseRecord.systemNamespace)'; create it with 'kubectl -n \(own) create secret docker-registry \(name) --docker-server=\(plan.image.registry) --docker-username=… --docker-password=…'"
        )
    }
}
