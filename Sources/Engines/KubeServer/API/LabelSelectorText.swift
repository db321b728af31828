// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Reads the query text of `labelSelector=`, with the real server's complaints.
///
/// Grammar: requirements joined by commas; `key`, `!key`, `key=value`, `==`, `!=`, `in (a,b)`, `notin (…)`, `>`, `<`.
struct LabelSelectorText {
    private enum Token: Equatable {
        case word(String)
        case symbol(String)
        case end

        var literal: String {
            switch self {
            case .word(let text), .symbol(let text): text
            case .end: ""
            }
        }
    }

    private var tokens: [Token]
    private var place = 0

    private init(_ text: String) { tokens = Self.tokens(of: text) }

    static func parse(_ text: String) throws(KubeStatus) -> LabelSelector {
        var parser = LabelSelectorText(text)
        do {
            return LabelSelector(try parser.requirements())
        } catch {
            throw .badRequest(error.text)
        }
    }

    private struct Complaint: Error {
        var text: String

        init(text: String) { self.text = text }
        /// What is wrong inside one requirement, rather than between two.
        init(requirement: String) { text = "unable to parse requirement: \(requirement)" }
    }

    private static let operators = "in, notin, =, ==, !=, gt, lt"

    private static func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        var word = ""
        var symbol = ""
        func flush(_ tokens: inout [Token], _ word: inout String, _ symbol: inout String) {
            if !word.isEmpty { tokens.append(.word(word)) }
            if !symbol.isEmpty { tokens.append(.symbol(symbol)) }
            word = ""
            symbol = ""
        }
        for character in text {
            switch character {
            case " ", "\t", "\n", "\r": flush(&tokens, &word, &symbol)
            case "(", ")", ",":
                flush(&tokens, &word, &symbol)
                tokens.append(.symbol(String(character)))
            case "=", "!", "<", ">":
                if !word.isEmpty { flush(&tokens, &word, &symbol) }
                symbol.append(character)
            default:
                if !symbol.isEmpty { flush(&tokens, &word, &symbol) }
                word.append(character)
            }
        }
        flush(&tokens, &word, &symbol)
        return tokens
    }

    private var next: Token { place < tokens.count ? tokens[place] : .end }

    private mutating func take() -> Token {
        defer { place += 1 }
        return next
    }

    private mutating func requirements() throws(Complaint) -> [LabelSelector.Requirement] {
        var all: [LabelSelector.Requirement] = []
        guard next != .end else { return all }
        while true {
            guard next == .symbol("!") || isWord(next) else {
                throw Complaint(text: "found '\(next.literal)', expected: !, identifier, or 'end of string'")
            }
            all.append(try requirement())
            switch take() {
            case .end: return all
            case .symbol(","):
                guard next == .symbol("!") || isWord(next) else {
                    throw Complaint(text: "found '\(next.literal)', expected: identifier after ','")
                }
            case let other:
                throw Complaint(text: "found '\(other.literal)', expected: ',' or 'end of string'")
            }
        }
    }

    private func isWord(_ token: Token) -> Bool {
        if case .word = token { return true }
        return false
    }

    private mutating func requirement() throws(Complaint) -> LabelSelector.Requirement {
        var isNegated = false
        if next == .symbol("!") {
            isNegated = true
            place += 1
        }
        guard case .word(let key) = take() else {
            throw Complaint(
                requirement:
                    "found '\(tokens.indices.contains(place - 1) ? tokens[place - 1].literal : "")', expected: identifier"
            )
        }
        try check(key)
        if isNegated || next == .end || next == .symbol(",") {
            // What follows a negated key is left for the comma to be missed.
            guard isNegated || next == .end || next == .symbol(",") else {
                throw Complaint(requirement: "found '\(next.literal)', expected: \(Self.operators)")
            }
            return LabelSelector.Requirement(key, isNegated ? .doesNotExist : .exists)
        }
        return try comparison(of: key)
    }

    private mutating func comparison(of key: String) throws(Complaint) -> LabelSelector.Requirement {
        let token = take()
        let requirement: LabelSelector.Requirement
        switch token {
        case .symbol("="), .symbol("=="): requirement = .init(key, .isIn, [try exactValue()])
        case .symbol("!="): requirement = .init(key, .isNotIn, [try exactValue()])
        case .symbol(">"): requirement = .init(key, .isGreater, [try exactValue()])
        case .symbol("<"): requirement = .init(key, .isLess, [try exactValue()])
        case .word("in"): requirement = .init(key, .isIn, try valueSet())
        case .word("notin"): requirement = .init(key, .isNotIn, try valueSet())
        default: throw Complaint(requirement: "found '\(token.literal)', expected: \(Self.operators)")
        }
        let isNumeric = requirement.op == .isGreater || requirement.op == .isLess
        if isNumeric, let value = requirement.values.first, Int64(value) == nil {
            let what = "for 'Gt', 'Lt' operators, the value must be an integer"
            throw Complaint(requirement: "values[0]: Invalid value: \(FieldErrors.quoted(value)): \(what)")
        }
        for (place, value) in requirement.values.enumerated() {
            if let problem = NameRules.labelValueProblem(value) {
                throw Complaint(
                    requirement: "values[\(place)][\(key)]: Invalid value: \(FieldErrors.quoted(value)): \(problem)"
                )
            }
        }
        return requirement
    }

    private mutating func exactValue() throws(Complaint) -> String {
        switch next {
        case .end, .symbol(","): return ""
        case .word(let value):
            place += 1
            return value
        case .symbol(let text): throw Complaint(requirement: "found '\(text)', expected: identifier")
        }
    }

    private mutating func valueSet() throws(Complaint) -> [String] {
        let open = take()
        guard open == .symbol("(") else { throw Complaint(requirement: "found '\(open.literal)' expected: '('") }
        var values: [String] = []
        var expectsValue = true
        let start = place
        while true {
            switch take() {
            case .word(let value) where expectsValue:
                values.append(value)
                expectsValue = false
            case .symbol(","):
                if expectsValue { values.append("") }
                expectsValue = true
            case .symbol(")"):
                if expectsValue { values.append("") }
                return Array(Set(values)).sorted()
            case let other:
                let wanted =
                    place == start + 1 ? "',', ')' or identifier" : expectsValue ? "',', or identifier" : "',' or ')'"
                throw Complaint(requirement: "found '\(other.literal)', expected: \(wanted)")
            }
        }
    }

    private func check(_ key: String) throws(Complaint) {
        let problems = NameRules.qualifiedNameProblems(key)
        guard let problem = problems.first else { return }
        throw Complaint(requirement: "<nil>: Invalid value: \(FieldErrors.quoted(key)): \(problem)")
    }
}
