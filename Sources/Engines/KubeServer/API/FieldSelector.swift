// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A field selector: equalities and inequalities over a few fields of a kind, all of which must hold.
struct FieldSelector: Sendable, Hashable {
    struct Term: Sendable, Hashable {
        var field: String
        var value: String
        var isEqual: Bool
    }

    var terms: [Term] = []

    var isEmpty: Bool { terms.isEmpty }

    /// The value that `field` must have, where the selector fixes it.
    func required(_ field: String) -> String? { terms.first { $0.field == field && $0.isEqual }?.value }

    func matches(_ value: (String) -> String) -> Bool {
        terms.allSatisfy { (value($0.field) == $0.value) == $0.isEqual }
    }
}

extension FieldSelector {
    /// Reads the query text of `fieldSelector=`, such as `spec.nodeName=local,status.phase!=Failed`.
    init(parsing text: String) throws(KubeStatus) {
        for part in Self.split(text) where !part.isEmpty {
            guard let term = try Self.term(part) else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(part)'")
            }
            terms.append(term)
        }
    }

    /// Splits at commas; a backslash takes the next character as it is.
    private static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                part += "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        parts.append(isEscaped ? part + "\\" : part)
        return parts
    }

    private static func term(_ part: String) throws(KubeStatus) -> Term? {
        let characters = Array(part)
        var place = 0
        while place < characters.count {
            if characters[place] == "\\" {
                place += 2
                continue
            }
            let pair = String(characters[place..<min(place + 2, characters.count)])
            if pair == "!=" || pair == "==" {
                return try make(characters, place, 2, isEqual: pair == "==")
            }
            if characters[place] == "=" { return try make(characters, place, 1, isEqual: true) }
            place += 1
        }
        return nil
    }

    private static func make(
        _ all: [Character],
        _ place: Int,
        _ width: Int,
        isEqual: Bool
    ) throws(KubeStatus) -> Term {
        Term(field: String(all[..<place]), value: try unescaped(all[(place + width)...]), isEqual: isEqual)
    }

    /// A value's backslashes stand before a comma, an equals sign or another backslash, which never stand alone.
    private static func unescaped(_ text: ArraySlice<Character>) throws(KubeStatus) -> String {
        var value = ""
        var isEscaped = false
        for character in text {
            let isSpecial = character == "\\" || character == "," || character == "="
            if isEscaped {
                guard isSpecial else {
                    throw .badRequest("invalid field selector: invalid escape sequence: \\\(character)")
                }
                value.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                guard !isSpecial else {
                    let code = character.unicodeScalars.first?.value ?? 0
                    throw .badRequest("invalid field selector: unescaped character in value: \(code)")
                }
                value.append(character)
            }
        }
        guard !isEscaped else { throw .badRequest("invalid field selector: invalid escape sequence: \\") }
        return value
    }
}

/// Which fields of a kind can be selected, and what the server says about others.
struct SelectableFields: Sendable {
    /// Fields beside `metadata.name` and `metadata.namespace`, with how their value is read.
    var fields: [String: @Sendable (JSON) -> String] = [:]
    /// Kinds with fields of their own refuse others with shorter words than kinds without.
    var hasOwnRules = false
    /// How such a kind refuses a field, where it has words of its own.
    var refusal: (@Sendable (String) -> String)?
    /// Whether objects can be selected by their namespace.
    var knowsNamespace = true

    static func paths(_ paths: [String]) -> SelectableFields {
        var result = SelectableFields(hasOwnRules: true)
        for path in paths {
            let parts = path.split(separator: ".").map(String.init)
            result.fields[path] = { Self.text($0[path: parts]) }
        }
        return result
    }

    static func text(_ value: JSON?) -> String {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): number.text
        default: ""
        }
    }

    func check(_ selector: FieldSelector) throws(KubeStatus) {
        for term in selector.terms where term.field != "metadata.name" {
            if term.field == "metadata.namespace", knowsNamespace { continue }
            guard fields[term.field] == nil else { continue }
            guard hasOwnRules else {
                throw .badRequest(
                    "\(FieldErrors.quoted(term.field)) is not a known field selector: "
                        + "only \"metadata.name\", \"metadata.namespace\""
                )
            }
            throw .badRequest(refusal?(term.field) ?? "field label not supported: \(term.field)")
        }
    }

    func value(_ field: String, of object: JSON) -> String {
        switch field {
        case "metadata.name": object[path: "metadata", "name"]?.string ?? ""
        case "metadata.namespace": object[path: "metadata", "namespace"]?.string ?? ""
        default: fields[field]?(object) ?? ""
        }
    }
}
