// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Synchronization

/// Collects the first bytes that come out of a pipe; the rest is read and dropped, so that the writer never stalls.
final class OutputCapture: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var hasEnded = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let descriptor: Int32
    private let state = Mutex(State())
    private let token = Mutex<Reactor.Token?>(nil)

    /// Makes a pipe; the caller gives `writeEnd` to a child and then closes it.
    static func pipe(limit: Int = 16 * 1024) throws(Failure) -> (capture: OutputCapture, writeEnd: Int32) {
        let (readEnd, writeEnd) = try makePipe()
        let capture = OutputCapture(readEnd, limit: limit)
        let token = Reactor.shared.watch(readEnd) { _ in capture.drain() }
        capture.token.withLock { $0 = token }
        return (capture, writeEnd)
    }

    private init(_ descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Reads what is there; `false` when no writer is left.
    @discardableResult
    private func drain() -> Bool {
        let (isOpen, waiter) = state.withLock { state in
            guard !state.hasEnded else { return (false, nil as CheckedContinuation<Void, Never>?) }
            var buffer = [UInt8](repeating: 0, count: 4096)
            // As much as a pipe holds, so that one writer cannot keep the reactor to itself.
            for _ in 0..<16 {
                let count = unsafe read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR || errno == EAGAIN { return (true, nil) }
                guard count > 0 else { return (false, Self.end(&state)) }
                state.bytes.append(contentsOf: buffer[..<min(count, limit - state.bytes.count)])
            }
            return (true, nil)
        }
        waiter?.resume()
        return isOpen
    }

    private static func end(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        state.hasEnded = true
        defer { state.waiter = nil }
        return state.waiter
    }

    /// Stops reading, for a writer that outlives its use.
    func abandon() {
        state.withLock { Self.end(&$0) }?.resume()
        if let token = token.withLock({ $0 }) { Reactor.shared.forget(token) }
    }

    /// What was written, once every writer has closed its end. One caller may wait.
    func text() async -> String {
        await withCheckedContinuation { waiter in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiter = waiter }
                return state.hasEnded
            }
            if hasEnded { waiter.resume() }
        }
        return partialText
    }

    /// What was written so far, also what nobody has read yet.
    var partialText: String {
        drain()
        return String(decoding: state.withLock { $0.bytes }, as: UTF8.self)
    }
}

/// A pipe whose read end does not block; both ends are closed by the caller.
func makePipe() throws(Failure) -> (readEnd: Int32, writeEnd: Int32) {
    var ends: [Int32] = [0, 0]
    let result = unsafe ballast_pipe(&ends)
    guard result == 0 else { throw Failure(.fault, "no pipe can be made", cause: Errno(-result)) }
    return (ends[0], ends[1])
}
