// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One way of proving who one is, out of a `WWW-Authenticate` header (RFC 9110, section 11).
struct AuthChallenge: Sendable, Hashable {
    /// Lower case: `basic`, `bearer`.
    var scheme: String
    /// By lower-case name.
    var parameters: [String: String]

    /// Reads all challenges of a header. Spaces around commas and equal signs are allowed, values may be quoted, and what is
    /// malformed ends the reading without losing what came before.
    static func parse(_ header: String) -> [AuthChallenge] {
        var reader = Reader(text: Array(header.unicodeScalars))
        var challenges: [AuthChallenge] = []
        while reader.skipSeparators(), let name = reader.token() {
            if reader.isAtEqualSign, !challenges.isEmpty {
                guard let value = reader.value() else { break }
                challenges[challenges.count - 1].parameters[name.lowercased()] = value
            } else {
                challenges.append(AuthChallenge(scheme: name.lowercased(), parameters: [:]))
            }
        }
        return challenges
    }

    private struct Reader {
        let text: [Unicode.Scalar]
        var place = 0

        private var current: Unicode.Scalar? { place < text.count ? text[place] : nil }

        /// Whether anything is left.
        mutating func skipSeparators() -> Bool {
            while let scalar = current, scalar == "," || scalar == " " || scalar == "\t" { place += 1 }
            return current != nil
        }

        private mutating func skipSpace() {
            while current == " " || current == "\t" { place += 1 }
        }

        mutating func token() -> String? {
            let start = place
            while let scalar = current, !" \t,=\"".unicodeScalars.contains(scalar) { place += 1 }
            return start == place ? nil : String(String.UnicodeScalarView(text[start..<place]))
        }

        var isAtEqualSign: Bool {
            text[place...].first { $0 != " " && $0 != "\t" } == "="
        }

        /// What follows an equal sign.
        mutating func value() -> String? {
            skipSpace()
            place += 1
            skipSpace()
            guard current == "\"" else { return token() ?? "" }
            place += 1
            var value = String.UnicodeScalarView()
            while let scalar = current, scalar != "\"" {
                if scalar == "\\", place + 1 < text.count { place += 1 }
                value.append(text[place])
                place += 1
            }
            guard current == "\"" else { return nil }
            place += 1
            return String(value)
        }
    }
}
