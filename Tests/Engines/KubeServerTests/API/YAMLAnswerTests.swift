// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Answers in YAML: what the real server's writer makes of the same values.
@Suite("answers in YAML")
struct YAMLAnswerTests {
    @Test(
        "a text is quoted where it would be read as something else",
        arguments: [
            ("plain words", "plain words"), ("", "\"\""), ("true", "\"true\""), ("yes", "\"yes\""), ("n", "\"n\""),
            ("null", "\"null\""), ("~", "\"~\""), ("1", "\"1\""), ("-1.5", "\"-1.5\""), ("1e3", "\"1e3\""),
            (".5", "\".5\""), ("0x1F", "\"0x1F\""), ("017", "\"017\""), ("1_000", "\"1_000\""),
            ("1:20", "\"1:20\""), ("2026-01-01", "\"2026-01-01\""),
            ("2026-01-01T00:00:00Z", "\"2026-01-01T00:00:00Z\""), ("1.2.3", "1.2.3"), ("a: b", "'a: b'"),
            ("a:b", "a:b"), ("a #b", "'a #b'"), ("it's", "it's"), ("'q", "'''q'"), (" x", "' x'"), ("x ", "'x '"),
            ("- x", "'- x'"), ("-x", "-x"), ("?x", "?x"), ("*x", "'*x'"), ("{x}", "'{x}'"), ("a,b", "a,b"),
            ("a\tb", "\"a\\tb\""), ("a\r\nb", "\"a\\r\\nb\""), ("a\u{1}b", "\"a\\x01b\""), ("é", "é"),
            ("😀", "\"\\U0001F600\""), ("a \nb", "\"a \\nb\""), ("<<", "<<"), ("...", "'...'"), ("=", "="),
        ]
    )
    func texts(_ text: String, _ shown: String) {
        #expect(YAMLText.text(.object(["k": .string(text)])) == "k: \(shown)\n")
    }

    @Test(
        "lines stand below a bar that says how the text begins and ends",
        arguments: [
            ("a\nb\n", "|\n  a\n  b\n"), ("a\nb", "|-\n  a\n  b\n"), ("a\n\n", "|+\n  a\n\n"),
            (" a\nb", "|2-\n   a\n  b\n"), ("\na", "|2-\n\n  a\n"), ("a\n\nb c\n", "|\n  a\n\n  b c\n"),
        ]
    )
    func blocks(_ text: String, _ shown: String) {
        #expect(YAMLText.text(.object(["k": .string(text)])) == "k: \(shown)")
    }

    @Test func longTextsAreFoldedAtSpaces() {
        let words = (1...30).map { "word\($0)" }.joined(separator: " ")
        let lines = YAMLText.text(.object(["key": .string(words)])).split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(lines[0].count > 80 && lines[0].split(separator: " ").dropLast().joined(separator: " ").count <= 80)
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  word") })
        let joined = lines.map { $0.drop { $0 == " " } }.joined(separator: " ")
        #expect(joined == "key: \(words)")
    }

    @Test func membersAreSortedAsAPersonCountsAndListsStandAtTheirMember() {
        let value: JSON = [
            "b": [["z": 1, "y": [[1, 2], []]], "t"], "a10": [:], "a9": .null, "A": true, "1": [[["n": "m"]]],
        ]
        #expect(
            YAMLText.text(value) == """
                "1":
                - - "n": m
                A: true
                a9: null
                a10: {}
                b:
                - "y":
                  - - 1
                    - 2
                  - []
                  z: 1
                - t

                """
        )
    }

    @Test func objectsAndRefusalsComeInTheFormThatIsAskedFor() async throws {
        let test = try await TestServer { $0.requiresServiceAccounts = false }
        let maps = "/api/v1/namespaces/default/configmaps"
        let made = await test.send(
            "POST",
            maps,
            ["metadata": ["name": "m"], "data": ["a": "1"]],
            accept: "application/yaml"
        )
        #expect(made.contentType == "application/yaml")
        let text = String(decoding: made.bytes, as: UTF8.self)
        #expect(
            text.hasPrefix("apiVersion: v1\ndata:\n  a: \"1\"\nkind: ConfigMap\nmetadata:\n  creationTimestamp: \"")
        )
        let missing = await test.send("GET", "\(maps)/none", accept: "application/yaml")
        #expect(missing.status == 404 && missing.contentType == "application/yaml")
        #expect(String(decoding: missing.bytes, as: UTF8.self).contains("message: configmaps \"none\" not found\n"))
        let preferred = await test.send("GET", "\(maps)/m", accept: "application/yaml;q=0.5, application/json")
        #expect(preferred.contentType == "application/json" && preferred.json["kind"] == "ConfigMap")
        // The version is no object of the API and has one form.
        let version = await test.send("GET", "/version", accept: "application/yaml")
        #expect(version.status == 406)
    }
}
