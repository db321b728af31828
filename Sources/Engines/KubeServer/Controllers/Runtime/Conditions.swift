// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A condition of an object's status, such as `Available=True`.
struct Condition: Sendable, Equatable {
    var type: String
    var status: String
    var reason: String
    var message: String

    init(_ type: String, _ status: String, _ reason: String, _ message: String) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
    }

    /// As JSON; `updated` is `lastUpdateTime`, which only some kinds carry.
    func json(since transition: Timestamp, updated: Timestamp? = nil, probed: Timestamp? = nil) -> JSON {
        var json: JSON = ["type": .string(type), "status": .string(status)]
        if let probed { json["lastProbeTime"] = .string(probed.description) }
        if let updated { json["lastUpdateTime"] = .string(updated.description) }
        json["lastTransitionTime"] = .string(transition.description)
        if !reason.isEmpty { json["reason"] = .string(reason) }
        if !message.isEmpty { json["message"] = .string(message) }
        return json
    }
}

/// The list of conditions in a status.
struct ConditionList: Sendable {
    private(set) var items: [JSON]

    init(_ status: JSON) { items = status["conditions"]?.array ?? [] }

    subscript(_ type: String) -> JSON? { items.first { $0["type"]?.string == type } }

    mutating func remove(_ type: String) { items.removeAll { $0["type"]?.string == type } }

    /// Replaces the condition of that type, or appends it.
    mutating func put(_ condition: JSON) {
        let type = condition["type"]?.string ?? ""
        remove(type)
        items.append(condition)
    }

    /// Replaces the condition of that type where it stands, or appends it.
    mutating func replace(_ condition: JSON) {
        let type = condition["type"]?.string
        if let place = items.firstIndex(where: { $0["type"]?.string == type }) {
            items[place] = condition
        } else {
            items.append(condition)
        }
    }

    /// Sets it unless status and reason are as they were; the time of transition changes with the status only.
    mutating func set(_ condition: Condition, at now: Timestamp, hasUpdateTime: Bool) {
        let current = self[condition.type]
        let isSameStatus = current?["status"]?.string == condition.status
        guard !isSameStatus || current?["reason"]?.string ?? "" != condition.reason else { return }
        let since = isSameStatus ? current?["lastTransitionTime"]?.string.flatMap { Timestamp($0) } ?? now : now
        put(condition.json(since: since, updated: hasUpdateTime ? now : nil))
    }

    /// The list, or nothing where it is empty.
    var json: JSON? { items.isEmpty ? JSON?.none : .array(items) }
}
