// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Synchronization

/// Where one run of a container writes its log, and who reads along.
///
/// Output is read, framed and written on the reactor's thread in blocks of at most 64 KiB, so a container that floods its
/// output fills neither memory nor, because files are rotated, the disk.
final class ContainerLog: Sendable {
    struct Limits: Sendable {
        /// In bytes; a file that reached it is renamed and a new one begun.
        var fileSize = 10 << 20
        /// How many files one run of a container keeps, the current one included.
        var files = 5
    }

    private typealias Follower = AsyncStream<Void>.Continuation

    private struct State {
        var descriptor: Int32
        var size: Int
        var framings: [LogFraming.Stream: LogFraming] = [:]
        var followers: [UInt64: Follower] = [:]
        var lastFollower: UInt64 = 0
        var taps: [UInt64: OutputTap] = [:]
        var lastTap: UInt64 = 0
        /// Outputs that are not read until those who read along have room again.
        var held: [LogFraming.Stream: Int32] = [:]
        /// The container has ended: what little is left is read in any case.
        var isEnding = false
        var closed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let path: String
    private let limits: Limits
    private let clock: WallClock
    private let state: Mutex<State>

    /// Opens (or continues) the log file at `path`.
    init(_ path: String, limits: Limits, clock: WallClock) throws(Failure) {
        self.path = path
        self.limits = limits
        self.clock = clock
        let (descriptor, size) = try Self.open(path)
        state = Mutex(State(descriptor: descriptor, size: size))
    }

    private static func open(_ path: String) throws(Failure) -> (descriptor: Int32, size: Int) {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Failure(.fault, "log '\(path)' cannot be opened", cause: Errno(errno)) }
        return (descriptor, Int(lseek(descriptor, 0, SEEK_END)))
    }

    /// Reads both descriptors, which now belong to the log, until their writers are gone; a terminal has but one.
    func collect(output: Int32, error: Int32?) {
        state.withLock { state in
            state.framings = [.stdout: LogFraming(.stdout)]
            if error != nil { state.framings[.stderr] = LogFraming(.stderr) }
        }
        watch(output, .stdout)
        if let error { watch(error, .stderr) }
    }

    private func watch(_ descriptor: Int32, _ stream: LogFraming.Stream) {
        Reactor.shared.watch(descriptor) { [self] in drain($0, stream) }
    }

