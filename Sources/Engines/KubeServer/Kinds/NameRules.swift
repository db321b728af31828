// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The syntaxes of names, label keys and values, ports and paths, with the words the API uses for what breaks them.
enum NameRules {
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || (0x41...0x5A).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }

    /// The regular-expression part of every such message.
    static func regexMessage(_ what: String, _ pattern: String, examples: [String]) -> String {
        let quoted = examples.map { "'\($0)'" }
        let text = quoted.joined(separator: ",  or ")
        return "\(what) (e.g. \(text), regex used for validation is '\(pattern)')"
    }

    /// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
    private static func isLabel(_ text: some Collection<UInt8>) -> Bool {
        guard let first = text.first, isLower(first) else { return false }
        var last = first
        for byte in text {
            guard isLower(byte) || byte == 0x2D else { return false }
            last = byte
        }
        return isLower(last)
    }

    static let labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    static let labelMessage = regexMessage(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
            + "with an alphanumeric character",
        labelPattern,
        examples: ["my-name", "123-abc"]
    )
    static let subdomainMessage = regexMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
            + "and end with an alphanumeric character",
        "\(labelPattern)(\\.\(labelPattern))*",
        examples: ["example.com"]
    )
    static let dns1035Message = regexMessage(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            + "character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?",
        examples: ["my-name", "abc-123"]
    )

    /// Names count characters, labels bytes; the limit is the same.
    static func tooLong(_ limit: Int) -> String { "must be no more than \(limit) characters" }
    private static func tooManyBytes(_ limit: Int) -> String { "must be no more than \(limit) bytes" }

    static func dnsLabelProblems(_ text: String) -> [String] {
        let tooLong = text.utf8.count > 63 ? [tooLong(63)] : []
        guard !isLabel(text.utf8) else { return tooLong }
        return tooLong + [isSubdomain(text) ? "must not contain dots" : labelMessage]
    }

    private static func isSubdomain(_ text: String) -> Bool {
        text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { isLabel($0) }
    }

    static func dnsSubdomainProblems(_ text: String) -> [String] {
        var problems = text.utf8.count > 253 ? [tooLong(253)] : []
        if !isSubdomain(text) { problems.append(subdomainMessage) }
        return problems
    }

    static func dns1035Problems(_ text: String) -> [String] {
        let startsWithLetter = text.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
        return (text.utf8.count > 63 ? [tooLong(63)] : [])
            + (startsWithLetter && isLabel(text.utf8) ? [] : [dns1035Message])
    }

    /// `*.` followed by a subdomain.
    static func wildcardProblems(_ text: String) -> [String] {
        let rest = text.hasPrefix("*.") ? String(text.dropFirst(2)) : ""
        if !rest.isEmpty, dnsSubdomainProblems(rest).isEmpty { return [] }
        return [
            regexMessage(
                "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
                    + "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
                "\\*\\.\(labelPattern)(\\.\(labelPattern))*",
                examples: ["*.example.com"]
            )
        ]
    }

    static let namePartMessage = regexMessage(
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            + "alphanumeric character",
        "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
        examples: ["MyName", "my.name", "123-abc"]
    )

    private static func isNamePart(_ text: some Collection<UInt8>) -> Bool {
        guard let first = text.first, isAlphanumeric(first) else { return false }
        var last = first
        for byte in text {
            guard isAlphanumeric(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E else { return false }
            last = byte
        }
        return isAlphanumeric(last)
    }

    /// A label key: an optional DNS prefix and `/`, then a name of at most 63 characters.
    static func qualifiedNameProblems(_ text: String) -> [String] {
        var problems: [String] = []
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var name = text
        if parts.count == 2 {
            name = String(parts[1])
            if parts[0].isEmpty {
                problems.append("prefix part must be non-empty")
            } else {
                if parts[0].utf8.count > 253 { problems.append("prefix part \(tooManyBytes(253))") }
                if !isSubdomain(String(parts[0])) { problems.append("prefix part \(subdomainMessage)") }
            }
        } else if parts.count > 2 {
            return [
                regexMessage(
                    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
                        + "with an alphanumeric character",
                    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
                    examples: ["MyName", "my.name", "123-abc"]
                )
                    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        if name.isEmpty {
            problems.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            problems.append("name part \(tooManyBytes(63))")
        }
        if !isNamePart(name.utf8) { problems.append(namePartMessage) }
        return problems
    }

    static let labelValueMessage = regexMessage(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
            + "and end with an alphanumeric character",
        "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
        examples: ["MyValue", "my_value", "12345"]
    )

    static func labelValueProblems(_ text: String) -> [String] {
        var problems: [String] = []
        if text.utf8.count > 63 { problems.append(tooManyBytes(63)) }
        if !text.isEmpty, !isNamePart(text.utf8) { problems.append(labelValueMessage) }
        return problems
    }

    static func labelValueProblem(_ text: String) -> String? { labelValueProblems(text).first }

    /// The keys of ConfigMaps and Secrets.
    static func configKeyProblems(_ text: String) -> [String] {
        var problems: [String] = []
        if text.utf8.count > 253 { problems.append(tooLong(253)) }
        let isKey =
            !text.isEmpty
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
        if !isKey {
            problems.append(
                regexMessage(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                    "[-._a-zA-Z0-9]+",
                    examples: ["key.name", "KEY_NAME", "key-name"]
                )
            )
        }
        if text == "." { problems.append("must not be '.'") }
        if text == ".." {
            problems.append("must not be '..'")
        } else if text.hasPrefix("..") {
            problems.append("must not start with '..'")
        }
        return problems
    }

    static let portRange = "must be between 1 and 65535, inclusive"
    static func isPort(_ number: Int) -> Bool { (1...65535).contains(number) }

    /// Port names: at most 15 lower-case characters with at least one letter and no double hyphen.
    static func portNameProblems(_ text: String) -> [String] {
        var problems: [String] = []
        if text.utf8.count > 15 { problems.append(tooLong(15)) }
        if !text.utf8.allSatisfy({ isLower($0) || $0 == 0x2D }) || text.isEmpty {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !text.utf8.contains(where: { (0x61...0x7A).contains($0) }) {
            problems.append("must contain at least one letter (a-z)")
        }
        if text.contains("--") { problems.append("must not contain consecutive hyphens") }
        if let first = text.utf8.first, let last = text.utf8.last, first == 0x2D || last == 0x2D {
            problems.append("must not begin or end with a hyphen")
        }
        return problems
    }

    /// Names that become one component of a path, and nothing else is asked of them.
    static func pathSegmentProblems(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return ["/", "%"].filter { text.contains($0) }.map { "may not contain '\($0)'" }
    }

    static func httpHeaderNameProblems(_ text: String) -> [String] {
        let isToken = !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D }
        return isToken
            ? []
            : [
                regexMessage(
                    "a valid HTTP header must consist of alphanumeric characters or '-'",
                    "[-A-Za-z0-9]+",
                    examples: ["X-Header-Name"]
                )
            ]
    }
}
