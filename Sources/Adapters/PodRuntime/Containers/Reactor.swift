// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Synchronization

/// One thread for the whole process that waits for descriptors: containers' output and the ends of processes.
///
/// A task that waits costs no thread, and a container that floods its output is read on this thread alone.
final class Reactor: Sendable {
    static let shared = Reactor()

    struct Token: Sendable, Hashable { fileprivate let number: UInt64 }
    enum Direction: Sendable { case reading, writing }
    /// Called on the reactor's thread when the descriptor is ready or closed; `false` ends the watch and closes it.
    typealias Handler = @Sendable (_ descriptor: Int32) -> Bool

    private struct Watch {
        var descriptor: Int32
        var handler: Handler
        var isRunning = false
        /// Forgotten while its handler ran: its descriptor is closed when that has returned.
        var isForgotten = false
    }
    private struct State {
        var watches: [UInt64: Watch] = [:]
        var lastToken: UInt64 = 0
    }

    private let epoll: Int32
    private let state = Mutex(State())

    private init() {
        epoll = ballast_epoll_create()
        precondition(epoll >= 0, "the kernel gives no wait queue: \(Errno(-epoll))")
        var thread = pthread_t()
        // The thread blocks on `shared` until this initializer has returned.
        let failure = unsafe pthread_create(&thread, nil, { _ in Reactor.shared.loop() }, nil)
        precondition(failure == 0, "no thread for the reactor: error \(failure)")
        pthread_detach(thread)
    }

    /// Watches a descriptor, which now belongs to the reactor.
    @discardableResult
    func watch(_ descriptor: Int32, _ direction: Direction = .reading, _ handler: @escaping Handler) -> Token {
        let token = state.withLock { state in
            state.lastToken += 1
            state.watches[state.lastToken] = Watch(descriptor: descriptor, handler: handler)
            return state.lastToken
        }
        let result = ballast_epoll_add(epoll, descriptor, token, direction == .writing ? 1 : 0)
        precondition(result == 0, "descriptor \(descriptor) cannot be watched: \(Errno(-result))")
        return Token(number: token)
    }

    /// Ends a watch. The handler is not called again; where it runs now, the descriptor stays open until it returns, so
    /// that it can never meet another file under the same number.
    func forget(_ token: Token) {
        let descriptor = state.withLock { state -> Int32? in
            guard let watch = state.watches[token.number] else { return nil }
            guard !watch.isRunning else {
                state.watches[token.number]?.isForgotten = true
                return nil
            }
            state.watches[token.number] = nil
            return watch.descriptor
        }
        if let descriptor { end(descriptor) }
    }

    private func end(_ descriptor: Int32) {
        _ = ballast_epoll_remove(epoll, descriptor)
        close(descriptor)
    }

    private func loop() -> Never {
        var tokens = [UInt64](repeating: 0, count: 32)
        while true {
            let count = unsafe ballast_epoll_wait(epoll, &tokens, Int32(tokens.count))
            for token in tokens[..<Int(max(0, count))] { dispatch(token) }
        }
    }

    /// Tokens are never used twice, so an event of an ended watch finds none.
    private func dispatch(_ token: UInt64) {
        let found = state.withLock { state -> Watch? in
            state.watches[token]?.isRunning = true
            return state.watches[token]
        }
        guard let watch = found else { return }
        let goesOn = watch.handler(watch.descriptor)
        let isOver = state.withLock { state in
            guard goesOn, state.watches[token]?.isForgotten == false else {
                state.watches[token] = nil
                return true
            }
            state.watches[token]?.isRunning = false
            return false
        }
        if isOver { end(watch.descriptor) }
    }
}
