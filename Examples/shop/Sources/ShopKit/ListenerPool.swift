// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingSocks
import Glibc
import Synchronization

/// One server's view of the pool: it gets to know the listening socket, to tune it and to stop it.
final class ListenerPool: AsyncSocketPool {
    private struct State {
        var listener: Socket?
        var isClosed = false
        var accepting: OneShot<Void>?
    }

    private let state = Mutex(State())
    private let ended = OneShot<Void>()

    func prepare() async throws {}

    func run() async throws {
        try await ReadinessPool.shared.run()
    }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        let ready = OneShot<Void>()
        let isListener = enrol(socket, ready)
        do {
            try await ReadinessPool.shared.suspend(socket, untilReadyFor: events, or: ready)
        } catch {
            if isListener { ended.resolve(.success(())) }
            throw error
        }
    }

    private func enrol(_ socket: Socket, _ ready: OneShot<Void>) -> Bool {
        state.withLock { state in
            if state.listener == nil, socket.isListening {
                state.listener = socket
                // Accepted sockets inherit it. The server writes head and body apart, and without this
                // the body would wait for the client's delayed acknowledgement.
                socket.setNoDelay()
            }
            guard socket == state.listener else { return false }
            state.accepting = ready
            if state.isClosed { ready.resolve(.failure(SocketError.disconnected)) }
            return true
        }
    }

    /// Returns once the server has taken every connection that was waiting, and asks for no more. Only then may the
    /// listening socket be closed: its number could be another socket's at once, and the server would accept from that.
    func refuseNewConnections() async throws {
        state.withLock { state in
            state.isClosed = true
            state.accepting?.resolve(.failure(SocketError.disconnected))
        }
        try await ended.value()
    }
}

extension Socket {
    var isListening: Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(file.rawValue, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0
    }

    func setNoDelay() {
        var value: Int32 = 1
        setsockopt(file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
