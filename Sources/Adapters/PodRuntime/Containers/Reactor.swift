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
    /// Called on the reactor's thread when the descriptor is readable or closed; `false` ends the watch and closes it.
    typealias Handler = @Sendable (_ descriptor: Int32) -> Bool

    private struct Watch {
        var descriptor: Int32
        var handler: Handler
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
    func watch(_ descriptor: Int32, _ handler: @escaping Handler) -> Token {
        let token = state.withLock { state in
            state.lastToken += 1
            state.watches[state.lastToken] = Watch(descriptor: descriptor, handler: handler)
            return state.lastToken
        }
        let result = ballast_epoll_add(epoll, descriptor, token)
        precondition(result == 0, "descriptor \(descriptor) cannot be watched: \(Errno(-result))")
        return Token(number: token)
    }

    /// Ends a watch and closes its descriptor; the handler is not called again, but may be running.
    func forget(_ token: Token) {
        guard let watch = state.withLock({ $0.watches.removeValue(forKey: token.number) }) else { return }
        _ = ballast_epoll_remove(epoll, watch.descriptor)
        close(watch.descriptor)
    }

    private func loop() -> Never {
        var tokens = [UInt64](repeating: 0, count: 32)
        while true {
            let count = unsafe ballast_epoll_wait(epoll, &tokens, Int32(tokens.count))
            for token in tokens[..<Int(max(0, count))] { dispatch(token) }
        }
    }

    private func dispatch(_ token: UInt64) {
        guard let watch = state.withLock({ $0.watches[token] }) else { return }
        if !watch.handler(watch.descriptor) { forget(Token(number: token)) }
    }
}
