// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import AppFile
package import Model
package import Ports

/// Runs releases: test → image → pods, in that order, and records each.
///
/// A failing test or build changes nothing in the cluster but the record itself.
package struct Releaser: Sendable {
    let home: any ClusterAPI
    let registries: any ImageRegistries
    let builder: any ImageBuilder
    let runner: any CommandRunner
    let records: any LogRecords
    let progress: any ReleaseProgress
    let architecture: String
    let clock: WallClock

    package init(
        home: any ClusterAPI,
        registries: any ImageRegistries,
        builder: any ImageBuilder,
        runner: any CommandRunner,
        records: any LogRecords,
        progress: any ReleaseProgress,
        architecture: String,
        clock: WallClock
    ) {
        self.home = home
        self.registries = registries
        self.builder = builder
        self.runner = runner
        self.records = records
        self.progress = progress
        self.architecture = architecture
        self.clock = clock
    }

    /// Releases the app of a file into its clusters.
    ///
    /// Throws the first stage's failure, after it is on record: `invalidInput` for a failing test or build,
    /// `deadlineExceeded` or `fault` with the diagnosis where the pods do not become ready.
    package func release(_ file: AppFile) async throws -> ReleaseRecord {
        let app = file.app
        try checkClusters(app)
        let pods = PodsStage(cluster: home, progress: progress, clock: clock)
        try await pods.ensureNamespace(app.namespace)
        let book = ReleaseBook(cluster: home)
        var record = try await book.open(app, at: clock.now)
        await progress.report(.started(app: app.name, number: record.number))
        do {
            try await runStages(file, pods, &record, book)
            record.phase = .succeeded
            record.message = record.changes.isEmpty ? "nothing had to change" : "\(record.changes.count) changes"
            try await book.save(record)
            return record
        } catch {
            record.phase = .failed
            record.message = Self.firstLine(error)
            try? await Self.uncancelled { [record] in try await book.save(record) }
            throw error
        }
    }

    private func runStages(
        _ file: AppFile,
        _ pods: PodsStage,
        _ record: inout ReleaseRecord,
        _ book: ReleaseBook
    ) async throws {
        let app = file.app
        let output = OutputKeeper(
            records: records,
            progress: progress,
            stream: LogStream("releases", app.namespace.text, app.name.text, String(record.number)),
            clock: clock
        )
        try await stage(.test, &record) { try await TestStage(runner: runner, output: output).run(file) }
        let login = try await credentials(of: app)
        let number = record.number
        let image = try await stage(.image, &record) {
            try await ImageStage(
                runner: runner,
                builder: builder,
                registries: registries,
                output: output,
                progress: progress,
                architecture: architecture
            ).run(file, number: number, credentials: login)
        }
        record.image = image
        try await book.save(record)
        record.changes = try await stage(.pods, &record) {
            try await store(app)
            let pull = login.map { (host: ImageReference(image)?.registry ?? "", login: $0) }
            let changes = try await pods.apply(app, image: image, credentials: pull)
            do {
                try await pods.awaitPods(app)
            } catch let failed as RolloutFailed {
                let code: Failure.Code = failed.diagnosis.code.rawValue >= 300 ? .deadlineExceeded : .fault
                throw Failure(code, "release \(app.name)-\(number) failed: \(failed.message)")
            }
            return changes
        }
    }

    private func stage<Value: Sendable>(
        _ stage: Stage,
        _ record: inout ReleaseRecord,
        _ work: () async throws -> Value
    ) async throws -> Value {
        await progress.report(.stageStarted(stage))
        let start = clock.now
        do {
            let value = try await work()
            record.stages.append(.init(stage: stage, started: start, took: clock.now - start))
            await progress.report(.stageEnded(stage, took: clock.now - start))
            return value
        } catch {
            record.stages.append(
                .init(stage: stage, started: start, took: clock.now - start, error: Self.firstLine(error))
            )
            throw error
        }
    }

    private func checkClusters(_ app: App) throws {
        let others = app.deploy.waves.joined().filter { $0 != .local }
        guard let other = others.first else { return }
        throw Failure(
            .invalidInput,
            "the cluster '\(other)' of app '\(app.name)' is not known; only 'local' exists so far"
        )
    }

    /// The login for the app's registry, from the Secret it names.
    private func credentials(of app: App) async throws -> RegistryCredentials? {
        guard let name = app.image.credentials else { return nil }
        let host = ImageReference(app.image.repository)?.registry ?? ""
        for namespace in [app.namespace.text, "ballast-system"] {
            if let secret = try await home.find(ObjectReference(.secrets, namespace: namespace, name: name)) {
                return try PullSecret.login(from: secret, host: host)
            }
        }
        throw Failure(
            .notFound,
            "the Secret '\(name)' of spec.image.credentials exists neither in '\(app.namespace)' nor in 'ballast-system'; create it with 'kubectl create secret docker-registry \(name) --docker-server=\(host) …'"
        )
    }

    /// Stores the declaration, so that every pillar can do its part.
    private func store(_ app: App) async throws {
        var object = app.object
        object.json.set(.string(app.namespace.text), at: ["metadata", "namespace"])
        let reference = ObjectReference(.apps, namespace: app.namespace.text, name: app.name.text)
        for _ in 0..<5 {
            do {
                guard let live = try await home.find(reference) else {
                    _ = try await home.create(object, as: .apps)
                    return
                }
                var next = live
                next["spec"] = object.spec
                for key in ["labels", "annotations"] {
                    if let value = object.metadata[key] { next.json.set(value, at: ["metadata", key]) }
                }
                if next != live { _ = try await home.update(next, as: .apps) }
                return
            } catch let failure as Failure where failure.code == .conflict {
                continue  // somebody changed it in between: look again
            }
        }
        throw Failure(.conflict, "the App '\(app.name)' is changed by somebody else all the time; try again")
    }

    private static func firstLine(_ error: any Error) -> String {
        String("\(error)".prefix { $0 != "\n" })
    }

    /// Finishes a short piece of work although the release was cancelled: a record must not stay "Running".
    private static func uncancelled(_ work: @escaping @Sendable () async throws -> Void) async throws {
        // A task of its own, because the surrounding one may be cancelled already.
        try await Task { try await work() }.value
    }
}
