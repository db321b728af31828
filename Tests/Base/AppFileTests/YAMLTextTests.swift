// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import AppFile

@Suite("writing YAML")
struct YAMLTextTests {
    @Test func everythingIsReadBackAsItWas() throws {
        let value: JSON = [
            "plain": "a-b_c.d/e", "number": "1.10", "word": "yes", "null": .null, "flag": false, "count": 7,
            "empty": "",
            "list": [1, "two", ["three"], ["k": "v", "l": [:]], []],
            "text": "one\n\n  two\nthree\n", "odd": "\n first", "tab": "a\tb", "colon": "a: b", "hash": "a #b",
            "dash": "-",
            "y": ["on": "x"], "ünï": "\u{85}", "nested": ["deep": ["deeper": ["x", "y"]]], "block": "no end\nhere",
        ]
        for dialect in [YAMLDialect.core, .kubernetes] {
            #expect(
                try YAMLDocument.parse(YAMLText.document(value), as: dialect).json == value,
                "\(YAMLText.document(value))"
            )
        }
    }

    @Test func itReadsLikeWrittenByHand() {
        let value: JSON = [
            "spec": ["ports": [["name": "http", "port": 80]], "args": ["--x", "y"]], "text": "a\nb\n",
        ]
        #expect(
            YAMLText.document(value) == """
                spec:
                  ports:
                    - name: http
                      port: 80
                  args:
                    - "--x"
                    - "y"
                text: |
                  a
                  b

                """
        )
    }
}
