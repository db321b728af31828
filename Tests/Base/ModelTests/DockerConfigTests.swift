// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import Model

@Suite("logins in Docker's configuration")
struct DockerConfigTests {
    private func config(_ text: String) throws -> DockerConfig { try DockerConfig(parsing: Array(text.utf8)) }

    @Test("the longest path that covers a repository counts, and never half a component")
    func paths() throws {
        let config = try config(
            """
            {"auths": {"r.io": {"auth": "aG9zdDox"}, "r.io/shop": {"auth": "c2hvcDox"},
             "r.io/shop/cart": {"auth": "Y2FydDox"}, "r.io:5000": {"auth": "cG9ydDox"}}}
            """
        )
        for (host, repository, user) in [
            ("r.io", "shop/cart", "cart"), ("r.io", "shop/cart/deep", "cart"), ("r.io", "shop/cartoon", "shop"),
            ("r.io", "shopping", "host"), ("r.io:5000", "shop/cart", "port"), ("R.IO", "x", "host"),
        ] {
            let login = try config.entry(for: host, repository: repository)?.login()
            #expect(login?.username == user, "\(host)/\(repository)")
        }
        #expect(config.entry(for: "sub.r.io", repository: "x") == nil)
        #expect(config.entry(for: "r.io:5001", repository: "x") == nil)
    }

