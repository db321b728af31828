// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import Yams

/// A value of a YAML document that remembers where it stands.
package struct YAMLValue: Sendable {
    package indirect enum Content: Sendable {
        case scalar(JSON)
        case sequence([YAMLValue])
        case mapping([Member])
    }

    package struct Member: Sendable {
        package var key: String
        /// Of the key, from 1.
        package var line: Int
        package var value: YAMLValue
    }

    package var content: Content
    /// From 1.
    package var line: Int
    /// A scalar's text as it stands in the file, where that differs from its value: `0x10`, `1.10`, `True`.
    package var written: String?

    /// The member of that name.
    package subscript(_ key: String) -> YAMLValue? {
        guard case .mapping(let members) = content else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var json: JSON {
        switch content {
        case .scalar(let value): value
        case .sequence(let elements): .array(elements.map(\.json))
        case .mapping(let members): .object(JSONObject(members.map { ($0.key, $0.value.json) }))
        }
    }
}

extension YAMLValue {
    /// The line of the key at a path such as `spec.routes[0].auth`, or of the nearest of its parents that is there.
    package func line(of path: String) -> Int {
        var (value, line) = (self, self.line)
        for part in path.split(whereSeparator: { $0 == "." || $0 == "[" || $0 == "]" }).map(String.init) {
            switch value.content {
            case .mapping(let members):
                guard let member = members.first(where: { $0.key == part }) else { return line }
                (value, line) = (member.value, member.line)
            case .sequence(let elements):
                guard let place = Int(part), elements.indices.contains(place) else { return line }
                (value, line) = (elements[place], elements[place].line)
            case .scalar: return line
            }
        }
        return line
    }
}

/// Why a text is no YAML, and where.
package struct YAMLError: Error, Sendable, CustomStringConvertible {
    /// From 1.
    package var line: Int
    package var message: String
    /// Where a key stands that is given again later.
    var repeated: RepeatedKey?
    /// As Go's parser puts it, which says less of the place: `line 2: did not find expected key`.
    package var plainProblem: String?

    package var description: String { "line \(line): \(message)" }
}

/// What plain scalars stand for.
package enum YAMLDialect: Sendable {
    /// YAML 1.2's core schema: only `true` and `false` are booleans.
    case core
    /// As the Kubernetes API reads request bodies: the booleans of YAML 1.1 (`y`, `yes`, `on` and their opposites, as keys
    /// too), octal numbers with a leading zero, `_` between digits.
    case kubernetes
}

/// Reads YAML with line numbers.
package enum YAMLDocument {
    /// An alias bomb must not fill the memory: so many values at most, aliases counted each time.
    private static let nodeLimit = 200_000
    /// The parser below recurses: a small file must not overflow the stack of the thread that reads it.
    private static let depthLimit = 100
    private static let indentLimit = 400

    /// The documents of a stream separated by `---`; empty ones are left out.
    package static func parseAll(_ text: String, as dialect: YAMLDialect = .core) throws(YAMLError) -> [YAMLValue] {
        try checkDepth(text)
        do {
            let parser = try Parser(yaml: text, encoding: .utf8)
            var documents: [YAMLValue] = []
            var budget = nodeLimit
            while let root = try parser.nextRoot() {
                let value = try value(of: root, dialect, budget: &budget)
                if case .scalar(.null) = value.content { continue }
                documents.append(value)
            }
            return documents
        } catch let error as YAMLError {
            throw error
        } catch let error as YamlError {
            throw YAMLError(error)
        } catch {
            throw YAMLError(line: 1, message: "\(error)")
        }
    }

    /// Refuses what might nest deeper than the limit, by brackets that are open and columns that are indented: cheap, and
    /// never too low.
    private static func checkDepth(_ text: String) throws(YAMLError) {
        var (line, open, indent) = (1, 0, 0)
        var isIndent = true
        for byte in text.utf8 {
            switch byte {
            case 0x0A: (line, indent, isIndent) = (line + 1, 0, true)
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), 0x09: indent += isIndent ? 1 : 0
            case UInt8(ascii: "["), UInt8(ascii: "{"): (open, isIndent) = (open + 1, false)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): (open, isIndent) = (max(0, open - 1), false)
            default: isIndent = false
            }
            guard open <= depthLimit, indent <= indentLimit else {
                throw YAMLError(line: line, message: "values nest too deeply here (at most \(depthLimit) levels)")
            }
        }
    }

    /// The first document of a text, whatever follows it; `nil` where it is empty.
    static func first(in text: String, as dialect: YAMLDialect) throws(YAMLError) -> YAMLValue? {
        try checkDepth(text)
        do {
            guard let root = try Parser(yaml: text, encoding: .utf8).nextRoot() else { return nil }
            var budget = nodeLimit
            return try value(of: root, dialect, budget: &budget)
        } catch let error as YAMLError {
            throw error
        } catch let error as YamlError {
            throw YAMLError(error)
        } catch {
            throw YAMLError(line: 1, message: "\(error)")
        }
    }

    /// The single document of a text.
    package static func parse(_ text: String, as dialect: YAMLDialect = .core) throws(YAMLError) -> YAMLValue {
        let documents = try parseAll(text, as: dialect)
        guard let first = documents.first else { throw YAMLError(line: 1, message: "the file is empty") }
        guard documents.count == 1 else {
            throw YAMLError(line: documents[1].line, message: "a second document begins here, where one is expected")
        }
        return first
    }

    private static func value(
        of node: Node,
        _ dialect: YAMLDialect,
        budget: inout Int
    ) throws(YAMLError) -> YAMLValue {
        let line = node.mark?.line ?? 1
        budget -= 1
        guard budget > 0 else { throw YAMLError(line: line, message: "more than \(nodeLimit) values") }
        switch node {
        case .scalar(let scalar):
            return YAMLValue(content: .scalar(json(of: scalar, dialect)), line: line, written: scalar.string)
        case .sequence(let sequence):
            var elements: [YAMLValue] = []
            for element in sequence { elements.append(try value(of: element, dialect, budget: &budget)) }
            return YAMLValue(content: .sequence(elements), line: line)
        case .mapping(let mapping):
            return YAMLValue(content: .mapping(try members(of: mapping, dialect, budget: &budget)), line: line)
        case .alias:
            throw YAMLError(line: line, message: "an alias without its anchor")
        }
    }

    private static func members(
        of mapping: Node.Mapping,
        _ dialect: YAMLDialect,
        budget: inout Int
    ) throws(YAMLError) -> [YAMLValue.Member] {
        var members: [YAMLValue.Member] = []
        var merged: [YAMLValue.Member] = []
        for (key, node) in mapping {
            let line = key.mark?.line ?? 1
            guard case .scalar(let scalar) = key else {
                throw YAMLError(line: line, message: "a key must be text")
            }
            let value = try value(of: node, dialect, budget: &budget)
            if scalar.string == "<<", scalar.style == .plain {
                if case .mapping(let inherited) = value.content { merged += inherited }
                if case .sequence(let several) = value.content {
                    for case .mapping(let inherited) in several.map(\.content) { merged += inherited }
                }
                continue
            }
            members.append(YAMLValue.Member(key: name(scalar, dialect), line: line, value: value))
        }
        for member in merged where !members.contains(where: { $0.key == member.key }) { members.append(member) }
        return members
    }

    /// A key's text; the Kubernetes API writes keys that are no text as JSON would.
    private static func name(_ scalar: Node.Scalar, _ dialect: YAMLDialect) -> String {
        guard dialect == .kubernetes else { return scalar.string }
        switch json(of: scalar, dialect) {
        case .bool(let flag): return flag ? "true" : "false"
        case .number(let number): return number.text
        default: return scalar.string
        }
    }

    private static func json(of scalar: Node.Scalar, _ dialect: YAMLDialect) -> JSON {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        guard dialect == .kubernetes else { return number(text) ?? .string(text) }
        switch text {
        case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": return true
        case "n", "N", "no", "No", "NO", "off", "Off", "OFF": return false
        default: return olderNumber(text) ?? number(text) ?? .string(text)
        }
    }

    /// Whole numbers as YAML 1.1 and Go write them: `0b101`, `0o17`, `017`, `0x1F`, `1_000`, each with a sign.
    private static func olderNumber(_ text: String) -> JSON? {
        guard let first = text.utf8.first, first &- 0x30 < 10 || "+-".utf8.contains(first) else { return nil }
        var digits = text.replacing("_", with: "")[...]
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits = digits.dropFirst() }
        var radix = 10
        for (prefix, other) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8), ("0", 8)]
        where digits.count > prefix.count && digits.hasPrefix(prefix) {
            (digits, radix) = (digits.dropFirst(prefix.count), other)
            break
        }
        guard !digits.hasPrefix("-"), !digits.hasPrefix("+"), let value = UInt64(digits, radix: radix) else {
            return nil
        }
        return .number(JSONNumber(text: isNegative && value != 0 ? "-\(value)" : "\(value)"))
    }

    private static func number(_ text: String) -> JSON? {
        guard let first = text.utf8.first, first &- 0x30 < 10 || "+-.".utf8.contains(first) else { return nil }
        if text.hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) { return JSON(value) }
        if text.hasPrefix("0o"), let value = Int(text.dropFirst(2), radix: 8) { return JSON(value) }
        let isInteger = text.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 == 0x2B || $0 == 0x2D }
        if isInteger { return Int(text).map { JSON($0) } }
        let isDecimal = text.utf8.allSatisfy { $0 &- 0x30 < 10 || "+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(text), value.isFinite else { return nil }
        let isJSON = (try? JSON(parsing: text)) != nil
        return .number(JSONNumber(text: isJSON ? text : "\(value)"))
    }
}

extension YAMLError {
    fileprivate init(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = context.map { " \($0.text.trimmingSpace)" } ?? ""
            self.init(line: mark.line, message: problem + place)
            var isScanner = false
            if case .scanner = error { isScanner = true }
            // That parser counts lines from 0, takes 0 for no line, and lets its scanner be one ahead.
            let lines = [context.map { $0.mark.line - 1 } ?? 0, mark.line - 1]
            let prefix = lines.first { $0 > 0 }.map { "line \(isScanner ? $0 + 1 : $0): " } ?? ""
            plainProblem = prefix + problem
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "'\($0)'" }.joined(separator: ", ")
            self.init(line: context.mark.line, message: "the key \(names) is given more than once")
            repeated = duplicates.first.map {
                RepeatedKey(name: $0, line: context.mark.line, column: context.mark.column)
            }
        case .reader(let problem, let offset, _, let yaml):
            let line = yaml.utf8.prefix(offset ?? 0).count { $0 == 0x0A } + 1
            self.init(line: line, message: problem)
        default:
            self.init(line: 1, message: "\(error)")
        }
    }
}

extension String {
    fileprivate var trimmingSpace: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
