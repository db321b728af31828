// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Objects as the real server prints its own types in memory.
///
/// Some of its refusals quote a part of an object that way: under the names of the program's fields, in their order, and
/// with everything that is not set.
struct InternalForm: Sendable {
    private indirect enum Shape: Sendable {
        case text, number, flag, quantity, numberOrText, map, asInAPI
        case nullable(Shape)
        case list(Shape)
        case object(String)
    }

    private struct Field: Sendable {
        var name: String
        var member: String
        var shape: Shape
    }

    private static let types: [String: [Field]] = parse(internalTypeText)

    /// `json` as the type of that name prints itself.
    static func value(_ json: JSON?, as type: String) -> JSON {
        var source = json ?? .null
        if type == "PodSpec" { gatherHostMembers(&source) }
        return shown(source, .object(type))
    }

    /// A pod template: the members of its metadata stand beside its spec.
    static func template(_ json: JSON?) -> JSON {
        var object = json?["metadata"]?.object ?? [:]
        object["Spec"] = value(json?["spec"], as: "PodSpec")
        return .object(object)
    }

    /// A list of such values.
    static func list(_ json: JSON?, of type: String) -> JSON { shown(json ?? .null, .list(.object(type))) }

    private static func shown(_ json: JSON, _ shape: Shape) -> JSON {
        switch shape {
        case .text: json.isNull ? "" : json
        case .number: json.isNull ? 0 : json
        case .flag: json.isNull ? false : json
        case .quantity: json.isNull ? "0" : json
        case .numberOrText: json.isNull ? 0 : json
        case .map, .asInAPI: json
        case .nullable(let inner): json.isNull ? .null : shown(json, inner)
        case .list(let element): json.array.map { .array($0.map { shown($0, element) }) } ?? .null
        case .object(let name):
            .object(JSONObject((types[name] ?? []).map { ($0.name, shown(json[$0.member] ?? .null, $0.shape)) }))
        }
    }

    /// What of the host a pod uses lies in its security context there.
    private static func gatherHostMembers(_ spec: inout JSON) {
        for member in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"] {
            guard let value = spec[member] else { continue }
            spec.set(value, at: ["securityContext", member])
        }
    }

    // MARK: - The table

    private static func parse(_ text: String) -> [String: [Field]] {
        var types: [String: [Field]] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "|")
            types[String(parts[0])] = parts.dropFirst().map { field(String($0)) }
        }
        return types
    }

    private static func field(_ text: String) -> Field {
        let words = text.split(separator: " ")
        let names = words[0].split(separator: "=")
        let name = String(names[0])
        return Field(
            name: name,
            member: names.count > 1 ? String(names[1]) : memberName(name),
            shape: words.count > 1 ? shape(words[1]) : .text
        )
    }

    private static func shape(_ text: Substring) -> Shape {
        switch text.first {
        case "*": .nullable(shape(text.dropFirst()))
        case "[": .list(shape(text.dropFirst()))
        case "s": .text
        case "i": .number
        case "b": .flag
        case "q": .quantity
        case "p": .numberOrText
        case "{": .map
        case "=": .asInAPI
        default: .object(String(text))
        }
    }

    /// `DNSPolicy` is `dnsPolicy`, `OS` is `os`, `HostIP` is `hostIP`.
    private static func memberName(_ name: String) -> String {
        let capitals = name.prefix { $0.isUppercase }
        let count = capitals.count == name.count || capitals.count <= 1 ? capitals.count : capitals.count - 1
        return name.prefix(count).lowercased() + name.dropFirst(count)
    }
}

extension JSON {
    /// The value as Go prints it over several lines, each level set in by one space.
    var indentedLines: [String] {
        var lines: [String] = [""]
        write(into: &lines, depth: 0)
        return lines
    }

    private func write(into lines: inout [String], depth: Int) {
        let inner = String(repeating: " ", count: depth + 1)
        let outer = String(repeating: " ", count: depth)
        switch self {
        case .array(let elements) where !elements.isEmpty:
            lines[lines.count - 1] += "["
            for (place, element) in elements.enumerated() {
                lines.append(inner)
                element.write(into: &lines, depth: depth + 1)
                if place < elements.count - 1 { lines[lines.count - 1] += "," }
            }
            lines.append(outer + "]")
        case .object(let members) where !members.isEmpty:
            lines[lines.count - 1] += "{"
            for (place, member) in members.enumerated() {
                lines.append("\(inner)\(JSON.string(member.key).goJSONText): ")
                member.value.write(into: &lines, depth: depth + 1)
                if place < members.count - 1 { lines[lines.count - 1] += "," }
            }
            lines.append(outer + "}")
        default: lines[lines.count - 1] += goJSONText
        }
    }

    /// Go writes some characters of JSON so that they may stand in a web page.
    private var goJSONText: String {
        text.replacing("<", with: "\\u003c").replacing(">", with: "\\u003e").replacing("&", with: "\\u0026")
    }
}
