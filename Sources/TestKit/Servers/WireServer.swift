// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization

/// An HTTP server on loopback that answers, or fails to, as a test says: a thread for each connection, which is kept as
/// long as the script returns `true`. It ends with the value.
package final class WireServer: Sendable {
    package typealias Script = @Sendable (WireRequest, Wire) -> Bool

    package let port: Int
    private let descriptor: Int32
    private let seen = Mutex<[WireRequest]>([])
    private let open = Mutex<Set<Int32>>([])

    package var host: String { "127.0.0.1:\(port)" }
    package var url: String { "http://\(host)" }
    /// All requests so far, in order of arrival.
    package var requests: [WireRequest] { seen.withLock { $0 } }
    /// All requests so far as `METHOD target`.
    package var lines: [String] { requests.map { "\($0.method) \($0.target)" } }

    /// `greeting` comes before the first request of each connection.
    package init(greeting: @escaping @Sendable (Wire) -> Void = { _ in }, _ script: @escaping Script) throws {
        (descriptor, port) = try LoopbackSocket.listen()
        let thread = Thread { [weak self, descriptor] in
            var count = 0
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                guard let server = self else {
                    close(connection)
                    return
                }
                server.begin(connection, count, greeting, script)
                count += 1
            }
        }
        thread.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
        for connection in open.withLock({ $0 }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private func begin(
        _ connection: Int32,
        _ number: Int,
        _ greeting: @escaping @Sendable (Wire) -> Void,
        _ script: @escaping Script
    ) {
        open.withLock { _ = $0.insert(connection) }
        let thread = Thread { [weak self] in
            let wire = Wire(descriptor: connection)
            greeting(wire)
            var isKept = true
            while isKept, var request = WireRequest.read(from: connection, connection: number) {
                request.place = self?.note(request) ?? 0
                isKept = script(request, wire)
            }
            self?.open.withLock { _ = $0.remove(connection) }
            close(connection)
        }
        thread.start()
    }

    private func note(_ request: WireRequest) -> Int {
        seen.withLock { seen in
            var request = request
            request.place = seen.count
            seen.append(request)
            return request.place
        }
    }
}
