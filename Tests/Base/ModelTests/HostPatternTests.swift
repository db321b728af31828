// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import Model

@Suite("host patterns")
struct HostPatternTests {
    @Test(
        "a star stands for any part of one label",
        arguments: [
            ("registry.example.com", "registry.example.com", true),
            ("registry.example.com", "*.example.com", true),
            ("registry.example.com", "reg*.example.com", true),
            ("registry.example.com", "r*g*y.*.c*m", true),
            ("registry.example.com", "r*g*x.example.com", false),
            ("registry.example.com", "*.com", false),
            ("example.com", "*.example.com", false),
            ("abab.io", "*ab.io", true),
            ("aba.io", "*ab.io", false),
            ("a.io", "a**.io", true),
            ("", "*", true),
            ("a.io", "a.io.", false),
        ]
    )
    func fits(host: String, pattern: String, expected: Bool) {
        #expect(HostPattern.fits(host, pattern) == expected)
    }

    @Test("a pattern of many stars is refused at once")
    func stars() {
        let host = String(repeating: "a", count: 2000)
        #expect(!HostPattern.fits(host, String(repeating: "*a", count: 1000) + "b"))
    }
}
