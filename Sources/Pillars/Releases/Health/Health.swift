// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// How one object stands: whether what was asked of it is there.
package struct Health: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Under way; nothing says that it will not get there.
        case inProgress
        /// As asked, and served by what was asked.
        case current
        /// It says itself that it will not get there, or did its work and failed.
        case failed
        /// Somebody paused it; it stays as it is until somebody resumes it.
        case suspended
        /// Being deleted.
        case terminating
        /// There is no such object.
        case missing
        /// Its status is in words that nobody here knows.
        case unknown
    }

    package var state: State
    /// One word, stable, in the form of a condition's reason: `LessReady`, `ProgressDeadlineExceeded`.
    package var reason: String
    /// For people, lower case, no full stop: "2 of 4 replicas are ready".
    package var message: String
    /// Whether a release that would have to wait for this alone may go on after a while, because many clusters have
    /// nobody who would ever bring it about: an Ingress without an address, for one.
    package var isOptional: Bool

    package init(_ state: State, _ reason: String, _ message: String, isOptional: Bool = false) {
        self.state = state
        self.reason = reason
        self.message = message
        self.isOptional = isOptional
    }

    static func current(_ message: String = "as asked", _ reason: String = "Current") -> Health {
        Health(.current, reason, message)
    }

    static func inProgress(_ reason: String, _ message: String) -> Health { Health(.inProgress, reason, message) }
    static func failed(_ reason: String, _ message: String) -> Health { Health(.failed, reason, message) }

    /// Whether nothing more is awaited of the object. What somebody paused is waited for by nobody.
    package var isSettled: Bool { state == .current || state == .suspended }
}

extension Health {
    /// What an object's health may depend on beside the object itself.
    package struct Surroundings: Sendable {
        package var now: Timestamp
        /// Storage classes by name, where they could be read.
        package var storageClasses: [String: KubeObject]
        /// Names of the claims that pods of the same namespace mount.
        package var mountedClaims: Set<String>

        package init(now: Timestamp, storageClasses: [String: KubeObject] = [:], mountedClaims: Set<String> = []) {
            self.now = now
            self.storageClasses = storageClasses
            self.mountedClaims = mountedClaims
        }
    }

    /// The health of any object.
    ///
    /// The order is that of kstatus: deletion, the generation that was observed, the standard conditions `Reconciling` and
    /// `Stalled`, then the rule of the kind, then what custom resources have in common. An object that says nothing about
    /// itself is current.
    package static func of(_ object: KubeObject, in surroundings: Surroundings) -> Health {
        if object.isTerminating { return deletion(of: object) }
        if let common = ConditionHealth.common(object) { return common }
        if let rule = KindHealth.rules[KindHealth.key(of: object)] { return rule(object, surroundings) }
        return CustomHealth.of(object) ?? ConditionHealth.ready(object)
            ?? .current("it reports no condition to wait for")
    }

    private static func deletion(of object: KubeObject) -> Health {
        let holders = object.finalizers
        let tail = holders.isEmpty ? "" : "; waiting for \(holders.joined(separator: ", "))"
        return Health(.terminating, "Terminating", "it is being deleted\(tail)")
    }
}
