// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// One release under way: its stages, its record, and what is put back where it fails.
actor ReleaseRun {
    private let work: Work
    private let releaser: Releaser?
    let kit: FleetKit
    let ledger: ReleaseLedger
    private let retry: CallRetry
    let stop = StopSignal()
    /// Of the stage that runs.
    private var steps: [StepResult] = []
    /// From here on a failure leaves something to put back.
    private var hasStoredApp = false
    private var hasCreatedApp = false
    private var waves: WaveRun?

    /// What is released.
    enum Work: Sendable {
        /// An app from its source.
        case source(AppFile, ReleasePlan)
        /// An image that exists already.
        case image(App)

        var app: App {
            switch self {
            case .source(let file, _): file.app
            case .image(let app): app
            }
        }
    }

    private let login: RegistryCredentials?
    private var book: ReleaseBook { ledger.book }

    /// `releaser` is what tests and builds; not needed for an image that exists.
    init(
        _ work: Work,
        login: RegistryCredentials?,
        releaser: Releaser?,
        kit: FleetKit,
        book: ReleaseBook,
        record: ReleaseRecord
    ) {
        self.work = work
        self.login = login
        self.releaser = releaser
        self.kit = kit
        retry = kit.retry(kit.progress)
        ledger = ReleaseLedger(record, in: book, sleeper: kit.sleeper, stop: stop)
    }

    /// A cancelled release ends at its next safe point, and puts back what it changed.
    func run() async throws -> ReleaseRecord {
        // A task of its own, because this one may be cancelled: the clusters and the record must not stay half-way.
        let running = Task { [ledger] in
            try await ledger.whileRenewing { try await self.perform() }
        }
        return try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            stop.fire(.interrupted)
        }
    }

    private func perform() async throws -> ReleaseRecord {
        do {
            try await stages()
        } catch {
            throw await close(after: error)
        }
        let record = await succeeded()
        do {
            try await ledger.keep { $0 = record }
            await tidyUp()
        } catch let stopped as StopSignal.Stopped {
            throw await close(after: stopped)
        } catch let failure as Failure {
            let message = "release \(record.name) serves, but that is not on record: \(failure.message)"
            throw Failure(failure.code, message, cause: failure.cause)
        }
        return record
    }

    /// Best effort: the next release does it again.
    private func tidyUp() async {
        let record = await ledger.record
        try? await book.forgetOld(record.app, record.namespace)
        // An older release that ended while this one began may have taken the manifests for forgotten ones.
        if record.phase == .succeeded { _ = try? await keepManifests() }
    }

    private func keepManifests() async throws {
        _ = try await ManifestBook(home: kit.home, retry: retry).keep(work.app, in: ledger.record.namespace.text)
    }

    func succeeded() async -> ReleaseRecord {
        var record = await ledger.record
        let isAlone = record.clusters.count == 1
        record.phase = .succeeded
        record.changes = record.clusters.flatMap { result in
            result.changes.map { isAlone ? $0 : "\(result.cluster): \($0)" }
        }
        record.message = Self.count(record.changes.count)
        let skipped = record.clusters.filter { $0.phase == .skipped }.map(\.cluster)
        if !skipped.isEmpty { record.message += "; without \(ReleaseWords.list(skipped))" }
        let owing = record.clusters.filter { $0.phase == .owing }.map(\.cluster)
        if !owing.isEmpty { record.message += "; later, once it answers, in \(ReleaseWords.list(owing))" }
        return record
    }

    private static func count(_ changes: Int) -> String {
        switch changes {
        case 0: "nothing had to change"
        case 1: "1 change"
        default: "\(changes) changes"
        }
    }

    // MARK: The stages

    private func stages() async throws {
        if case .source(let file, let plan) = work, let releaser {
            let record = await ledger.record
            let output = OutputKeeper(
                records: releaser.records,
                progress: kit.progress,
                stream: LogStream("releases", record.namespace.text, record.app.text, String(record.number)),
                clock: kit.clock
            )
            let tests = TestStage(runner: releaser.runner, output: output, clock: kit.clock) { [weak self] in
                await self?.note($0)
            }
            try await stage(.test) { [stop] in
                try await stop.cutting { try await tests.run(file) }
            }
            try await stage(.image) { try await makeImage(file, plan, releaser, output) }
        }
        try await stage(.pods) { try await changeClusters() }
    }

    func stage(_ stage: Stage, _ work: () async throws -> Void) async throws {
        await kit.progress.report(.stageStarted(stage))
        let start = kit.clock.now
        do {
            try await work()
            let took = kit.clock.now - start
            let steps = takeSteps()
            await ledger.note { $0.stages.append(.init(stage: stage, started: start, took: took, steps: steps)) }
            await kit.progress.report(.stageEnded(stage, took: took))
        } catch {
            let took = kit.clock.now - start
            let words = error is StopSignal.Stopped ? "stopped" : ReleaseWords.firstLine(of: error)
            let steps = takeSteps()
            await ledger.note {
                $0.stages.append(.init(stage: stage, started: start, took: took, error: words, steps: steps))
            }
            await kit.progress.report(.stageFailed(stage, took: took))
            throw error
        }
    }

    private func note(_ step: StepResult) { steps.append(step) }

    private func takeSteps() -> [StepResult] {
        defer { steps = [] }
        return steps
    }

    private func makeImage(
        _ file: AppFile,
        _ plan: ReleasePlan,
        _ releaser: Releaser,
        _ output: OutputKeeper
    ) async throws {
        // The plan was refused without it.
        guard let build = plan.app.image.build else {
            let image = plan.app.image.use
            return try await ledger.keep { $0.image = image }
        }
        let stage = ImageStage(
            runner: releaser.runner,
            builder: releaser.builder,
            registries: releaser.registries,
            output: output,
            progress: kit.progress,
            architecture: releaser.architecture,
            bases: releaser.bases,
            containerfiles: releaser.containerfiles
        )
        let (number, name, login) = (await ledger.record.number, plan.image, login)
        let image = try await stop.cutting {
            try await stage.run(file, build, as: name, number: number, credentials: login)
        }
        try await ledger.keep { $0.image = image }
    }

    func changeClusters() async throws {
        var app = work.app
        // Going back, or on where another process left it, runs no jobs: who went there ran them.
        if case .source = work { app.releaseNumber = await ledger.record.number }
        try await ledger.confirm()
        try await takeOver()
        if try await book.ensureNamespace(app.namespace.text) {
            let isHere = await ledger.record.clusters.contains { $0.cluster == .local }
            let place = isHere ? "" : " in the home cluster, for the app's records"
            await kit.progress.report(.note("created the namespace '\(app.namespace)'\(place)"))
        }
        try await ledger.moveHome()
        let record = await ledger.record
        try await keepManifests()
        hasStoredApp = true
        try await store(app)
        let waves = WaveRun(
            record,
            app: app,
            image: record.image ?? "",
            login: login,
            kit: kit,
            ledger: ledger,
            stop: stop
        )
        self.waves = waves
        try await waves.change()
    }

    /// Waits until the older releases have stopped, and puts back what killed ones left where this one changes nothing.
    private func takeOver() async throws {
        let record = await ledger.record
        let (book, kit) = (book, kit)
        let strays = try await stop.cutting {
            try await book.awaitPredecessors(of: record, sleeper: kit.sleeper, progress: kit.progress)
        }
        guard !strays.isEmpty else { return }
        let results = await FleetUndo(kit: kit, ledger: ledger).run(strays.sorted { $0.text < $1.text }, waits: false)
        for case (let cluster, .failed(let why)) in results {
            await kit.progress.report(.note("'\(cluster)' still has an interrupted release: \(why)"))
        }
    }

    /// Stores the declaration, so that every pillar can do its part.
    private func store(_ app: App) async throws {
        if try await AppDeclaration(home: kit.home, retry: retry).store(app) { hasCreatedApp = true }
    }

    // MARK: The end of a release that failed

    /// Puts back what it can, closes the record, and returns the error for the caller.
    func close(after error: any Error, undoing given: [ClusterName]? = nil) async -> any Error {
        let reason = (error as? StopSignal.Stopped)?.reason
        if case .lost(let why) = reason { return Failure(.conflict, why) }
        let isInterrupted = reason == .interrupted
        var toUndo = await waves?.toUndo ?? []
        if let given { toUndo = given }
        if isInterrupted, !toUndo.isEmpty {
            let note = "stopping; what was changed is put back first, and a second signal leaves it as it is"
            await kit.progress.report(.note(note))
        }
        var (failure, tail) = await told(error, reason)
        var outcome = await undo(toUndo, error, waits: !isInterrupted, reason)
        // Who refuses may have said so.
        if failure.message.contains("nothing was changed"), outcome?.hasPrefix("nothing was changed") == true {
            outcome = nil
        }
        let message = [String(failure.message.prefix { $0 != "\n" }), outcome].compactMap(\.self)
            .joined(separator: "; ")
        do {
            try await ledger.keep { record in
                record.phase = reason.map { $0 == .interrupted ? .interrupted : .superseded } ?? .failed
                if error is Abandoned { record.phase = .interrupted }
                record.message = message
            }
            if !isInterrupted { await tidyUp() }
        } catch {
            let name = await ledger.record.name
            await kit.progress.report(
                .note("the record of release \(name) could not be closed: \(ErrorWords.text(of: error))")
            )
        }
        if isInterrupted {
            await kit.progress.report(.note("\(message); 'ballast release' starts a new one"))
            return CancellationError()
        }
        let glue = failure.message.contains("\n") ? "\n" : "; "
        failure.message += (outcome.map { glue + $0 } ?? "") + tail
        return failure
    }

    private func told(_ error: any Error, _ reason: StopSignal.Reason?) async -> (Failure, tail: String) {
        let record = await ledger.record
        let stage = record.stages.last?.stage.rawValue ?? Stage.test.rawValue
        switch reason {
        case .superseded(let newer, _):
            let message = "release \(record.name) was superseded by \(newer) and stopped in the stage '\(stage)'"
            return (Failure(.conflict, message), "")
        case .some: return (Failure(.fault, "release \(record.name) was interrupted in the stage '\(stage)'"), "")
        case nil: break
        }
        let place = await waves?.place ?? ""
        switch error {
        case let failed as RolloutFailed:
            let message = "release \(record.name) failed\(place): \(failed.diagnosis)"
            return (Failure(failed.diagnosis.code.failure, message), failed.tail)
        case let abandoned as Abandoned: return (Failure(.fault, abandoned.why), "")
        case is Verification.Breached:
            return (Failure(.fault, "release \(record.name) failed\(place): \(ReleaseWords.text(of: error))"), "")
        case let failure as Failure where place.isEmpty: return (failure, "")
        case let failure as Failure:
            let message = "release \(record.name) failed\(place): \(failure.message)"
            return (Failure(failure.code, message, cause: failure.cause), "")
        default: return (Failure(.fault, "release \(record.name) failed\(place): \(ErrorWords.text(of: error))"), "")
        }
    }

    /// Puts the last good release back in place; returns what became of it, for people.
    private func undo(
        _ clusters: [ClusterName],
        _ error: any Error,
        waits: Bool,
        _ reason: StopSignal.Reason?
    ) async -> String? {
        let record = await ledger.record
        let isAlone = record.clusters.count == 1
        guard !clusters.isEmpty else {
            if record.clusters.contains(where: \.isTouched) { return nil }
            if hasStoredApp, reason.map({ $0 == .interrupted }) ?? true { await restoreApp() }
            return record.stages.isEmpty ? nil : "nothing was changed in the cluster\(isAlone ? "" : "s")"
        }
        if record.rollbackTo != nil { return "it is left as it is, for you to look at" }
        if reason.map({ $0 == .interrupted }) ?? true { await restoreApp() }
        let results = await FleetUndo(kit: kit, ledger: ledger).run(clusters, waits: waits)
        let words = UndoWords(record: record, pod: (error as? RolloutFailed)?.diagnosis.pod)
        return words.text(of: results, in: clusters)
    }

    private func restoreApp() async {
        do {
            let record = await ledger.record
            let last = try await book.history(record.app, record.namespace).first {
                $0.phase == .succeeded && $0.number < record.number
            }
            if let app = last?.declaredApp {
                try await store(app)
            } else if hasCreatedApp, !record.clusters.contains(where: \.isTouched) {
                // Nobody runs it anywhere, so nothing declares it.
                try await AppDeclaration(home: kit.home, retry: retry).remove(work.app)
            }
        } catch {
            await kit.progress.report(.note("the App's declaration stays the new one: \(ErrorWords.text(of: error))"))
        }
    }
}
