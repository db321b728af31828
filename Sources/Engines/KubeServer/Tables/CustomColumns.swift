// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The columns that a CustomResourceDefinition asks for.
struct CustomColumns: TableColumns {
    let columns: [TableColumn]
    private let paths: [JSONPath?]

    init(_ definitions: [JSON]?) {
        let fallback: [JSON] = [["name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"]]
        let definitions = definitions.flatMap { $0.isEmpty ? nil : $0 } ?? fallback
        paths = definitions.map { JSONPath($0["jsonPath"]?.string ?? "") }
        columns =
            [.name]
            + definitions.map { definition in
                let path = definition["jsonPath"]?.string ?? ""
                let given = definition["description"]?.string ?? ""
                return TableColumn(
                    name: definition["name"]?.string ?? "",
                    type: definition["type"]?.string ?? "string",
                    format: definition["format"]?.string ?? "",
                    priority: definition["priority"]?.int ?? 0,
                    description: given.isEmpty
                        ? "Custom resource definition column (in JSONPath format): \(path)" : given
                )
            }
    }

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object)]
            + zip(columns.dropFirst(), paths).map { column, path in
                cell(path?.values(in: object) ?? [], column.type, now)
            }
    }

    private func cell(_ found: [JSON], _ type: String, _ now: Timestamp) -> JSON {
        guard let first = found.first else { return .null }
        switch type {
        case "integer": return first.double.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { JSON($0) } ?? .null
        case "number": return first.double == nil ? .null : first
        case "boolean": return first.bool.map { .bool($0) } ?? .null
        case "date":
            guard let text = first.string else { return .null }
            return .string(Timestamp(text) == nil ? "<invalid>" : Age.since(first, now))
        default:
            let text = found.map { SelectableFields.text($0).isEmpty ? $0.text : SelectableFields.text($0) }
            if found.count == 1, case .string(let only) = first { return .string(only) }
            return .string(text.joined(separator: ","))
        }
    }
}

/// The part of JSONPath that printer columns may use: members, `[n]`, `[*]`, `['name']` and `[?(@.a=="b")]`.
struct JSONPath: Sendable {
    private enum Step: Sendable {
        case member(String)
        case index(Int)
        case every
        case matching(path: [String], value: JSON)
    }

    private let steps: [Step]

    /// `nil` where the text is none.
    init?(_ text: String) {
        var rest = Substring(text)
        var steps: [Step] = []
        while let first = rest.first {
            switch first {
            case ".":
                rest.removeFirst()
                let name = rest.prefix { $0 != "." && $0 != "[" }
                rest = rest.dropFirst(name.count)
                guard !name.isEmpty else {
                    guard rest.first == "[" || rest.isEmpty else { return nil }
                    continue
                }
                steps.append(name == "*" ? .every : .member(String(name)))
            case "[":
                guard let end = Self.closing(rest),
                    let step = Self.bracket(String(rest[rest.index(after: rest.startIndex)..<end]))
                else { return nil }
                steps.append(step)
                rest = rest[rest.index(after: end)...]
            default: return nil
            }
        }
        self.steps = steps
    }

    /// The bracket that closes the first one, outside quotes.
    private static func closing(_ text: Substring) -> String.Index? {
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if character == "]" {
                return index
            }
        }
        return nil
    }

    private static func bracket(_ text: String) -> Step? {
        if text == "*" { return .every }
        if let index = Int(text) { return .index(index) }
        if text.count > 1, let first = text.first, first == text.last, first == "'" || first == "\"" {
            return .member(String(text.dropFirst().dropLast()))
        }
        guard text.hasPrefix("?("), text.hasSuffix(")") else { return nil }
        let condition = text.dropFirst(2).dropLast()
        guard let equals = condition.firstRange(of: "==") else { return nil }
        let left = condition[..<equals.lowerBound].filter { !$0.isWhitespace }
        let right = condition[equals.upperBound...].drop { $0.isWhitespace }
        guard left.hasPrefix("@.") else { return nil }
        let path = left.dropFirst(2).split(separator: ".").map(String.init)
        let text = String(right)
        if let first = text.first, first == "'" || first == "\"" {
            return .matching(path: path, value: .string(text.filter { $0 != first }))
        }
        return (try? JSON(parsing: text)).map { .matching(path: path, value: $0) }
    }

    func values(in object: JSON) -> [JSON] {
        steps.reduce([object]) { values, step in values.flatMap { Self.follow(step, $0) } }.filter { !$0.isNull }
    }

    private static func follow(_ step: Step, _ value: JSON) -> [JSON] {
        switch step {
        case .member(let name): return value[name].map { [$0] } ?? []
        case .index(let index):
            guard let elements = value.array else { return [] }
            let place = index < 0 ? elements.count + index : index
            return elements.indices.contains(place) ? [elements[place]] : []
        case .every: return value.array ?? value.object.map { $0.map(\.value) } ?? []
        case .matching(let path, let wanted): return (value.array ?? []).filter { $0[path: path] == wanted }
        }
    }
}
