// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import ShopKit

@Suite("service address")
struct ServiceURLTests {
    @Test(
        "host, port and prefix are taken apart",
        arguments: [
            ("http://catalog:8080", "catalog", 8080, ""), ("http://catalog", "catalog", 80, ""),
            ("HTTP://10.0.0.1:1/", "10.0.0.1", 1, ""), ("http://[::1]:8080/a/b/", "::1", 8080, "/a/b"),
        ] as [(String, String, UInt16, String)]
    )
    func parses(_ text: String, _ host: String, _ port: UInt16, _ prefix: String) throws {
        let url = try ServiceURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.prefix == prefix)
    }

    @Test(
        "what is no plain http address is refused",
        arguments: [
            "", "catalog:8080", "https://catalog", "http://", "http://:80", "http://a:0", "http://a:65536",
            "http://a:x",
            "http://u@a", "http://a?x", "http://a#x", "http://a b", "http://a\r\nX: y", "http://[::1", "http://[]:1",
        ]
    )
    func refuses(_ text: String) {
        #expect(throws: ServiceURL.Invalid.self) { try ServiceURL(text) }
    }
}
