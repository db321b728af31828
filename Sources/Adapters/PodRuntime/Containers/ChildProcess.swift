// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Synchronization

/// A child of this process, started here or handed over by the kernel when its parent ended.
///
/// Its end is learnt through a process descriptor, so the id can never be confused with a later process's.
final class ChildProcess: Sendable {
    let pid: pid_t
    private let descriptor: Int32

    private struct State {
        var exitCode: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }
    private let state = Mutex(State())

    /// Takes over the running (or ended and uncollected) child `pid`.
    init(adopting pid: pid_t) throws(Failure) {
        let descriptor = ballast_pidfd_open(pid)
        guard descriptor >= 0 else {
            throw Failure(.fault, "process \(pid) cannot be watched", cause: Errno(-descriptor))
        }
        let watched = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard watched >= 0 else {
            close(descriptor)
            throw Failure(.fault, "process \(pid) cannot be watched", cause: Errno(errno))
        }
        self.pid = pid
        self.descriptor = descriptor
        Reactor.shared.watch(watched) { [self] _ in collect() }
    }

    deinit { close(descriptor) }

    /// Called when the process has ended: collects it and wakes those who wait.
    private func collect() -> Bool {
        var code: Int32 = 0
        let result = unsafe ballast_reap(descriptor, &code)
        if result == 0 { return true }
        // A child that somebody else collected leaves no code behind.
        let exitCode = result > 0 ? code : 255
        let waiters = state.withLock { state in
            state.exitCode = exitCode
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: exitCode) }
        return false
    }

    /// The exit code once it has ended: 128 + the signal for one that was killed. Cancellation does not shorten the wait.
    func wait() async -> Int32 {
        await withCheckedContinuation { waiter in
            let code = state.withLock { state in
                if state.exitCode == nil { state.waiters.append(waiter) }
                return state.exitCode
            }
            if let code { waiter.resume(returning: code) }
        }
    }

    var exitCode: Int32? { state.withLock { $0.exitCode } }

    /// Sends a signal; one that has ended receives nothing.
    func signal(_ number: Int32) { _ = ballast_pidfd_kill(descriptor, number) }
}

extension ChildProcess {
    /// Which descriptors the child gets as standard input, output and error.
    struct Streams {
        var input: Int32
        var output: Int32
        var error: Int32
    }

    /// Starts a program, named by its path, with nothing inherited but `streams`.
    static func spawn(
        _ program: String,
        _ arguments: [String],
        environment: [String],
        streams: Streams,
        folder: String? = nil
    ) throws(Failure) -> ChildProcess {
        var pid: pid_t = 0
        let result = unsafe withCStrings([program] + arguments) { argv in
            unsafe withCStrings(environment) { envp in
                unsafe ballast_spawn(
                    program,
                    argv,
                    envp,
                    streams.input,
                    streams.output,
                    streams.error,
                    folder,
                    &pid
                )
            }
        }
        guard result == 0 else { throw Failure(.fault, "'\(program)' cannot be started", cause: Errno(-result)) }
        return try ChildProcess(adopting: pid)
    }
}

/// Calls `body` with a null-terminated array of C strings, valid during the call.
func withCStrings<R>(_ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
        // An array of at least one element has a base address.
        // swift-format-ignore: NeverForceUnwrap
        unsafe body(buffer.baseAddress!)
    }
}

/// An error number of the kernel with its text.
struct Errno: Error, Hashable, CustomStringConvertible {
    let number: Int32
    init(_ number: Int32) { self.number = number }

    var description: String {
        // The text is constant or this thread's own.
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        let words = unsafe String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
