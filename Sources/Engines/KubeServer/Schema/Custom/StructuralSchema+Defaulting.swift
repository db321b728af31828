// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension StructuralSchema {
    /// Fills in defaults, outer ones first, so that a default object gets its own members' defaults too. A `null` where
    /// none is allowed counts as absent. Doing it twice changes nothing.
    func setDefaults(_ value: inout JSON) {
        switch value {
        case .object(var members):
            value = .null  // gives up the second reference, so that the writes below happen in place
            setDefaults(&members)
            value = .object(members)
        case .array(var elements):
            guard let items, items.touches else { return }
            value = .null
            for place in elements.indices {
                if elements[place].isNull, !items.isNullable, let fallback = items.defaultValue {
                    elements[place] = fallback
                }
                items.setDefaults(&elements[place])
            }
            value = .array(elements)
        default: break
        }
    }

    private func setDefaults(_ members: inout JSONObject) {
        for (name, schema) in properties {
            if members[name] == JSON.null, !schema.isNullable { members[name] = JSON?.none }
            if members[name] == nil, let fallback = schema.defaultValue { members[name] = fallback.sortedByKey }
            guard schema.touches, var member = members[name] else { continue }
            members[name] = .null
            schema.setDefaults(&member)
            members[name] = member
        }
        guard let other = additionalProperties.schema, other.touches else { return }
        for key in members.keys where property(key) == nil {
            guard var member = members[key] else { continue }
            if member.isNull, !other.isNullable, let fallback = other.defaultValue { member = fallback }
            other.setDefaults(&member)
            members[key] = member
        }
    }

    /// Whether a value of this schema can hold something to fill in; plain values cannot.
    private var touches: Bool { !properties.isEmpty || items != nil || additionalProperties.schema != nil }
}
