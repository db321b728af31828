// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension StructuralSchema {
    /// Elements of lists declared as sets, and keys of lists declared as maps, must be different from each other.
    func checkLists(_ value: JSON, at path: String, _ errors: inout FieldErrors) {
        switch value {
        case .object(let members):
            for (key, member) in members {
                if let schema = property(key) {
                    schema.checkLists(member, at: path.isEmpty ? key : "\(path).\(key)", &errors)
                } else if let schema = additionalProperties.schema {
                    schema.checkLists(member, at: "\(path)[\(key)]", &errors)
                }
            }
        case .array(let elements):
            checkUnique(elements, at: path, &errors)
            guard let items else { return }
            for (place, element) in elements.enumerated() {
                items.checkLists(element, at: "\(path)[\(place)]", &errors)
            }
        default: break
        }
    }

    private func checkUnique(_ elements: [JSON], at path: String, _ errors: inout FieldErrors) {
        switch listType {
        case .set: reportRepeated(elements, at: path, &errors)
        case .map:
            for (place, element) in elements.enumerated() where element.object == nil && !element.isNull {
                errors.invalid("\(path)[\(place)]", element, "must be an object for an array of list-type map")
                return
            }
            reportRepeated(elements.map { key(of: $0) }, at: path, &errors)
        case .atomic, nil: break
        }
    }

    private func key(of element: JSON) -> JSON {
        var key: JSONObject = [:]
        for name in listMapKeys { if let value = element[name] { key[name] = value } }
        return .object(key)
    }

    /// The second of equal values is reported, further ones are not.
    private func reportRepeated(_ values: [JSON], at path: String, _ errors: inout FieldErrors) {
        var counts: [JSON: Int] = [:]
        for (place, value) in values.enumerated() {
            counts[value, default: 0] += 1
            if counts[value] == 2 { errors.duplicate("\(path)[\(place)]", value) }
        }
    }
}
