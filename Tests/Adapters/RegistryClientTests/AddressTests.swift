// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Testing

@testable import RegistryClient

@Suite("addresses of registries")
struct AddressTests {
    @Test(
        "this machine and named hosts are spoken to without TLS, all others with it",
        arguments: [
            ("localhost:5000", "http://localhost:5000"), ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("registry.localhost", "http://registry.localhost"), ("[::1]:5000", "http://[::1]:5000"),
            ("plain.internal", "http://plain.internal"), ("other.internal:80", "http://other.internal:80"),
            ("other.internal", "https://other.internal"), ("example.com:5000", "https://example.com:5000"),
            ("127.example.com", "https://127.example.com"), ("docker.io", "https://registry-1.docker.io"),
        ]
    )
    func schemes(_ host: String, _ base: String) {
        let address = RegistryAddress(host: host, plainHosts: ["plain.internal", "other.internal:80"])
        #expect(address?.base.absoluteString == base)
    }

    @Test("what is no host is no registry", arguments: ["", "a b", "a/b", "http://a"])
    func noHost(_ host: String) { #expect(RegistryAddress(host: host, plainHosts: []) == nil) }

    @Test(
        "an upload's location is absolute or relative and keeps its query",
        arguments: [
            ("/v2/a/blobs/uploads/1", "https://r.io/v2/a/blobs/uploads/1?digest=sha256%3Aab"),
            ("/v2/a/blobs/uploads/1?_state=x%3D", "https://r.io/v2/a/blobs/uploads/1?_state=x%3D&digest=sha256%3Aab"),
            ("https://cdn.io/u?k=1", "https://cdn.io/u?k=1&digest=sha256%3Aab"),
            ("http://r.io/v2/u", "https://r.io/v2/u?digest=sha256%3Aab"),
            ("1", "https://r.io/v2/a/blobs/uploads/1?digest=sha256%3Aab"),
        ]
    )
    func locations(_ text: String, _ full: String) throws {
        let address = try #require(RegistryAddress(host: "r.io", plainHosts: []))
        let request = try #require(URL(string: "https://r.io/v2/a/blobs/uploads/"))
        let location = try #require(address.location(text, from: request))
        #expect(RegistryAddress.finishing(location, digest: "sha256:ab")?.absoluteString == full)
    }

    @Test("only the registry's own origin may see an authorization")
    func origins() throws {
        let address = try #require(RegistryAddress(host: "r.io", plainHosts: []))
        for (text, isOrigin) in [
            ("https://r.io/x", true), ("https://r.io:443/x", true), ("http://r.io/x", false),
            ("https://r.io:444/x", false),
            ("https://evil.io/x", false), ("https://r.io.evil.io/x", false), ("https://r.io@evil.io/x", false),
        ] {
            #expect(address.isOrigin(of: try #require(URL(string: text))) == isOrigin, "\(text)")
        }
    }

    @Test("tries are few, pauses grow, and a registry's wish counts within reason")
    func retries() {
        var plain = RetrySchedule()
        #expect((0..<4).map { _ in plain.next(asked: nil) } == [.milliseconds(300), .seconds(1), .seconds(3), nil])
        var asked = RetrySchedule()
        #expect(asked.next(asked: .seconds(7)) == .seconds(7))
        #expect(asked.next(asked: .seconds(61)) == nil)
    }
}
