// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import AppFile

struct YAMLDialectTests {
    @Test(
        "plain scalars in request bodies are what the Kubernetes API takes them for",
        arguments: [
            ("y", "true"), ("Yes", "true"), ("ON", "true"), ("n", "false"), ("No", "false"), ("off", "false"),
            ("'y'", "\"y\""), ("\"no\"", "\"no\""), ("yep", "\"yep\""), ("oN", "\"oN\""), ("true", "true"),
            ("017", "15"), ("0o17", "15"), ("0x1F", "31"), ("-0b11", "-3"), ("1_000", "1000"), ("08", "8"), ("0", "0"),
            ("-0", "0"), ("+7", "7"), ("18446744073709551615", "18446744073709551615"), ("1.50", "1.50"),
            ("1.2.3", "\"1.2.3\""), ("2026-11-23", "\"2026-11-23\""), ("-", "[null]"), ("~", "null"),
        ]
    )
    func kubernetes(scalar: String, json: String) throws {
        let value = try YAMLDocument.parse("key: \(scalar == "-" ? "\n- " : scalar)", as: .kubernetes).json["key"]
        #expect(value?.text == json)
    }

    @Test("keys that are no text are written as JSON would, and quoted ones stay")
    func keys() throws {
        let map = try YAMLDocument.parse("on: 1\n'off': 2\n010: 3\n", as: .kubernetes).json
        #expect(map.text == #"{"true":1,"off":2,"8":3}"#)
    }

    @Test("app files keep to YAML 1.2: a plain y is text")
    func core() throws {
        #expect(try YAMLDocument.parse("key: y").json["key"] == "y")
        #expect(try YAMLDocument.parse("key: 1_000").json["key"] == "1_000")
        #expect(try YAMLDocument.parse("on: 1").json["on"] == 1)
    }
}
