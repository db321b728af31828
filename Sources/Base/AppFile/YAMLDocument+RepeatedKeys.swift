// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The first place of a key that is given more than once in one mapping.
struct RepeatedKey: Sendable, Hashable {
    var name: String
    /// From 1.
    var line: Int
    /// From 1, in Unicode scalars.
    var column: Int
}

extension YAMLDocument {
    /// A key that was given before in the same mapping, and the line of its value.
    package struct Repetition: Sendable, Hashable {
        package var key: String
        package var line: Int
    }

    /// So many keys may be given again before a text is refused as a whole.
    private static let repetitionLimit = 32

    /// The first document of a text in which the last of several equal keys counts, as Kubernetes reads what it is sent;
    /// the others are reported. `nil` where there is nothing.
    ///
    /// The parser refuses such texts, so each key that is given again later is renamed until it accepts the rest.
    package static func parseRepeating(
        _ text: String,
        as dialect: YAMLDialect
    ) throws(YAMLError) -> (value: YAMLValue?, repetitions: [Repetition]) {
        var text = text
        var renamed: [String: String] = [:]
        while true {
            do {
                guard let value = try first(in: text, as: dialect) else { return (nil, []) }
                var repetitions: [Repetition] = []
                return (renamed.isEmpty ? value : value.without(renamed, &repetitions), repetitions)
            } catch {
                guard let key = error.repeated, renamed.count < repetitionLimit else { throw error }
                var name = "\u{E000}\(renamed.count)"
                while text.contains(name) { name = "\u{E000}" + name }
                guard let next = renaming(key, to: name, in: text) else { throw error }
                renamed[name] = key.name
                text = next
            }
        }
    }

    /// The text with another key in that place; `nil` where the key is not written there as it reads.
    private static func renaming(_ key: RepeatedKey, to name: String, in text: String) -> String? {
        let scalars = text.unicodeScalars
        var start = scalars.startIndex
        for _ in 1..<max(1, key.line) {
            guard let newline = scalars[start...].firstIndex(of: "\n") else { return nil }
            start = scalars.index(after: newline)
        }
        guard let place = scalars.index(start, offsetBy: key.column - 1, limitedBy: scalars.endIndex),
            let end = end(of: key.name, at: place, in: text)
        else { return nil }
        return "\(text[..<place])\"\(name)\"\(text[end...])"
    }

    private static func end(of name: String, at place: String.Index, in text: String) -> String.Index? {
        let written = text[place...]
        for quote in ["\"", "'"] where written.hasPrefix(quote) {
            let quoted = quote + name + quote
            return written.hasPrefix(quoted) ? text.index(place, offsetBy: quoted.count) : nil
        }
        return written.hasPrefix(name) ? text.index(place, offsetBy: name.count) : nil
    }
}

extension YAMLValue {
    /// Without the members of such names; what comes after one of them under its real name is a repetition.
    fileprivate func without(_ renamed: [String: String], _ repetitions: inout [YAMLDocument.Repetition]) -> YAMLValue {
        var result = self
        switch content {
        case .scalar: break
        case .sequence(let elements):
            result.content = .sequence(elements.map { $0.without(renamed, &repetitions) })
        case .mapping(let members):
            var seen: Set<String> = []
            var kept: [Member] = []
            for var member in members {
                member.value = member.value.without(renamed, &repetitions)
                let key = renamed[member.key] ?? member.key
                if !seen.insert(key).inserted {
                    repetitions.append(.init(key: key, line: member.value.line))
                }
                if renamed[member.key] == nil { kept.append(member) }
            }
            result.content = .mapping(kept)
        }
        return result
    }
}
