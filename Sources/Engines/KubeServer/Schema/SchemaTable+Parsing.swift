// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

// The text's first line lists short marks for long name prefixes (`~io.k8s.api.|…`). Every other line is one type;
// its number, from 0, is how others refer to it. Parts are separated by `|`: first the name with its notes, then the
// fields, each as `name shape notes`.
//
// Shapes: s text, i int32, l int64, f double, b bool, I int or string, q quantity, t time, u time with microseconds,
// y base64, x anything, o an object nobody prescribes, @N the type N, JN the type N or no object, [S a list of S,
// {S a map to S.
// Notes of a type: A atomic; K=group/version/kind.
// Notes of a field: ! required; Z printed even where empty; O left out where zero; N printed as null where empty;
// D=JSON default; A atomic; S set; L=keys list map;
// G granular map; P=strategies of strategic merge patch; M=merge key; T=the server's name of a text type.
extension SchemaTable {
    /// Reads the text that scripts/make-schema-table writes. A broken text is a broken build: it traps.
    convenience init(parsing text: String) {
        let lines = Array(text.utf8).split(separator: UInt8(ascii: "\n"))
        var prefixes: [Character: String] = [:]
        for part in String(decoding: lines[0], as: UTF8.self).split(separator: "|") {
            prefixes[part[part.startIndex]] = String(part.dropFirst())
        }
        var types: [SchemaType] = []
        var kinds: [String: Int] = [:]
        types.reserveCapacity(lines.count)
        for line in lines.dropFirst() {
            let parts = line.split(separator: UInt8(ascii: "|"))
            let head = parts[0].split(separator: UInt8(ascii: " "))
            for note in head.dropFirst() where note.first == UInt8(ascii: "K") {
                kinds[String(decoding: note.dropFirst(2), as: UTF8.self)] = types.count
            }
            types.append(
                SchemaType(
                    name: Self.fullName(String(decoding: head[0], as: UTF8.self)[...], prefixes),
                    fields: parts.dropFirst().map { SchemaField(parsing: $0) },
                    isAtomic: head.dropFirst().contains { $0.elementsEqual("A".utf8) }
                )
            )
        }
        self.init(types: types, kinds: kinds, prefixes: prefixes)
    }

    /// The name that begins with a short mark in the tables' texts.
    func fullName(_ short: Substring) -> String { Self.fullName(short, prefixes) }

    private static func fullName(_ short: Substring, _ prefixes: [Character: String]) -> String {
        guard let mark = short.first, let prefix = prefixes[mark] else { return String(short) }
        return prefix + short.dropFirst()
    }
}

extension SchemaField {
    fileprivate convenience init(parsing part: ArraySlice<UInt8>) {
        // A default is JSON without spaces; the generator takes care of that.
        let words = part.split(separator: UInt8(ascii: " "))
        let shape = SchemaShape(parsing: words[1])
        var notes = Notes()
        for note in words.dropFirst(2) { notes.read(note, of: shape) }
        self.init(name: String(decoding: words[0], as: UTF8.self), shape: shape, notes: notes)
    }
}

extension SchemaField.Notes {
    fileprivate mutating func read(_ note: ArraySlice<UInt8>, of shape: SchemaShape) {
        let text = String(decoding: note.dropFirst(2), as: UTF8.self)
        switch note[note.startIndex] {
        case UInt8(ascii: "!"): isRequired = true
        case UInt8(ascii: "Z"): isAlwaysPrinted = true
        case UInt8(ascii: "N"): isPrintedNull = true
        case UInt8(ascii: "O"): isOmittedZero = true
        case UInt8(ascii: "D"): defaultValue = try? JSON(parsing: text)
        case UInt8(ascii: "S"): listType = .set
        case UInt8(ascii: "L"): listType = .map(keys: text.split(separator: ",").map(String.init))
        case UInt8(ascii: "A"):
            if case .array = shape { listType = .atomic } else { isAtomicMap = true }
        case UInt8(ascii: "G"): isGranular = true
        case UInt8(ascii: "P"):
            isMerged = text.hasPrefix("merge")
            retainsKeys = text.hasSuffix("retainKeys")
            isReplaced = text == "replace"
        case UInt8(ascii: "M"): mergeKey = text
        case UInt8(ascii: "T"): goType = text
        default: preconditionFailure("the schema table holds an unknown note")
        }
    }
}

extension SchemaShape {
    fileprivate init(parsing text: ArraySlice<UInt8>) {
        let rest = text.dropFirst()
        switch text[text.startIndex] {
        case UInt8(ascii: "s"): self = .string
        case UInt8(ascii: "i"): self = .int32
        case UInt8(ascii: "l"): self = .int64
        case UInt8(ascii: "f"): self = .double
        case UInt8(ascii: "b"): self = .bool
        case UInt8(ascii: "I"): self = .intOrString
        case UInt8(ascii: "q"): self = .quantity
        case UInt8(ascii: "t"): self = .time
        case UInt8(ascii: "u"): self = .microTime
        case UInt8(ascii: "y"): self = .bytes
        case UInt8(ascii: "x"): self = .any
        case UInt8(ascii: "o"): self = .rawObject
        case UInt8(ascii: "@"): self = .object(rest.reduce(0) { $0 * 10 + Int($1 - 0x30) })
        case UInt8(ascii: "J"): self = .objectOrAny(rest.reduce(0) { $0 * 10 + Int($1 - 0x30) })
        case UInt8(ascii: "["): self = .array(SchemaShape(parsing: rest))
        case UInt8(ascii: "{"): self = .map(SchemaShape(parsing: rest))
        default: preconditionFailure("the schema table holds an unknown shape")
        }
    }
}
