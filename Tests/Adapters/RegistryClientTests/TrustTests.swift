// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Testing

@testable import RegistryClient

@Suite("who may see a login")
struct TrustTests {
    @Test(
        "a login goes to the registry's own site alone",
        arguments: [
            ("https://registry.example.com", "https://registry.example.com/token", true),
            ("https://registry.example.com", "https://auth.example.com/token", true),
            ("https://registry-1.docker.io", "https://auth.docker.io/token", true),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("https://registry.example.com", "https://example.com.evil.io/token", false),
            ("https://registry.example.com", "https://evilexample.com/token", false),
            ("https://registry.example.co.uk", "https://evil.co.uk/token", false),
            ("https://registry.example.co.uk", "https://auth.example.co.uk/token", true),
            ("https://a.github.io", "https://b.github.io/token", false),
            ("https://harbor.internal", "https://login.internal/token", true),
            ("https://registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", true),
            ("https://registry.cn-hangzhou.aliyuncs.com", "https://b.oss-cn-hangzhou.aliyuncs.com/auth", false),
            (
                "https://acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com",
                "https://dockerauth-ee-vpc.cn-hangzhou.aliyuncs.com/auth", true
            ),
            ("https://registry.example.com", "http://auth.example.com/token", false),
            ("https://registry.example.com", "http://registry.example.com/token", false),
            ("https://registry.example.com", "https://user@auth.example.com/token", false),
            ("https://registry.example.com", "ftp://auth.example.com/token", false),
            ("https://registry.example.com", "https://127.0.0.1/token", false),
            ("https://registry.example.com", "https://169.254.169.254/token", false),
            ("https://10.0.0.5", "https://10.0.0.6/token", false),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true),
            ("http://localhost:5000", "http://127.0.0.1:5001/token", true),
            ("https://registry.example.com", "https://sso.corp.net/token", true),
            ("https://registry.example.com", "http://plain.corp.net:80/token", true),
        ]
    )
    func logins(_ registry: String, _ realm: String, _ isAllowed: Bool) throws {
        let trust = RegistryTrust(
            plainHosts: ["plain.corp.net:80"],
            tokenHosts: ["sso.corp.net", "plain.corp.net:80"]
        )
        let (registry, realm) = try (#require(URL(string: registry)), #require(URL(string: realm)))
        let refusal = trust.refusal(of: realm, for: registry, hasLogin: true)
        #expect((refusal == nil) == isAllowed, "\(refusal ?? "allowed")")
    }

    @Test("without a login any service may be asked but those of this machine and its link")
    func anonymous() throws {
        let registry = try #require(URL(string: "https://registry.example.com"))
        for (text, isAllowed) in [
            ("https://auth.elsewhere.io/token", true), ("http://auth.elsewhere.io/token", true),
            ("http://169.254.169.254/latest", false), ("https://localhost/token", false), ("https://[::1]/t", false),
            ("https://[fe80::1]/t", false), ("https://2130706433/t", false), ("https://[::ffff:127.0.0.1]/t", false),
            ("https://10.1.2.3/token", true), ("https://0.0.0.0/t", false),
        ] {
            let realm = try #require(URL(string: text))
            #expect((RegistryTrust().refusal(of: realm, for: registry, hasLogin: false) == nil) == isAllowed, "\(text)")
        }
    }

    @Test("scopes of one name become one, ours first")
    func scopes() {
        #expect(
            TokenScopes.union(["repository:a:pull,push", "repository:b:pull"], "repository:a:pull repository:c:pull")
                == ["repository:a:pull,push", "repository:b:pull", "repository:c:pull"]
        )
        #expect(TokenScopes.union(["repository:a:pull"], "repository:a:push,pull") == ["repository:a:pull,push"])
        #expect(TokenScopes.union(["repository:h:5000/a:pull"], nil) == ["repository:h:5000/a:pull"])
        #expect(TokenScopes.union([], "registry:catalog:*") == ["registry:catalog:*"])
    }

    @Test("a wait is given in seconds or as a date, which counts from the answer's own date")
    func retryAfter() {
        #expect(RetryAfter.wait("7", date: nil) == .seconds(7))
        #expect(RetryAfter.wait(" 0.5 ", date: nil) == .milliseconds(500))
        let date = "Wed, 21 Oct 2015 07:28:00 GMT"
        #expect(RetryAfter.wait("Wed, 21 Oct 2015 07:28:20 GMT", date: date) == .seconds(20))
        #expect(RetryAfter.wait("Wed, 21 Oct 2015 07:27:20 GMT", date: date) == .zero)
        for text in ["", "soon", "-3", nil] { #expect(RetryAfter.wait(text, date: nil) == nil) }
    }
}
