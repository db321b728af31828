// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension Shape {
    /// Everything that is wrong with `value`, in the order of the file.
    package func complaints(about value: YAMLValue, in file: String) -> [Complaint] {
        var checker = ShapeChecker(file: file)
        checker.check(value, self, at: "")
        return checker.complaints
    }
}

/// Walks a value beside its shape and collects what does not fit.
private struct ShapeChecker {
    let file: String
    var complaints: [Complaint] = []

    mutating func complain(_ line: Int, _ key: String, _ message: String) {
        complaints.append(Complaint(file: file, line: line, key: key, message: message))
    }

    mutating func check(_ value: YAMLValue, _ shape: Shape, at key: String) {
        switch (shape, value.content) {
        case (.any, _): return
        case (.text(let rule), .scalar(.string(let text))): checkText(text, rule, value.line, key)
        case (.integer(let range), .scalar(.number(let number))):
            guard let whole = number.int, range.contains(whole) else {
                return complain(value.line, key, "\(number.text) is not a whole number from \(range.spelled)")
            }
        case (.boolean, .scalar(.bool)): return
        case (.scalar, .scalar(.string)), (.scalar, .scalar(.number)), (.scalar, .scalar(.bool)): return
        case (.quantity, .scalar(.string(let text))):
            if Quantity(text) == nil { complain(value.line, key, "'\(text)' is not a quantity like 250m, 64Mi or 1Gi") }
        case (.quantity, .scalar(.number)): return
        case (.list(let element, let minimum), .sequence(let elements)):
            if elements.count < minimum { complain(value.line, key, "needs at least \(minimum) entry") }
            for (place, each) in elements.enumerated() { check(each, element, at: "\(key)[\(place)]") }
        case (.map(let element, let keys), .mapping(let members)):
            for member in members {
                checkText(member.key, keys, member.line, Self.join(key, member.key))
                check(member.value, element, at: Self.join(key, member.key))
            }
        case (.object(let object), .mapping(let members)): checkObject(members, object, value.line, key)
        case (.either(let shapes), _): checkEither(value, shapes, key)
        default: complainAboutKind(value, [shape], key)
        }
    }

    /// The value is of another kind than any of the shapes.
    private mutating func complainAboutKind(_ value: YAMLValue, _ shapes: [Shape], _ key: String) {
        let wanted = shapes.map(\.meaning).joined(separator: " or ")
        guard case .scalar(let scalar) = value.content else {
            return complain(value.line, key, "expected \(wanted), found \(value.meaning)")
        }
        if scalar.isNull {
            let isText = shapes.contains { if case .scalar = $0 { true } else { false } }
            let advice = isText ? "write \"\" for an empty text" : "check the indentation, or remove the key"
            return complain(value.line, key, "is empty: expected \(wanted); \(advice)")
        }
        let takesText = shapes.contains { if case .text = $0 { true } else { false } }
        let isText = scalar.string != nil
        let advice = takesText && !isText ? " (quote it: \"\(value.written ?? "")\")" : ""
        complain(value.line, key, "expected \(wanted), found \(value.meaning)\(advice)")
    }

    private mutating func checkText(_ text: String, _ rule: Shape.Text, _ line: Int, _ key: String) {
        if !rule.choices.isEmpty, !rule.choices.contains(text) {
            guard rule.choices.count > 1 else { return complain(line, key, "'\(text)' is not '\(rule.choices[0])'") }
            let hint = NearestName.hint(for: text, among: rule.choices)
            return complain(line, key, "'\(text)' is not known\(hint)")
        }
        if !rule.check(text) { complain(line, key, "'\(text)' is not \(rule.meaning)") }
    }

    private mutating func checkObject(
        _ members: [YAMLValue.Member],
        _ object: Shape.Object,
        _ line: Int,
        _ key: String
    ) {
        for member in members {
            guard let field = object.fields.first(where: { $0.name == member.key }) else {
                let hint = NearestName.hint(for: member.key, among: object.fields.map(\.name))
                complain(member.line, Self.join(key, member.key), "unknown key '\(member.key)'\(hint)")
                continue
            }
            check(member.value, field.shape, at: Self.join(key, member.key))
        }
        let names = Set(members.map(\.key))
        for field in object.fields where field.isRequired && !names.contains(field.name) {
            complain(line, Self.join(key, field.name), "is missing (\(field.note))")
        }
        let given = object.exactlyOne.filter(names.contains)
        if !object.exactlyOne.isEmpty, given.count != 1 {
            let list = object.exactlyOne.map { "'\($0)'" }.joined(separator: " or ")
            complain(line, key, given.isEmpty ? "needs \(list)" : "takes only one of \(list)")
        }
    }

    private mutating func checkEither(_ value: YAMLValue, _ shapes: [Shape], _ key: String) {
        var attempts: [[Complaint]] = []
        for shape in shapes where shape.accepts(value) {
            var attempt = ShapeChecker(file: file)
            attempt.check(value, shape, at: key)
            if attempt.complaints.isEmpty { return }
            attempts.append(attempt.complaints)
        }
        // The attempt with the fewest complaints is the likeliest intent.
        if let closest = attempts.min(by: { $0.count < $1.count }) {
            complaints += closest
        } else {
            complainAboutKind(value, shapes, key)
        }
    }

    private static func join(_ key: String, _ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }
}

extension Shape {
    /// Whether the kind of value fits, whatever is inside.
    func accepts(_ value: YAMLValue) -> Bool {
        switch (self, value.content) {
        case (.any, _), (.text, .scalar(.string)), (.integer, .scalar(.number)), (.boolean, .scalar(.bool)),
            (.quantity, .scalar(.string)), (.quantity, .scalar(.number)), (.list, .sequence), (.map, .mapping),
            (.object, .mapping), (.scalar, .scalar(.string)), (.scalar, .scalar(.number)), (.scalar, .scalar(.bool)):
            true
        case (.either(let shapes), _): shapes.contains { $0.accepts(value) }
        default: false
        }
    }

    fileprivate var meaning: String {
        switch self {
        case .text(let rule): rule.meaning
        case .integer(let range): "a whole number from \(range.spelled)"
        case .boolean: "true or false"
        case .scalar: "text"
        case .quantity: "a quantity"
        case .list: "a list"
        case .map, .object: "a mapping"
        case .either(let shapes): shapes.map(\.meaning).joined(separator: " or ")
        case .any: "anything"
        }
    }
}

extension ClosedRange<Int> {
    fileprivate var spelled: String { "\(lowerBound) to \(upperBound)" }
}

extension YAMLValue {
    fileprivate var meaning: String {
        switch content {
        case .scalar(.null): "nothing"
        case .scalar(.bool(let flag)): "\(flag)"
        case .scalar(.number(let number)): "the number \(number.text)"
        case .scalar(let value): "'\(value.string ?? "")'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
