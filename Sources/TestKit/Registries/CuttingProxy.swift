// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization

/// A line to a server on loopback that a test cuts: it forwards bytes and closes a connection once its client has sent more
/// than it may. It ends with the value.
package final class CuttingProxy: Sendable {
    private struct State {
        /// How much each coming connection may send before it is cut; the last one holds for all after it.
        var limits: [Int?]
        var cuts = 0
    }

    package let port: Int
    private let descriptor: Int32
    private let state: Mutex<State>

    package var host: String { "127.0.0.1:\(port)" }
    package var cuts: Int { state.withLock(\.cuts) }

    /// Each connection that sends more than `cutAfter` bytes uses up one entry; `nil` is never cut.
    package init(to target: Int, cutAfter limits: [Int?]) throws {
        state = Mutex(State(limits: limits))
        (descriptor, port) = try LoopbackSocket.listen()
        let listener = descriptor
        Thread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.join(client, to: target)
            }
        }.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private func join(_ client: Int32, to target: Int) {
        guard let server = LoopbackSocket.connect(to: target) else {
            close(client)
            return
        }
        let line = JoinedSockets(client, server)
        Thread { [self] in
            var sent = 0
            Self.copy(from: client, to: server) { count in
                sent += count
                return !self.isToBeCut(after: sent)
            }
            line.end()
        }.start()
        Thread {
            Self.copy(from: server, to: client) { _ in true }
            line.end()
        }.start()
    }

    private func isToBeCut(after sent: Int) -> Bool {
        state.withLock { state in
            guard let limit = state.limits.first ?? nil, sent > limit else { return false }
            if state.limits.count > 1 { state.limits.removeFirst() }
            state.cuts += 1
            return true
        }
    }

    private static func copy(from source: Int32, to target: Int32, goesOn: (Int) -> Bool) {
        while true {
            let bytes = LoopbackSocket.receive(from: source)
            guard !bytes.isEmpty, goesOn(bytes.count), LoopbackSocket.send(bytes, to: target) else { return }
        }
    }
}

/// Two sockets that end together, and are closed by the second of the two threads that use them.
private final class JoinedSockets: Sendable {
    private let sockets: [Int32]
    private let users = Mutex(2)

    init(_ sockets: Int32...) { self.sockets = sockets }

    func end() {
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        let isLast = users.withLock { users in
            users -= 1
            return users == 0
        }
        if isLast { for socket in sockets { close(socket) } }
    }
}