    private func drain(_ descriptor: Int32, _ stream: LogFraming.Stream) -> Bool {
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
            result = unsafe read(descriptor, buffer.baseAddress, buffer.count)
            count = max(0, result)
        }
        if result > 0 {
            append(bytes, stream)
            return !hold(descriptor, stream)
        }
        if result < 0 && (errno == EAGAIN || errno == EINTR) { return true }
        finish(stream)
        return false
    }

    private func append(_ bytes: [UInt8], _ stream: LogFraming.Stream) {
        let now = clock.now
        let (followers, taps) = state.withLock { state in
            var output: [UInt8] = []
            output.reserveCapacity(bytes.count + 128)
            state.framings[stream, default: LogFraming(stream)].add(bytes[...], at: now, to: &output)
            return (write(output, &state), Array(state.taps.values))
        }
        for follower in followers { follower.yield() }
        for tap in taps { tap.add((stream, bytes)) }
    }

    private func finish(_ stream: LogFraming.Stream) {
        let now = clock.now
        let (ended, told) = state.withLock { state -> (Ended?, [Follower]) in
            var output: [UInt8] = []
            state.framings[stream]?.finish(at: now, to: &output)
            let told = write(output, &state)
            state.framings[stream] = nil
            return state.framings.isEmpty ? (close(&state), []) : (nil, told)
        }
        ended?.tell()
        for follower in told { follower.yield() }
    }

    /// Ends the log without a container.
    func abandon() {
        state.withLock { $0.closed ? nil : close(&$0) }?.tell()
    }

    /// Whom to tell of the end; telling them under the lock would have them take it again.
    private struct Ended {
        var waiters: [CheckedContinuation<Void, Never>]
        var followers: [Follower]
        var taps: [OutputTap]

        func tell() {
            for waiter in waiters { waiter.resume() }
            for follower in followers { follower.finish() }
            for tap in taps { tap.finish() }
        }
    }

    private func close(_ state: inout State) -> Ended {
        state.closed = true
        Glibc.close(state.descriptor)
        defer {
            state.waiters = []
            state.followers = [:]
            state.taps = [:]
        }
        return Ended(
            waiters: state.waiters,
            followers: Array(state.followers.values),
            taps: Array(state.taps.values)
        )
    }

    /// Returns whom to tell, once the lock is free: a follower's end takes it.
    private func write(_ output: [UInt8], _ state: inout State) -> [Follower] {
        guard !output.isEmpty, !state.closed else { return [] }
        // A full disk loses lines, never the container.
        if FileText.writeAll(output[...], to: state.descriptor) { state.size += output.count }
        if state.size >= limits.fileSize { rotate(&state) }
        return Array(state.followers.values)
    }

    private func rotate(_ state: inout State) {
        let stamp = clock.now.nanoText.filter { $0.isNumber }
        guard unsafe rename(path, "\(path).\(stamp)") == 0, let next = try? Self.open(path) else { return }
        Glibc.close(state.descriptor)
        (state.descriptor, state.size) = next
        for old in LogFiles.rotated(of: path).dropLast(limits.files - 1) { unsafe unlink(old) }
    }

    /// Gives a signal whenever something was written; ends when the log is complete.
    func follow() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number: UInt64? = state.withLock { state in
            guard !state.closed else { return nil }
            state.lastFollower += 1
            state.followers[state.lastFollower] = continuation
            return state.lastFollower
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.followers.removeValue(forKey: number) }
        }
        return stream
    }

    // MARK: Reading along

    /// Hands on what is written from now on, until ``untap(_:)``; `nil` where the log is complete.
    func tap() -> (number: UInt64, tap: OutputTap)? {
        let tap = OutputTap { [weak self] in self?.goOn() }
        return state.withLock { state in
            guard !state.closed else { return nil }
            state.lastTap += 1
            state.taps[state.lastTap] = tap
            return (state.lastTap, tap)
        }
    }

    func untap(_ number: UInt64) {
        state.withLock { $0.taps.removeValue(forKey: number) }?.finish()
        goOn()
    }

    /// From now on nobody who reads along can hold the output up.
    func hurry() {
        state.withLock { $0.isEnding = true }
        goOn()
    }

    /// Stops reading an output while somebody who reads along is behind; `false` where nobody is.
    private func hold(_ descriptor: Int32, _ stream: LogFraming.Stream) -> Bool {
        let taps = state.withLock { state in state.isEnding ? [] : Array(state.taps.values) }
        guard taps.contains(where: \.isFull) else { return false }
        // The reactor closes the one it watches.
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return false }
        state.withLock { $0.held[stream] = copy }
        // Whoever had room again before that was noted has told nobody.
        if !taps.contains(where: \.isFull) || state.withLock({ $0.isEnding }) { goOn() }
        return true
    }

    /// Reads again what was held up.
    private func goOn() {
        let held = state.withLock { state in
            defer { state.held = [:] }
            return state.held
        }
        for (stream, descriptor) in held { watch(descriptor, stream) }
    }

    var followerCount: Int { state.withLock { $0.followers.count } }

    /// Returns once everything the container wrote is in the file.
    func waitUntilComplete() async {
        await withCheckedContinuation { waiter in
            let isClosed = state.withLock { state in
                if !state.closed { state.waiters.append(waiter) }
                return state.closed
            }
            if isClosed { waiter.resume() }
        }
    }
}

/// The files of one run's log: the current one and those rotated away, which carry the time in their names.
enum LogFiles {
    /// Rotated files, oldest first.
    static func rotated(of path: String) -> [String] {
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let folder = String(path[..<slash])
        let prefix = path[path.index(after: slash)...] + "."
        return Folder.names(in: folder).filter { $0.hasPrefix(prefix) }.map { "\(folder)/\($0)" }
    }

    /// All files, oldest first, the current one last.
    static func all(of path: String) -> [String] {
        rotated(of: path) + (Folder.exists(path) ? [path] : [])
    }
}
