// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a release would do to one object.
struct PlannedObject: Sendable {
    enum Action: String, Sendable {
        case create, change
        /// Only who owns its fields changes.
        case own
        case none
    }

    var desired: DesiredObject
    var live: KubeObject?
    var action: Action
    var fields: [FieldChange] = []
    /// Fields of others that the release may not take over: then it must not be applied.
    var conflicts: [FieldConflict] = []
    /// Fields of others that the release takes over.
    var takenOver: [FieldConflict] = []
    /// It is applied whoever owns its fields.
    var isForced = false
    /// Makes earlier plain writes ours, before anything is applied.
    var upgrade: JSON?
    /// A person handed the object over.
    var isAdopted = false
    /// The server has said what would come of it; else it is what the files say.
    var isChecked = false
    var notes: [String] = []

    var reference: ObjectReference { desired.reference }

    init(_ desired: DesiredObject, live: KubeObject?, _ action: Action) {
        self.desired = desired
        self.live = live
        self.action = action
    }

    /// For people and for the record: one line each.
    var changes: [String] {
        switch action {
        case .create: ["created \(reference.words)"]
        case .change: fields.map { "\(reference.words) \($0.words)" }
        case .own, .none: []
        }
    }

    /// Why the release must not go on; `nil` where it may.
    var refusal: Failure? {
        guard !conflicts.isEmpty else { return nil }
        let fields = conflicts.map { "  \($0.words)" }.joined(separator: "\n")
        let count =
            conflicts.count == 1
            ? "a field of the \(reference.words) belongs" : "fields of the \(reference.words) belong"
        let take = "--take \(reference.type.kind.lowercased())/\(reference.name):\(conflicts[0].field)"
        return Failure(
            .conflict,
            "\(count) to somebody else (\(desired.place)):\n\(fields)\nleave it out of the app to let them keep it, or take it over with '\(take)' or '--take all'"
        )
    }
}
