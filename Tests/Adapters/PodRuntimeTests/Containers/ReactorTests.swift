// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Dispatch
import Glibc
import Testing

@testable import PodRuntime

@Suite("the reactor")
struct ReactorTests {
    private static func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    @Test func aDescriptorOutlivesTheHandlerThatUsesIt() async throws {
        let (readEnd, writeEnd) = try makePipe()
        defer { close(writeEnd) }
        let (entered, released) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let answers = Recorded<Int>()
        let token = Reactor.shared.watch(readEnd) { descriptor in
            entered.signal()
            released.wait()
            var byte: UInt8 = 0
            answers.add(unsafe read(descriptor, &byte, 1))
            return true
        }
        try await OwnThread.run {
            _ = unsafe write(writeEnd, "x", 1)
            entered.wait()
            Reactor.shared.forget(token)
            #expect(Self.isOpen(readEnd))
            released.signal()
        }
        // What the reactor does next tells that the handler has returned.
        try await Self.passThrough()
        #expect(answers.all == [1])
    }

    @Test func aForgottenWatchIsNotCalledAgain() async throws {
        let (readEnd, writeEnd) = try makePipe()
        defer { close(writeEnd) }
        let calls = Recorded<Int32>()
        let token = Reactor.shared.watch(readEnd) { descriptor in
            calls.add(descriptor)
            return true
        }
        Reactor.shared.forget(token)
        Reactor.shared.forget(token)
        try await Self.passThrough()
        #expect(calls.all.isEmpty)
    }

    /// Returns when the reactor has handled one more event.
    private static func passThrough() async throws {
        let (readEnd, writeEnd) = try makePipe()
        await withCheckedContinuation { waiter in
            Reactor.shared.watch(readEnd) { _ in
                waiter.resume()
                return false
            }
            close(writeEnd)
        }
    }
}
