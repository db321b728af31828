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

    /// Reads both descriptors, which now belong to the log, until their writers are gone.
    func collect(output: Int32, error: Int32) {
        state.withLock { $0.framings = [.stdout: LogFraming(.stdout), .stderr: LogFraming(.stderr)] }
        Reactor.shared.watch(output) { [self] in drain($0, .stdout) }
        Reactor.shared.watch(error) { [self] in drain($0, .stderr) }
    }

    private func drain(_ descriptor: Int32, _ stream: LogFraming.Stream) -> Bool {
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
            result = unsafe read(descriptor, buffer.baseAddress, buffer.count)
            count = max(0, result)
        }
        if result > 0 { append(bytes, stream) }
        if result > 0 || (result < 0 && (errno == EAGAIN || errno == EINTR)) { return true }
        finish(stream)
        return false
    }

    private func append(_ bytes: [UInt8], _ stream: LogFraming.Stream) {
        let now = clock.now
        let followers = state.withLock { state in
            var output: [UInt8] = []
            output.reserveCapacity(bytes.count + 128)
            state.framings[stream, default: LogFraming(stream)].add(bytes[...], at: now, to: &output)
            return write(output, &state)
        }
        for follower in followers { follower.yield() }
    }

    private func finish(_ stream: LogFraming.Stream) {
        let now = clock.now
        let (waiters, followers, isOver) = state.withLock { state in
            var output: [UInt8] = []
            state.framings[stream]?.finish(at: now, to: &output)
            let told = write(output, &state)
            state.framings[stream] = nil
            let isOver = state.framings.isEmpty
            let (waiters, ended) = isOver ? close(&state) : ([], [])
            return (waiters, isOver ? ended : told, isOver)
        }
        for waiter in waiters { waiter.resume() }
        for follower in followers { if isOver { follower.finish() } else { follower.yield() } }
    }

    /// Ends the log without a container.
    func abandon() {
        let (waiters, followers) = state.withLock { $0.closed ? ([], []) : close(&$0) }
        for waiter in waiters { waiter.resume() }
        for follower in followers { follower.finish() }
    }

    /// Returns whom to tell; telling them under the lock would have them take it again.
    private func close(
        _ state: inout State
    ) -> ([CheckedContinuation<Void, Never>], [Follower]) {
        state.closed = true
        Glibc.close(state.descriptor)
        defer {
            state.waiters = []
            state.followers = [:]
        }
        return (state.waiters, Array(state.followers.values))
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
