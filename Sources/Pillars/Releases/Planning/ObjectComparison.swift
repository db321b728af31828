// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// How one stored object stands to what is wanted of it.
enum ObjectComparison: Sendable, Hashable {
    case same, gone
    /// It is not what was released: it belongs to somebody else, or is being deleted.
    case foreign(String)
    /// What applying it again would change; `by` are those who own contested fields now.
    case differs([FieldChange], by: [String])
    case unknown(String)

    /// One line each, for people: what is found, and what was released.
    func lines(of reference: ObjectReference) -> [String] {
        switch self {
        case .same: []
        case .gone: ["\(reference.words) is gone"]
        case .foreign(let why): ["\(reference.words) \(why)"]
        case .differs(let fields, let managers):
            fields.map {
                "\(reference.words) \($0.words)" + (managers.isEmpty ? "" : " (by \(managers.joined(separator: ", ")))")
            }
        case .unknown(let why): ["\(reference.words) cannot be compared: \(why)"]
        }
    }
}

extension ObjectPlanner {
    /// Compares what is stored with what is wanted, by the server's own judgement where ours is not sure. Changes nothing.
    ///
    /// Throws only where the cluster does not answer.
    func compare(_ desired: DesiredObject, with live: LiveObjects) async throws -> ObjectComparison {
        guard let stored = live[desired.reference] else { return .gone }
        if stored.isTerminating { return .foreign("is being deleted") }
        if refusal(of: stored, desired) != nil {
            return .foreign("belongs to \(ObjectOwner.stranger(of: stored) ?? ObjectOwner.unknown)")
        }
        do {
            let planned = try await plan(desired, over: stored)
            guard !planned.fields.isEmpty else { return .same }
            var managers: [String] = []
            for conflict in planned.takenOver where !managers.contains(conflict.manager) {
                managers.append(conflict.manager)
            }
            return .differs(planned.fields, by: managers)
        } catch let failure as Failure where ![.unavailable, .deadlineExceeded].contains(failure.code) {
            return .unknown(failure.message)
        }
    }
}
