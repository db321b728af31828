// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

@testable import PodRuntime

/// A client of a session that says what a test lets it say, and remembers what it hears.
final class TestPeer: SessionPeer {
    private let words: AsyncStream<[UInt8]>
    private let say: AsyncStream<[UInt8]>.Continuation
    private let sizes: AsyncStream<TerminalSize>
    private let resize: AsyncStream<TerminalSize>.Continuation
    private let heard = Mutex<[SessionOutput: [UInt8]]>([:])
    private let news: AsyncStream<Void>
    private let tell: AsyncStream<Void>.Continuation

    init() {
        (words, say) = AsyncStream.makeStream()
        (sizes, resize) = AsyncStream.makeStream()
        (news, tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func write(_ text: String) { say.yield(Array(text.utf8)) }
    func write(_ bytes: [UInt8]) { say.yield(bytes) }
    func finish() { say.finish() }
    func set(width: Int, height: Int) { resize.yield(TerminalSize(width: width, height: height)) }

    func input() async -> [UInt8]? {
        for await next in words { return next }
        return nil
    }

    func size() async -> TerminalSize? {
        for await next in sizes { return next }
        return nil
    }

    func send(_ bytes: [UInt8], to output: SessionOutput) async throws {
        heard.withLock { $0[output, default: []] += bytes }
        tell.yield()
    }

    func bytes(_ output: SessionOutput = .output) -> [UInt8] { heard.withLock { $0[output] ?? [] } }
    func text(_ output: SessionOutput = .output) -> String { String(decoding: bytes(output), as: UTF8.self) }

    /// Returns once the text was heard, or when the task is cancelled.
    func hear(_ text: String, _ output: SessionOutput = .output) async {
        while !self.text(output).contains(text), !Task.isCancelled {
            for await _ in news { break }
        }
    }
}

extension TestNode {
    /// Begins a session in a running pod's container and returns its peer and its end.
    func session(
        _ pod: KubeObject,
        _ command: String...,
        container: String = "main",
        _ change: (inout SessionOptions) -> Void = { _ in }
    ) async throws -> (TestPeer, Task<SessionEnd, Never>) {
        var options = SessionOptions(container: container, command: command)
        (options.hasInput, options.hasOutput, options.hasErrors) = (true, true, true)
        change(&options)
        let session = try await runtime.agent.session(namespace: "default", pod: pod.name, uid: pod.uid, options)
        let peer = TestPeer()
        // Ended by the test, which has it in hand.
        return (peer, Task { await session.run(peer) })
    }
}
