// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CEpoll
public import FlyingSocks
import Foundation
import Glibc
import Synchronization

/// Waits for sockets on one thread of its own, for every server and client of the process.
///
/// FlyingFox's pool remembers which descriptors it registered, and that memory can outlive a
/// descriptor that is closed at the wrong moment; the next socket with the same number then hangs.
/// Here every wait is registered anew and fires once, so nothing is left to go stale. A wake-up
/// is only a hint: the caller tries again and sees the true error itself.
public final class ReadinessPool: AsyncSocketPool {
    public static let shared = ReadinessPool()

    private struct Waiter {
        let mask: UInt32
        let ready: OneShot<Void>
    }

    private let epoll: Int32
    private let waiting = Mutex<[Int32: [Waiter]]>([:])

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(epoll >= 0, "epoll_create1 failed: errno \(errno)")
        let thread = Thread { [self] in poll() }
        thread.name = "readiness"
        thread.start()
    }

    public func prepare() async throws {}

    /// The thread runs anyway; this only keeps a server's task group alive until it is cancelled.
    public func run() async throws {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        try Task.checkCancellation()
    }

    public func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        try await suspend(socket, untilReadyFor: events, or: OneShot())
    }

    /// Waits for the socket, or until someone else resolves `ready`.
    func suspend(_ socket: Socket, untilReadyFor events: Socket.Events, or ready: OneShot<Void>) async throws {
        let file = socket.file.rawValue
        let waiter = Waiter(mask: events.epollMask, ready: ready)
        try enrol(waiter, on: file)
        defer { forget(waiter, on: file) }
        try await ready.value()
    }

    private func enrol(_ waiter: Waiter, on file: Int32) throws {
        try waiting.withLock { waiting in
            let waiters = (waiting[file] ?? []) + [waiter]
            try arm(file, for: waiters)
            waiting[file] = waiters
        }
    }

    private func forget(_ waiter: Waiter, on file: Int32) {
        waiting.withLock { waiting in
            guard var waiters = waiting[file] else { return }
            waiters.removeAll { $0.ready === waiter.ready }
            waiting[file] = waiters.isEmpty ? nil : waiters
        }
    }

    private func arm(_ file: Int32, for waiters: [Waiter]) throws {
        var event = epoll_event()
        event.events = waiters.reduce(EPOLLONESHOT.rawValue) { $0 | $1.mask }
        event.data.fd = file
        if epoll_ctl(epoll, EPOLL_CTL_MOD, file, &event) == 0 { return }
        if errno == ENOENT, epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) == 0 { return }
        throw SocketError.makeFailed("epoll_ctl")
    }

    private func poll() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), -1)
            guard count >= 0 else {
                precondition(errno == EINTR, "epoll_wait failed: errno \(errno)")
                continue
            }
            for event in events.prefix(Int(count)) { wake(event) }
        }
    }

    private func wake(_ event: epoll_event) {
        let file = event.data.fd
        let broken = event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        let woken: [Waiter] = waiting.withLock { waiting in
            guard let waiters = waiting.removeValue(forKey: file) else { return [] }
            let remaining = waiters.filter { !broken && $0.mask & event.events == 0 }
            guard !remaining.isEmpty, (try? arm(file, for: remaining)) != nil else { return waiters }
            waiting[file] = remaining
            return waiters.filter { $0.mask & event.events != 0 }
        }
        for waiter in woken { waiter.ready.resolve(.success(())) }
    }
}

extension Socket.Events {
    fileprivate var epollMask: UInt32 {
        (contains(.read) ? EPOLLIN.rawValue : 0) | (contains(.write) ? EPOLLOUT.rawValue : 0)
    }
}
