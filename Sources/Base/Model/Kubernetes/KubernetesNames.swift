// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The rules for names in the Kubernetes API (RFC 1123, RFC 1035 and the API conventions).
package enum KubernetesNames {
    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// An RFC 1123 label: at most 63 lower-case letters, digits and inner dashes.
    package static func isLabel(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == 0x2D }
    }

    /// An RFC 1035 label: like a label, and it starts with a letter (names of Services).
    package static func isServiceLabel(_ text: String) -> Bool {
        isLabel(text) && (text.utf8.first.map { $0 >= 0x61 } ?? false)
    }

    /// An RFC 1123 subdomain: labels joined by dots, at most 253 characters.
    package static func isSubdomain(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                let bytes = Array(part.utf8)
                guard let first = bytes.first, let last = bytes.last else { return false }
                return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
                    && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == 0x2D }
            }
    }

    /// An IANA service name: at most 15 letters, digits and single inner dashes, with a letter.
    package static func isPortName(_ text: String) -> Bool {
        isLabel(text) && text.utf8.count <= 15 && text.utf8.contains { (0x61...0x7A).contains($0) }
            && !text.contains("--")
    }

    /// A name of an environment variable as Kubernetes accepts it.
    package static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first), text != ".", text != ".." else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            isLowerAlphanumeric(byte) || (0x41...0x5A).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
        }
    }
}

/// Durations as people write them: `300ms`, `60s`, `1h30m`, `30d`.
package enum DurationText {
    /// `nil` where the text is none.
    package static func parse(_ text: String) -> Duration? {
        var rest = Substring(text)
        var total = Duration.zero
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let count = Int64(digits), count < 1_000_000_000, let scale = scale(unit) else { return nil }
            total += scale * Int(count)
        }
        return total
    }

    private static func scale(_ unit: Substring) -> Duration? {
        switch unit {
        case "ms": .milliseconds(1)
        case "s": .seconds(1)
        case "m": .seconds(60)
        case "h": .seconds(3600)
        case "d": .seconds(86400)
        default: nil
        }
    }
}
