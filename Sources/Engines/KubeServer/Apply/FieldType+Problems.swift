// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension FieldType {
    /// Why an applied value does not fit this type, as the real server says it.
    func problems(_ value: JSON, at path: String = "") -> [String] {
        guard !value.isNull else { return [] }
        let atom = atom
        func problem(_ text: String) -> [String] { [path.isEmpty ? text : "\(path): \(text)"] }
        switch value {
        case .object(let members):
            if let map = atom.map { return memberProblems(members, map, path) }
        case .array(let elements):
            if let list = atom.list { return elementProblems(elements, list, path) }
        default: if let scalar = atom.scalar, scalar.admits(value) { return [] }
        }
        let shown = Self.goValue(value)
        if let scalar = atom.scalar {
            switch scalar {
            case .numeric: return problem("expected numeric (int or float), got \(Self.goType(value))")
            case .string: return problem("expected string, got &value.valueUnstructured{Value:\(Self.goSyntax(value))}")
            case .boolean: return problem("expected boolean, got &{\(shown)}")
            case .any: return problem("expected any scalar, got &{\(shown)}")
            }
        }
        return problem("expected \(atom.list == nil ? "map" : "list"), got &{\(shown)}")
    }

    private func memberProblems(_ members: JSONObject, _ map: MapAtom, _ path: String) -> [String] {
        var problems: [String] = []
        for (name, value) in members {
            let place = "\(path).\(name)"
            guard let type = map.member(name)?.type else {
                return problems + ["\(place): field not declared in schema"]
            }
            problems += type.problems(value, at: place)
        }
        return problems
    }

    private func elementProblems(_ elements: [JSON], _ list: ListAtom, _ path: String) -> [String] {
        var problems: [String] = []
        var seen: Set<PathElement> = []
        for (place, value) in elements.enumerated() {
            guard list.kind != .atomic else {
                problems += list.element.problems(value, at: "\(path)[\(place)]")
                continue
            }
            guard let element = list.pathElement(value) else {
                return problems + ["\(path): element \(place): \(Self.keyProblem(value, list))"]
            }
            guard seen.insert(element).inserted else {
                return problems + ["\(path): duplicate entries for key \(element.shown)"]
            }
            problems += list.element.problems(value, at: path + element.shown)
        }
        return problems
    }

    private static func keyProblem(_ value: JSON, _ list: ListAtom) -> String {
        guard case .keyed(let names) = list.kind else {
            switch value {
            case .object: return "associative list without keys has an element that's a map type"
            case .null: return "associative list without keys has an element that's an explicit null"
            default: return "not supported: associative list with lists as elements"
            }
        }
        if value.isNull { return "associative list with keys may not have a null element" }
        guard value.object != nil else { return "associative list with keys may not have non-map elements" }
        let keys = names.map { FieldErrors.quoted($0) }.joined(separator: " ")
        return
            "associative list with keys has an element that omits all key fields [\(keys)] (and doesn't have default "
            + "values for any key fields)"
    }

    private static func goType(_ value: JSON) -> String {
        switch value {
        case .string: "string"
        case .bool: "bool"
        case .object: "map[string]interface {}"
        case .array: "[]interface {}"
        case .number(let number): number.isInteger ? "int64" : "float64"
        case .null: "nil"
        }
    }

    private static func goValue(_ value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .array(let elements): "[\(elements.map(goValue).joined(separator: " "))]"
        case .object(let members):
            "map[\(members.sorted { ByteOrder.precedes($0.key, $1.key) }.map { "\($0.key):\(goValue($0.value))" }.joined(separator: " "))]"
        case .null: "<nil>"
        default: value.text
        }
    }

    private static func goSyntax(_ value: JSON) -> String {
        switch value {
        case .string(let text): FieldErrors.quoted(text)
        case .array(let elements): "[]interface {}{\(elements.map(goSyntax).joined(separator: ", "))}"
        case .object(let members):
            "map[string]interface {}{\(members.sorted { ByteOrder.precedes($0.key, $1.key) }.map { "\(FieldErrors.quoted($0.key)):\(goSyntax($0.value))" }.joined(separator: ", "))}"
        case .null: "interface {}(nil)"
        default: value.text
        }
    }
}

extension FieldType.Scalar {
    func admits(_ value: JSON) -> Bool {
        switch (self, value) {
        case (.any, _), (.numeric, .number), (.string, .string), (.boolean, .bool): true
        default: false
        }
    }
}
