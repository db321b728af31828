// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// One release under way: its stages, its record, and what is put back where the pods fail.
actor ReleaseRun {
    private let file: AppFile
    private let plan: ReleasePlan
    private let login: RegistryCredentials?
    private let releaser: Releaser
    private let book: ReleaseBook
    private let pods: PodsStage
    private let retry: CallRetry
    private var record: ReleaseRecord
    /// Of the stage that runs.
    private var steps: [StepResult] = []
    /// From here on a failure leaves something to put back.
    private var hasTouchedCluster = false

    private static let patienceForUndo = Duration.seconds(30)

    init(
        file: AppFile,
        plan: ReleasePlan,
        login: RegistryCredentials?,
        releaser: Releaser,
        book: ReleaseBook,
        pods: PodsStage,
        retry: CallRetry,
        record: ReleaseRecord
    ) {
        self.file = file
        self.plan = plan
        self.login = login
        self.releaser = releaser
        self.book = book
        self.pods = pods
        self.retry = retry
        self.record = record
    }

    func run() async throws -> ReleaseRecord {
        do {
            try await whileRenewing { try await stages() }
        } catch {
            let isInterrupted = Task.isCancelled || error is CancellationError
            // A task of its own, because this one may be cancelled: the cluster and the record must not stay half-way.
            throw await Task { await close(after: error, isInterrupted: isInterrupted) }.value
        }
        record.phase = .succeeded
        record.message = record.changes.isEmpty ? "nothing had to change" : "\(record.changes.count) changes"
        // The pods serve: neither a signal nor a failing write makes that undone, so a task of its own here too.
        try await Task { [book, record] in
            do {
                try await book.save(record)
            } catch let failure as Failure {
                let message = "release \(record.name) serves, but that is not on record: \(failure.message)"
                throw Failure(failure.code, message, cause: failure.cause)
            }
        }.value
        return record
    }

    /// Keeps saying in the record that somebody is at work on it.
    private func whileRenewing(_ work: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { [book, sleeper = releaser.sleeper, reference = record.reference, home = homeReference] in
                while true {
                    try await sleeper.sleep(for: ReleaseBook.renewal)
                    for place in Set([reference, home]) { await book.renew(place) }
                }
            }
            try await work()
        }
    }

    /// Where the record is once its namespace exists.
    private var homeReference: ObjectReference {
        ObjectReference(.releases, namespace: record.namespace.text, name: record.name)
    }

    // MARK: The stages

    private func stages() async throws {
        let output = OutputKeeper(
            records: releaser.records,
            progress: releaser.progress,
            stream: LogStream("releases", record.namespace.text, record.app.text, String(record.number)),
            clock: releaser.clock
        )
        let tests = TestStage(runner: releaser.runner, output: output, clock: releaser.clock) { [weak self] in
            await self?.note($0)
        }
        try await stage(.test) { try await tests.run(file) }
        try await stage(.image) { try await makeImage(output) }
        try await stage(.pods) { try await changeCluster() }
    }

    private func note(_ step: StepResult) { steps.append(step) }

    private func stage(_ stage: Stage, _ work: () async throws -> Void) async throws {
        await releaser.progress.report(.stageStarted(stage))
        let start = releaser.clock.now
        do {
            try await work()
            let took = releaser.clock.now - start
            record.stages.append(.init(stage: stage, started: start, took: took, steps: takeSteps()))
            await releaser.progress.report(.stageEnded(stage, took: took))
        } catch {
            let took = releaser.clock.now - start
            record.stages.append(
                .init(
                    stage: stage,
                    started: start,
                    took: took,
                    error: Self.firstLine(ErrorWords.text(of: error)),
                    steps: takeSteps()
                )
            )
            await releaser.progress.report(.stageFailed(stage, took: took))
            throw error
        }
    }

    private func takeSteps() -> [StepResult] {
        defer { steps = [] }
        return steps
    }

    private func makeImage(_ output: OutputKeeper) async throws {
        // The plan was refused without it.
        guard let build = plan.app.image.build else {
            record.image = plan.app.image.use
            return try await book.save(record)
        }
        let stage = ImageStage(
            runner: releaser.runner,
            builder: releaser.builder,
            registries: releaser.registries,
            output: output,
            progress: releaser.progress,
            architecture: releaser.architecture,
            bases: releaser.bases,
            containerfiles: releaser.containerfiles
        )
        record.image = try await stage.run(file, build, as: plan.image, number: record.number, credentials: login)
        try await book.save(record)
    }

    private func changeCluster() async throws {
        var app = plan.app
        app.releaseNumber = record.number
        let image = record.image ?? ""
        try await book.confirm(record)
        try await pods.check(app)
        if try await book.ensureNamespace(app.namespace.text) {
            await releaser.progress.report(.note("created the namespace '\(app.namespace)'"))
        }
        record = try await book.moveHome(record)
        hasTouchedCluster = true
        try await store(file.app)
        let host = ImageReference(image)?.registry ?? ""
        let secret = login.map { PullSecret.object(for: app, host, $0) }
        record.changes = try await pods.apply(app, image: image, pullSecret: secret)
        try await pods.awaitPods(app, image: image, patience: app.deploy.deadline)
        record.changes += try await pods.removeWhatIsNoLongerWanted(app)
    }

    /// Stores the declaration, so that every pillar can do its part.
    private func store(_ app: App) async throws {
        var object = app.object
        object.json.set(.string(app.namespace.text), at: ["metadata", "namespace"])
        let reference = ObjectReference(.apps, namespace: app.namespace.text, name: app.name.text)
        try await retry("store the App '\(app.namespace)/\(app.name)'") { [home = releaser.home, object] in
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
        }
    }

    // MARK: The end of a release that failed

    /// Puts back what it can, closes the record, and returns the error for the caller.
    private func close(after error: any Error, isInterrupted: Bool) async -> any Error {
        if isInterrupted, hasTouchedCluster {
            let note = "stopping; what was changed is put back first, and a second signal leaves it as it is"
            await releaser.progress.report(.note(note))
        }
        let (failure, tail) = told(error, isInterrupted)
        let outcome = await undo(after: error, waits: !isInterrupted)
        record.phase = isInterrupted ? .interrupted : .failed
        record.message = [Self.firstLine(failure.message), outcome].compactMap(\.self).joined(separator: "; ")
        do {
            try await book.save(record)
        } catch {
            await releaser.progress.report(
                .note("the record of release \(record.name) could not be closed: \(ErrorWords.text(of: error))")
            )
        }
        if isInterrupted {
            await releaser.progress.report(.note("\(record.message); 'ballast release' starts a new one"))
            return CancellationError()
        }
        var end = failure
        let glue = failure.message.contains("\n") ? "\n" : "; "
        end.message += (outcome.map { glue + $0 } ?? "") + tail
        return end
    }

    private func told(_ error: any Error, _ isInterrupted: Bool) -> (Failure, tail: String) {
        if isInterrupted {
            let stage = record.stages.last?.stage.rawValue ?? Stage.test.rawValue
            return (Failure(.fault, "release \(record.name) was interrupted in the stage '\(stage)'"), "")
        }
        switch error {
        case let failed as RolloutFailed:
            let message = "release \(record.name) failed: \(failed.diagnosis)"
            return (Failure(failed.diagnosis.code.failure, message), failed.tail)
        case let failure as Failure: return (failure, "")
        default: return (Failure(.fault, "release \(record.name) failed: \(ErrorWords.text(of: error))"), "")
        }
    }

    /// Puts the last good release back in place; returns what became of it, for people.
    private func undo(after error: any Error, waits: Bool) async -> String? {
        guard hasTouchedCluster else { return record.stages.isEmpty ? nil : "nothing was changed in the cluster" }
        if (error as? RolloutFailed)?.diagnosis.code == .takenOver { return nil }
        let here = "kubectl -n \(record.namespace)"
        do {
            guard let last = try await lastGood(), let app = last.declaredApp, let image = last.image else {
                let pod = (error as? RolloutFailed)?.diagnosis.pod
                let look = pod.map { "'\(here) describe pod \($0)'" } ?? "'\(here) get pods,events'"
                return "there is no earlier release to go back to, so everything is left for you to look at: \(look)"
            }
            let local = app.overridden(for: .local)
            await releaser.progress.report(.note("going back to release \(last.number)"))
            try await store(app)
            _ = try await pods.apply(local, image: image, pullSecret: nil)
            let wait = min(Self.patienceForUndo, local.deploy.deadline)
            guard waits else { return "rolled back to release \(last.number)" }
            do {
                try await pods.awaitPods(local, image: image, patience: wait)
                _ = try await pods.removeWhatIsNoLongerWanted(local)
                return "rolled back to release \(last.number)"
            } catch let failed as RolloutFailed {
                return "rolled back to release \(last.number), whose pods are not all ready: \(failed.diagnosis.cause)"
            }
        } catch {
            return
                "it could not be rolled back (\(Self.firstLine(ErrorWords.text(of: error)))); release again once that is mended"
        }
    }

    private func lastGood() async throws -> ReleaseRecord? {
        try await book.history(record.app, record.namespace).first {
            $0.phase == .succeeded && $0.number < record.number
        }
    }

    private static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }
}
