// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Decides what a mirror does next: list, watch from where it is, or wait. It knows no clock and no cluster.
package struct ReflectorMachine: Sendable {
    package enum Event: Sendable {
        case listed(ResourceVersion)
        /// A watch event or bookmark carried this version.
        case saw(ResourceVersion)
        /// The server closed the watch.
        case watchEnded(lasted: Duration)
        case failed(Failure.Code)
        case waited
    }

    package enum Action: Sendable, Equatable {
        case list
        case watch(after: ResourceVersion)
        case wait(Duration)
    }

    private let backoff: BackoffSchedule
    private var version: ResourceVersion?
    private var failures = 0
    private var hasProgressed = false

    private static let shortest = Duration.seconds(1)

    package init(backoff: BackoffSchedule = BackoffSchedule()) { self.backoff = backoff }

    /// What to do at the start and after a wait.
    package var next: Action { version.map { .watch(after: $0) } ?? .list }

    /// `chance` in 0 ..< 1 spreads the waits of many mirrors.
    package mutating func observe(_ event: Event, chance: Double) -> Action {
        switch event {
        case .listed(let version):
            self.version = version
            hasProgressed = false
        case .saw(let version):
            self.version = version
            failures = 0
            hasProgressed = true
        case .watchEnded(let lasted):
            // A server that closes watches at once, without an event, must not be asked in a tight loop; one that closes a
            // quiet watch at its time is well.
            defer { hasProgressed = false }
            if !hasProgressed, lasted < Self.shortest { return fail(chance) }
            failures = 0
        case .failed(.expired):
            // Normal after a long absence; only a list that itself "expires" again and again has to wait.
            let hadVersion = version != nil
            version = nil
            if !hadVersion { return fail(chance) }
        case .failed:
            hasProgressed = false
            return fail(chance)
        case .waited: break
        }
        return next
    }

    private mutating func fail(_ chance: Double) -> Action {
        failures += 1
        return .wait(backoff.delay(afterFailures: failures, chance: chance))
    }
}
