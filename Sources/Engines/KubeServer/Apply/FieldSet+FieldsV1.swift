// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

// FieldsV1: the JSON form of field sets in `metadata.managedFields`.
extension FieldSet {
    /// Reads a FieldsV1 object.
    init(fieldsV1 json: JSON) throws(FieldSetError) {
        guard let object = json.object else {
            guard json.isNull else { throw FieldSetError(text: "expected an object, got \(json.goKind)") }
            self.init()
            return
        }
        self.init()
        _ = try read(object)
    }

    /// Takes up the members of an object; answers whether the node itself is a member.
    private mutating func read(_ object: JSONObject) throws(FieldSetError) -> Bool {
        var isMember = false
        for (key, value) in object {
            if key == "." {
                isMember = true
                continue
            }
            guard let element = try PathElement(fieldsV1: key) else { continue }
            var below = FieldSet()
            switch value {
            case .object(let members): if try below.read(members) { insert(element) }
            case .null: insert(element)
            default: throw FieldSetError(text: "expected an object below \(key), got \(value.goKind)")
            }
            add(below, below: element)
        }
        return isMember || isEmpty
    }

    var fieldsV1: JSON { .object(members(isMember: false)) }

    private func members(isMember: Bool) -> JSONObject {
        var object = JSONObject(capacity: members.count + children.count + 1)
        if isMember { object.appendUnique(".", [:]) }
        var (one, two) = (0, 0)
        while one < members.count || two < children.count {
            if two >= children.count || (one < members.count && members[one] < children[two].element) {
                object.appendUnique(members[one].fieldsV1, [:])
                one += 1
            } else {
                let child = children[two]
                let owned = one < members.count && members[one] == child.element
                object.appendUnique(child.element.fieldsV1, .object(child.set.members(isMember: owned)))
                two += 1
                if owned { one += 1 }
            }
        }
        return object
    }
}
