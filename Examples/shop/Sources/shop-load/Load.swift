// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ShopKit
import Synchronization

/// Sends the requests: workers take the next slot in time, each over its own connection.
final class Load: Sendable {
    private let options: Options
    private let url: ServiceURL
    private let start = ContinuousClock.now
    private let slots = Mutex(0)
    private let tally = Mutex(Tally())

    init(_ options: Options) throws {
        self.options = options
        url = try ServiceURL(options.url)
    }

    func run() async -> (tally: Tally, seconds: Double) {
        await withDiscardingTaskGroup { group in
            for _ in 0..<options.concurrency { group.addTask { await self.work() } }
        }
        return (tally.withLock { $0 }, start.duration(to: .now).inSeconds)
    }

    private func work() async {
        var session: UpstreamSession? = UpstreamSession(url: url, timeout: options.timeout)
        while let due = nextSlot() {
            if due > .now { try? await Task.sleep(until: due) }
            session = await send(session ?? UpstreamSession(url: url, timeout: options.timeout), due: due)
        }
        await session?.close()
    }

    /// Nil once the time is over. Without a rate a slot is due at once.
    private func nextSlot() -> ContinuousClock.Instant? {
        let index = slots.withLock { slots in
            slots += 1
            return slots - 1
        }
        let due = options.rate > 0 ? start + .seconds(Double(index) / options.rate) : .now
        return due < start + options.duration ? due : nil
    }

    /// Returns the session if it is of further use.
    private func send(_ session: UpstreamSession, due: ContinuousClock.Instant) async -> UpstreamSession? {
        var request = UpstreamRequest(options.method, options.path, body: Array(options.body.utf8))
        if let host = options.host { request.headers.append(("Host", host)) }
        do {
            let answer = try await session.send(request)
            let latency = due.duration(to: .now).inSeconds
            tally.withLock { $0.record(status: answer.status, latency: latency) }
            return session
        } catch {
            tally.withLock { $0.record(failure: "\(error)") }
            return nil
        }
    }
}
