// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What became of a release in one of its clusters.
package struct ClusterResult: Sendable, Hashable {
    package enum Phase: String, Sendable, CaseIterable {
        case pending = "Pending"
        /// A share of the pods is of the new revision.
        case canary = "Canary"
        /// Objects are being written.
        case changing = "Changing"
        /// The new pods are awaited.
        case waiting = "Waiting"
        case verifying = "Verifying"
        case succeeded = "Succeeded"
        case failed = "Failed"
        /// It did not answer, and the app's policy is to go on without it.
        case skipped = "Skipped"
        /// The release ended before or in it; it may be changed.
        case stopped = "Stopped"
        case undone = "RolledBack"
        /// It has to be put back, and could not be so far.
        case owing = "RollbackFailed"
        /// There was no earlier release to go back to, or the newer one goes on with it.
        case left = "Left"

        /// Whether the cluster may hold something of the release that somebody has to finish or put back.
        var isOpen: Bool {
            switch self {
            case .canary, .changing, .waiting, .verifying, .succeeded, .failed, .stopped, .owing: true
            case .pending, .skipped, .undone, .left: false
            }
        }
    }

    package var cluster: ClusterName
    /// From 1.
    package var wave: Int
    package var phase = Phase.pending
    /// Why, for a person.
    package var message = ""
    /// Whether anything of the release was written there.
    package var isTouched = false
    package var changes: [String] = []
    package var started: Timestamp?
    package var ended: Timestamp?
    /// The release that it was put back to.
    package var undoneTo: Int?

    package init(_ cluster: ClusterName, wave: Int) {
        self.cluster = cluster
        self.wave = wave
    }

    /// Whether something of the release may be left there to finish or to put back.
    var isOpen: Bool { isTouched && phase.isOpen }
}

extension ClusterResult {
    init?(_ json: JSON) {
        guard let name = json["name"]?.string, let wave = json["wave"]?.int,
            let phase = json["phase"]?.string.flatMap(Phase.init(rawValue:))
        else { return nil }
        self.init(ClusterName(name), wave: wave)
        self.phase = phase
        message = json["message"]?.string ?? ""
        isTouched = json["touched"]?.bool ?? false
        changes = json["changes"]?.array?.compactMap(\.string) ?? []
        started = json["started"]?.string.flatMap { Timestamp($0) }
        ended = json["ended"]?.string.flatMap { Timestamp($0) }
        undoneTo = json["rolledBackTo"]?.int
    }

    var json: JSON {
        var json: JSON = [
            "name": .string(cluster.text), "wave": JSON(wave), "phase": .string(phase.rawValue),
            "touched": .bool(isTouched),
        ]
        if !message.isEmpty { json["message"] = .string(message) }
        if !changes.isEmpty { json["changes"] = .array(changes.prefix(100).map { .string($0) }) }
        if let started { json["started"] = .string(started.microText) }
        if let ended { json["ended"] = .string(ended.microText) }
        if let undoneTo { json["rolledBackTo"] = JSON(undoneTo) }
        return json
    }
}
