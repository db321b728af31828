// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import KubeServer

@Suite("patterns")
struct PatternTests {
    /// Pattern, texts that match, texts that do not.
    static let cases: [(String, [String], [String])] = [
        ("^[a-z]+$", ["a", "abc"], ["", "A", "ab1", "a\n"]),
        ("abc", ["xabcx"], ["ab", "acb"]),
        ("", ["", "x"], []),
        ("^$", [""], ["x"]),
        ("a|b|^c$", ["xa", "b", "c"], ["xc", "d"]),
        ("^(a|bc)*d$", ["d", "abcad"], ["abd"]),
        ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
        ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
        ("^a{0}b$", ["b"], ["ab"]),
        ("^x{,2}$", ["x{,2}"], ["xx"]),
        ("a{", ["a{"], ["a"]),
        ("^[^a-c]$", ["d", "ä"], ["a", "b", ""]),
        ("^[]a]$", ["]", "a"], ["b"]),
        ("^[a-]$", ["-", "a"], ["b"]),
        ("^[\\]\\\\]$", ["]", "\\"], ["a"]),
        ("^\\d\\D\\w\\W\\s\\S$", ["1aa. x"], ["aaa. x", "١aa. x"]),
        ("^[\\d\\s]+$", ["1 2"], ["a"]),
        ("^[[:alpha:]_]+$", ["aZ_"], ["1"]),
        ("^[[:^digit:]]$", ["a"], ["1"]),
        ("^.$", ["a", "é", "🙂"], ["\n", "ab"]),
        ("(?s)^.$", ["\n"], []),
        ("(?i)^straße$", ["STRAßE", "straße"], ["strasse"]),
        ("^(?i:a)b$", ["Ab"], ["AB"]),
        ("(?m)^b$", ["a\nb\nc"], ["ab"]),
        ("^a$", ["a"], ["a\nb"]),
        ("\\bfoo\\b", ["a foo b"], ["afoo"]),
        ("\\Bo", ["foo"], ["o"]),
        ("^\\Qa.b\\E$", ["a.b"], ["axb"]),
        ("^\\x41\\x{1F642}\\101$", ["A🙂A"], ["A"]),
        ("^\\pL\\p{Lu}\\PN$", ["aAx"], ["aa1", "aA1"]),
        ("^(?P<x>a)(?<y>b)$", ["ab"], ["a"]),
        ("^a+?b*?c??$", ["abc", "a"], ["b"]),
        ("^\\.\\-\\_\\/$", [".-_/"], ["a-_/"]),
        (
            "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", ["a-b.c", "x"],
            ["-a", "a.", "a_b"]
        ),
        ("^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$", ["1Gi", "0.5", "1e3"], ["Gi", ""]),
        ("^((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.|$)){4}$", ["10.0.0.255"], ["10.0.0.256"]),
    ]

    @Test("match what RE2 matches", arguments: cases)
    func matching(_ text: String, _ good: [String], _ bad: [String]) throws {
        let pattern = try Pattern(text)
        for input in good { #expect(pattern.matches(input), "\(text) should match \(input)") }
        for input in bad { #expect(!pattern.matches(input), "\(text) should not match \(input)") }
    }

    static let broken: [(String, String)] = [
        ("(", "error parsing regexp: missing closing ): `(`"),
        ("a)", "error parsing regexp: unexpected ): `a)`"),
        ("[a", "error parsing regexp: missing closing ]: `[a`"),
        ("*a", "error parsing regexp: missing argument to repetition operator: `*`"),
        ("a**", "error parsing regexp: invalid nested repetition operator: `**`"),
        ("a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"),
        ("a{3,2}", "error parsing regexp: invalid repeat count: `{3,2}`"),
        ("[z-a]", "error parsing regexp: invalid character class range: `z-a`"),
        ("(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
        ("(?<=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?<`"),
        ("(a)\\1", "error parsing regexp: invalid escape sequence: `\\1`"),
        ("\\y", "error parsing regexp: invalid escape sequence: `\\y`"),
        ("a\\", "error parsing regexp: trailing backslash at end of expression: ``"),
        ("\\p{Nope}", "error parsing regexp: invalid character class range: `\\p{Nope}`"),
        ("((a{100}){100}){100}", "error parsing regexp: expression too large: `((a{100}){100}){100}`"),
    ]

    @Test("what is no pattern is refused in Go's words", arguments: broken)
    func refused(_ text: String, _ message: String) {
        let error = #expect(throws: PatternError.self) { _ = try Pattern(text) }
        #expect(error.map { "\($0)" } == message)
    }

    @Test("a pattern made to explode in a backtracking engine is answered at once")
    func noExplosion() throws {
        let pattern = try Pattern("^(a+)+$")
        #expect(!pattern.matches(String(repeating: "a", count: 5000) + "b"))
        let nested = try Pattern("^(([a-z])+.)+[A-Z]([a-z])+$")
        #expect(!nested.matches(String(repeating: "a", count: 5000)))
    }

    @Test("a search that would take too long is given up")
    func stepLimit() throws {
        let pattern = try Pattern("(x?){1000}(x?){1000}y$")
        #expect(pattern.verdict(on: String(repeating: "x", count: 60_000)) == .undecided)
    }
}
