// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Releases
import Synchronization

/// Answers commands from a table; what is not in it succeeds.
final class ScriptedRunner: CommandRunner {
    enum Answer: Sendable {
        case ends(Int32, [String])
        /// Runs until it is cancelled.
        case hangs
        case timesOut
    }

    private let answers: [String: Answer]
    private let seen = Mutex<[String]>([])

    private let meanwhile: @Sendable () async throws -> Void

    /// `writes` are files by name that a command leaves; `meanwhile` is what happens elsewhere while one runs.
    init(
        _ answers: [String: Answer] = [:],
        writes: [String: [String: String]] = [:],
        meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.answers = answers
        self.writes = writes
        self.meanwhile = meanwhile
    }

    var commands: [String] { seen.withLock(\.self) }

    /// What is there now by name, and how often it was written.
    private let files = Mutex<[String: (version: Int, text: String)]>([:])
    private let writes: [String: [String: String]]

    func put(_ name: String, _ text: String) {
        files.withLock { $0[name] = (($0[name]?.version ?? 0) + 1, text) }
    }

    func reports(matching patterns: [String], in folder: String) async throws -> [ReportFile] {
        files.withLock { files in
            files.filter { file in patterns.contains { file.key.hasPrefix($0) } }.sorted { $0.key < $1.key }.map {
                ReportFile(name: $0.key, path: "\(folder)/\($0.key)", stamp: "\($0.value.version)")
            }
        }
    }

    func contents(of report: ReportFile) async throws -> [UInt8] {
        Array((files.withLock { $0[report.name]?.text } ?? "").utf8)
    }

    func run(
        _ command: String,
        in folder: String,
        timeout: Duration,
        output: @escaping @Sendable (String) async -> Void
    ) async throws -> Int32 {
        seen.withLock { $0.append(command) }
        try await meanwhile()
        for (name, text) in writes[command] ?? [:] { put(name, text) }
        switch answers[command] ?? .ends(0, ["fine"]) {
        case .ends(let code, let lines):
            for line in lines { await output(line) }
            return code
        case .hangs:
            await output("hanging")
            let (never, continuation) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            withExtendedLifetime(continuation) {}
            throw CancellationError()
        case .timesOut:
            await output("still at it")
            throw Failure(.deadlineExceeded, "too long")
        }
    }
}

/// Builds an image whose digests tell its content.
final class ScriptedBuilder: ImageBuilder {
    private let content: Mutex<Character>
    private let failure: Failure?

    init(content: Character = "a", failure: Failure? = nil) {
        self.content = Mutex(content)
        self.failure = failure
    }

    func setContent(_ character: Character) { content.withLock { $0 = character } }

    static func digest(_ character: Character) -> Digest {
        guard let digest = Digest(hex: String(repeating: character, count: 64)) else {
            preconditionFailure("no hex digit")
        }
        return digest
    }

    func build(_ plan: ImagePlan) async throws -> BuiltImage {
        if let failure { throw failure }
        let digest = Self.digest(content.withLock(\.self))
        let blob = BlobFile(digest: digest, size: 2048, path: "/nowhere")
        let manifest = StoredManifest(
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            bytes: [],
            digest: digest
        )
        return BuiltImage(layers: [blob], configuration: blob, manifest: manifest)
    }
}

/// Registries that remember what was pushed, where, and as whom.
final class MemoryRegistries: ImageRegistries {
    private let pushed = Mutex<[String]>([])
    private let failure: Failure?

    init(failure: Failure? = nil) { self.failure = failure }

    var pushes: [String] { pushed.withLock(\.self) }

    func registry(_ host: String, credentials: RegistryCredentials?) -> any ImageRegistry {
        MemoryRegistry(user: credentials?.username ?? "nobody", registries: self)
    }

    private let kept = Mutex<Set<String>>([])

    fileprivate func keep(_ name: String, _ digest: Digest) { kept.withLock { _ = $0.insert("\(name)@\(digest)") } }
    fileprivate func holds(_ name: String, _ digest: Digest) -> Bool {
        kept.withLock { $0.contains("\(name)@\(digest)") }
    }
    /// As after somebody cleaned the registry up.
    func forgetAll() { kept.withLock { $0 = [] } }

    fileprivate func note(_ push: String) throws {
        if let failure { throw failure }
        pushed.withLock { $0.append(push) }
    }
}

private struct MemoryRegistry: ImageRegistry {
    let user: String
    let registries: MemoryRegistries

    func manifest(_ reference: ImageReference) async throws -> StoredManifest {
        guard let digest = reference.digest, registries.holds("\(reference.registry)/\(reference.repository)", digest)
        else { throw Failure(.notFound, "none") }
        return StoredManifest(mediaType: "application/vnd.oci.image.manifest.v1+json", bytes: [], digest: digest)
    }
    func blob(_ digest: Digest, from repository: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        throw Failure(.notFound, "none")
    }
    func push(_ blob: BlobFile, to repository: String) async throws {}
    func push(_ manifest: StoredManifest, as reference: ImageReference) async throws -> Digest {
        try registries.note("\(reference) by \(user)")
        registries.keep("\(reference.registry)/\(reference.repository)", manifest.digest)
        return manifest.digest
    }
}

final class MemoryRecords: LogRecords {
    private let kept = Mutex<[LogStream: [LogLine]]>([:])

    func append(_ lines: [LogLine], to stream: LogStream) async throws {
        kept.withLock { $0[stream, default: []] += lines }
    }

    func read(_ stream: LogStream) async throws -> [LogLine] { kept.withLock { $0[stream] ?? [] } }
}

/// Keeps what was reported, and lets a test wait for it.
final class RecordedProgress: ReleaseProgress {
    private struct State {
        var lines: [String] = []
        var waiter: (text: String, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock(\.lines) }

    func report(_ event: ReleaseEvent) async {
        let line =
            switch event {
            case .health(let report): report.objects.map { "\($0.reference.kindAndName) is \($0.state)" }.joined()
            case .started(let app, let number): "started \(app) \(number)"
            case .stageStarted(let stage): "\(stage.rawValue) starts"
            case .diagnosed(let cluster, let diagnosis, _): "\(cluster): B\(diagnosis.code.rawValue)"
            case .waiting(let text): text
            case .stageFailed(let stage, _): "failed \(stage)"
            case .stageEnded(let stage, _): "\(stage.rawValue) ends"
            case .output(let step, let line): "[\(step)] \(line)"
            case .note(let note): note
            }
        let woken = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.lines.append(line)
            guard let waiter = state.waiter, line.contains(waiter.text) else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        woken?.resume()
    }

    /// Returns once a line with that text was reported, or on cancellation.
    func wait(for text: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !Task.isCancelled, !state.lines.contains(where: { $0.contains(text) }) else { return true }
                    state.waiter = (text, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.continuation.resume()
        }
    }
}

/// Something that a test turns on in its middle.
final class Switch: Sendable {
    private let state = Mutex((isArmed: false, isOn: false))
    var isArmed: Bool { state.withLock(\.isArmed) }
    var isOn: Bool { state.withLock(\.isOn) }
    func arm() { state.withLock { $0.isArmed = true } }
    func turnOn() { state.withLock { $0.isOn = true } }
}