    @Test("a path that covers another repository is no login for this one")
    func foreignPath() throws {
        let config = try config(#"{"auths": {"r.io/other-team": {"auth": "YTpi"}}}"#)
        #expect(config.entry(for: "r.io", repository: "my-team/app") == nil)
    }

    @Test(
        "Docker's own registry goes by all its names",
        arguments: ["https://index.docker.io/v1/", "index.docker.io/v1/", "docker.io", "registry-1.docker.io"]
    )
    func dockerHub(_ key: String) throws {
        let config = try config("{\"auths\": {\"\(key)\": {\"auth\": \"YTpi\"}}}")
        #expect(try config.entry(for: "docker.io", repository: "library/nginx")?.login()?.password == "b")
    }

    @Test("stars stand for parts of labels, and a host spelled out counts before")
    func patterns() throws {
        let config = try config(#"{"auths": {"*.azurecr.io": {"auth": "YW55OjE="}, "a.azurecr.io": {"auth": "YTox"}}}"#)
        #expect(try config.entry(for: "a.azurecr.io")?.login()?.username == "a")
        #expect(try config.entry(for: "b.azurecr.io")?.login()?.username == "any")
        #expect(config.entry(for: "b.c.azurecr.io") == nil)
        #expect(config.entry(for: "b.azurecr.io:5000") == nil)
    }

    @Test("a helper of the registry's own counts before the store of all, which is asked by the key it knows")
    func helpers() throws {
        let config = try config(
            #"{"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "all", "credHelpers": {"r.io": "own"}}"#
        )
        #expect(config.helper(for: "r.io") == .init(name: "own", server: "r.io"))
        #expect(config.helper(for: "docker.io") == .init(name: "all", server: "https://index.docker.io/v1/"))
        #expect(config.helper(for: "q.io") == .init(name: "all", server: "q.io"))
        #expect(try config.entry(for: "docker.io")?.login() == nil)
    }

    @Test("tokens, missing padding, zero bytes and colons in passwords are read")
    func forms() throws {
        let config = try config(
            """
            {"auths": {"id": {"auth": "dTo=", "identitytoken": "refresh"}, "reg": {"registrytoken": "bearer"},
             "short": {"auth": "YTpiYg"}, "zero": {"auth": "YTpiAAA="}, "colon": {"auth": "YTpiOmM="},
             "pair": {"username": "a", "password": "b"}, "both": {"auth": "YTpi", "password": "ignored"},
             "bad": {"auth": "!"}, "flat": {"auth": "bm9jb2xvbg=="}}}
            """
        )
        func login(_ host: String) throws -> RegistryCredentials? { try config.entry(for: host)?.login() }
        #expect(try login("id")?.identityToken == "refresh")
        #expect(try login("reg")?.registryToken == "bearer")
        #expect(try login("short")?.password == "bb")
        #expect(try login("zero")?.password == "b")
        #expect(try login("colon")?.password == "b:c")
        #expect(try login("pair")?.password == "b")
        #expect(try login("both")?.password == "b")
        for host in ["bad", "flat"] {
            #expect { try login(host) } throws: { "\($0)".contains("the 'auth' for '\(host)'") }
        }
    }

    @Test("what is no configuration is refused, what is empty has no logins")
    func documents() throws {
        for text in ["[]", "1", #"{"auths": []}"#, #"{"credHelpers": "x"}"#] {
            #expect(throws: Failure.self, "\(text)") { try config(text) }
        }
        for text in ["{}", #"{"auths": null}"#, #"{"HttpHeaders": {"User-Agent": "x"}}"#, #"{"auths": {"a": null}}"#] {
            #expect(try config(text).entry(for: "a")?.login() == nil, "\(text)")
        }
    }
}

@Suite("hosts of Alibaba's registry")
struct AlibabaRegistryTests {
    @Test(
        "public and private hosts of one instance are told from those of others",
        arguments: [
            ("registry.cn-hangzhou.aliyuncs.com", "registry-vpc.cn-hangzhou.aliyuncs.com", true),
            ("registry.cn-hangzhou.aliyuncs.com", "registry-internal.cn-hangzhou.aliyuncs.com", true),
            ("acme-registry.cn-shanghai.cr.aliyuncs.com", "acme-registry-vpc.cn-shanghai.cr.aliyuncs.com", true),
            (
                "crpi-12ab.cn-beijing.personal.cr.aliyuncs.com", "crpi-12ab-vpc.cn-beijing.personal.cr.aliyuncs.com",
                true
            ),
            ("registry.cn-hangzhou.aliyuncs.com", "registry-vpc.cn-shanghai.aliyuncs.com", false),
            ("acme-registry.cn-shanghai.cr.aliyuncs.com", "apex-registry-vpc.cn-shanghai.cr.aliyuncs.com", false),
        ]
    )
    func pairs(_ left: String, _ right: String, _ isSame: Bool) throws {
        let (left, right) = try (#require(AlibabaRegistry(host: left)), #require(AlibabaRegistry(host: right)))
        #expect(left.isSameInstance(as: right) == isSame)
        #expect(left.network == .open && right.network != .open)
        if isSame { #expect(left.host(on: right.network) == right.host(on: right.network)) }
    }

    @Test(
        "other hosts are none",
        arguments: [
            "registry.aliyuncs.com", "bucket.oss-cn-hangzhou.aliyuncs.com", "registry.cn-hangzhou.aliyuncs.com.evil.io",
            "registry.internal", "-registry.cn-a.cr.aliyuncs.com", "registry..aliyuncs.com",
        ]
    )
    func others(_ host: String) { #expect(AlibabaRegistry(host: host) == nil) }

    @Test("its token services are known by name and region")
    func tokenHosts() throws {
        let registry = try #require(AlibabaRegistry(host: "acme-registry-vpc.cn-shanghai.cr.aliyuncs.com"))
        for (host, isOne) in [
            ("dockerauth.cn-shanghai.aliyuncs.com", true), ("dockerauth-vpc.cn-shanghai.aliyuncs.com", true),
            ("dockerauth-ee-vpc.cn-shanghai.aliyuncs.com", true), ("dockerauth-cn-shanghai.aliyuncs.com", true),
            ("dockerauth.cn-beijing.aliyuncs.com", false), ("dockerauth.evil.io", false),
            ("bucket.oss-cn-shanghai.aliyuncs.com", false), ("dockerauthx.cn-shanghai.aliyuncs.com", false),
        ] {
            #expect(registry.isTokenHost(host) == isOne, "\(host)")
        }
    }
}
