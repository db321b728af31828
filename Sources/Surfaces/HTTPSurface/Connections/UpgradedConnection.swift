// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import NIOCore
import NIOWebSocket
import ServiceLifecycle

/// What runs on a connection that became a WebSocket, and what ends it: the work's own end, the client, or a stop.
struct UpgradedConnection {
    let frames: WebSocketLink.Frames

    private enum Event: Sendable {
        case workEnded
        case clientLeft
        case serverStops
        case farewellSaid
        case nothing
    }

    /// How long a client may take to answer the farewell.
    private static let patience = Duration.seconds(2)
    /// How long it may take to read all that was sent before.
    private static let longPatience = Duration.seconds(60)

    /// Runs `listen`, which takes what the client sends and returns when it has left, beside `work`. When either ends,
    /// or the server stops, the other one is cancelled and waited for; then the client is told farewell.
    func run(
        listen: @escaping @Sendable (WebSocketLink, WebSocketLink.Inbound) async throws -> Void,
        work: @escaping @Sendable (WebSocketLink) async -> Void
    ) async {
        // What goes wrong with the connection ends it, and there is nobody left to tell.
        try? await frames.executeThenClose { inbound, outbound in
            let channel = frames.channel
            let link = WebSocketLink(channel, outbound)
            await withTaskGroup(of: Event.self) { group in
                group.addTask {
                    try? await listen(link, inbound)
                    return .clientLeft
                }
                group.addTask {
                    // Notices the end of a client that nobody reads from, because what it sent is still to be taken.
                    try? await channel.closeFuture.get()
                    return .clientLeft
                }
                group.addTask {
                    guard (try? await gracefulShutdown()) != nil else { return .nothing }
                    return .serverStops
                }
                // A task of its own within the group's: it is cancelled apart from the reader, which goes on meanwhile.
                let worker = Task { await work(link) }
                group.addTask {
                    await worker.value
                    return .workEnded
                }
                await end(&group, worker, link)
                group.cancelAll()
                channel.close(promise: nil)
            }
        }
    }

    private func end(_ group: inout TaskGroup<Event>, _ worker: Task<Void, Never>, _ link: WebSocketLink) async {
        var isStopping = false
        while let event = await group.next() {
            switch event {
            case .nothing: continue
            case .clientLeft:
                worker.cancel()
                await worker.value
                return
            case .serverStops:
                isStopping = true
                worker.cancel()
            case .workEnded:
                let code: WebSocketErrorCode = isStopping ? .goingAway : .normalClosure
                group.addTask {
                    await link.close(code)
                    return .farewellSaid
                }
                leave(&group, after: isStopping ? Self.patience : Self.longPatience)
            case .farewellSaid: leave(&group, after: Self.patience)
            }
        }
    }

    private func leave(_ group: inout TaskGroup<Event>, after limit: Duration) {
        group.addTask {
            try? await Task.sleep(for: limit)
            return .clientLeft
        }
    }
}
