// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubernetesClient

@Suite("kubeconfig")
struct KubeConfigTests {
    static func text(cluster: String = "{ server: 'https://a.example:6443' }", user: String = "{ token: t }") -> String
    {
        """
        apiVersion: v1
        kind: Config
        current-context: one
        contexts: [{ name: one, context: { cluster: c, user: u, namespace: shop } }]
        clusters: [{ name: c, cluster: \(cluster) }]
        users: [{ name: u, user: \(user) }]
        """
    }

    private func config(cluster: String = "{ server: 'https://a.example:6443' }", user: String = "{ token: t }") throws
        -> KubeConfig
    {
        try KubeConfigSet(text: Self.text(cluster: cluster, user: user), name: "FILE").config()
    }

    private func message(_ work: () throws -> some Any) -> String {
        do {
            _ = try work()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("a context leads to its cluster, user and namespace")
    func plain() throws {
        let config = try config()
        #expect(config.server == "https://a.example:6443")
        #expect(config.namespace == "shop")
        #expect(config.user.token == "t")
        #expect(config.context == "one")
    }

    @Test(
        "a server's address may lack its scheme and may have a path",
        arguments: [
            ("{ server: 'https://h/k8s/clusters/c-x/' }", "https://h/k8s/clusters/c-x"),
            ("{ server: '10.0.0.1:6443', insecure-skip-tls-verify: true }", "https://10.0.0.1:6443"),
            ("{ server: 'localhost:8080' }", "http://localhost:8080"),
            ("{ server: 'https://[::1]:6443' }", "https://[::1]:6443"),
        ]
    )
    func servers(_ cluster: String, _ expected: String) throws {
        #expect(try config(cluster: cluster).server == expected)
    }

    @Test("everything about a cluster and its TLS is read")
    func cluster() throws {
        let config = try config(
            cluster: """
                { server: 'https://h', certificate-authority-data: \(Base64.encode(Array("PEM".utf8))), tls-server-name: kube, \
                proxy-url: 'http://me:s3cret@proxy:3128', disable-compression: true, \
                extensions: [{ name: client.authentication.k8s.io/exec, extension: { arn: x } }] }
                """
        )
        #expect(config.authority == .text("PEM"))
        #expect(config.serverName == "kube")
        #expect(config.proxy?.host == "proxy" && config.proxy?.port == 3128)
        #expect(config.proxy?.login == KubeUser.Basic(username: "me", password: "s3cret"))
        #expect(config.proxy?.description == "http://proxy:3128")
        #expect(config.pluginConfiguration == ["arn": "x"])
    }

    @Test("everything about a user is read")
    func user() throws {
        let user = try config(
            user: """
                { as: root, as-uid: '7', as-groups: [a, b], as-user-extra: { why: [x, z] }, exec: { \
                apiVersion: client.authentication.k8s.io/v1, command: login, args: [get, token], \
                env: [{ name: A, value: b }], interactiveMode: Never, provideClusterInfo: true, installHint: get it } }
                """
        ).user
        #expect(
            user.impersonation
                == Impersonation(user: "root", uid: "7", groups: ["a", "b"], extra: ["why": ["x", "z"]])
        )
        var plugin = CredentialPlugin(apiVersion: "client.authentication.k8s.io/v1", command: "login")
        plugin.arguments = ["get", "token"]
        plugin.environment = ["A": "b"]
        plugin.interaction = .never
        plugin.providesClusterInfo = true
        plugin.installHint = "get it"
        #expect(user.plugin == plugin)
    }

    @Test("paths are relative to the file they stand in; a plugin's bare name is not a path")
    func relativePaths() throws {
        let folder = try TestFolder()
        let cluster = "{ server: 'https://h', certificate-authority: pki/ca.crt }"
        let user = """
            { client-certificate: ./c.crt, client-key: /abs/c.key, tokenFile: ../t, \
            exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: bin/login } }
            """
        let path = try folder.write("sub/config", Self.text(cluster: cluster, user: user))
        let config = try KubeConfig.load(path: path)
        #expect(config.authority == .file("\(folder.path)/sub/pki/ca.crt"))
        #expect(config.user.identity?.certificate == .file("\(folder.path)/sub/c.crt"))
        #expect(config.user.identity?.key == .file("/abs/c.key"))
        #expect(config.user.tokenFile == "\(folder.path)/t")
        #expect(config.user.plugin?.command == "\(folder.path)/sub/bin/login")
    }

    @Test(
        "what is wrong is named with file, entry and key",
        arguments: [
            ("{ }", "{ }", "FILE: cluster 'c': 'server' is missing"),
            ("{ server: 'ftp://x' }", "{ }", "FILE: cluster 'c': 'server' is 'ftp://x', which is no address"),
            ("{ server: 12 }", "{ }", "FILE: cluster 'c': 'server' must be text"),
            (
                "{ server: 'https://h', certificate-authority-data: '!!' }", "{ }",
                "FILE: cluster 'c': 'certificate-authority-data' is no base64"
            ),
            (
                "{ server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: x }", "{ }",
                "FILE: cluster 'c': 'insecure-skip-tls-verify' and a certificate authority exclude each other"
            ),
            (
                "{ server: 'https://h', insecure-skip-tls-verify: 'true' }", "{ }",
                "FILE: cluster 'c': 'insecure-skip-tls-verify' must be true or false"
            ),
            (
                "{ server: 'https://h', proxy-url: 'ftp://p' }", "{ }",
                "FILE: cluster 'c': 'proxy-url' has the scheme 'ftp'"
            ),
            ("{ server: 'https://h' }", "{ token: 1 }", "FILE: user 'u': 'token' must be text"),
            ("{ server: 'https://h' }", "{ client-key: k }", "FILE: user 'u': 'client-key' is given without"),
            ("{ server: 'https://h' }", "{ token: t, username: u }", "FILE: user 'u': both a token and 'username'"),
            ("{ server: 'https://h' }", "{ as-groups: [a] }", "FILE: user 'u': 'as-uid', 'as-groups' and"),
            ("{ server: 'https://h' }", "{ exec: { command: x } }", "FILE: user 'u': exec: 'apiVersion' is missing"),
            (
                "{ server: 'https://h' }",
                "{ exec: { command: x, apiVersion: client.authentication.k8s.io/v1alpha1 } }",
                "FILE: user 'u': exec: 'apiVersion' is 'client.authentication.k8s.io/v1alpha1'; known are"
            ),
            (
                "{ server: 'https://h' }", "{ auth-provider: { name: gcp } }",
                "FILE: user 'u': 'auth-provider' (gcp) is gone"
            ),
        ]
    )
    func complaints(_ cluster: String, _ user: String, _ words: String) {
        let said = message { try config(cluster: cluster, user: user) }
        #expect(said.hasPrefix(words), "\(said)")
    }

    @Test("a missing context, cluster or user names the nearest")
    func missingEntries() throws {
        let set = try KubeConfigSet(text: Self.text(), name: "FILE")
        #expect(message { try set.config(context: "onne") } == "FILE: there is no context 'onne'; did you mean 'one'?")
        let other = Self.text().replacing("cluster: c,", with: "cluster: d,")
        #expect(
            message { try KubeConfigSet(text: other, name: "FILE").config() }
                == "FILE: context 'one': there is no cluster 'd'; did you mean 'c'?"
        )
        let none = Self.text().replacing("current-context: one", with: "current-context: ''")
        let said = message { try KubeConfigSet(text: none, name: "FILE").config() }
        #expect(said == "FILE: no 'current-context' is set; name one with --context; known are: one")
    }

    @Test(
        "a text that is no kubeconfig is refused",
        arguments: [
            ("a: [", "FILE:"), ("- a", "FILE: is no kubeconfig"),
            ("kind: Pod", "FILE: is no kubeconfig: its kind is 'Pod'"),
            ("clusters: {}", "FILE: 'clusters' must be a list"),
            ("users: [{ user: {} }]", "FILE: users[0]: 'name' is missing"),
            ("users: [{ name: a }, { name: a }]", "FILE: 'users' has 'a' more than once"),
        ]
    )
    func noKubeconfig(_ text: String, _ words: String) {
        let said = message { try KubeConfigSet(text: text, name: "FILE") }
        #expect(said.hasPrefix(words), "\(said)")
    }

    @Test(
        "of several files the first one's entries and current context hold, whole; missing and empty files are passed over"
    )
    func merging() throws {
        let folder = try TestFolder()
        let first = try folder.write(
            "a",
            """
            clusters: [{ name: c, cluster: { server: 'https://first' } }]
            users: [{ name: u, user: { username: me, password: pw } }]
            """
        )
        let second = try folder.write(
            "b",
            """
            current-context: two
            contexts: [{ name: two, context: { cluster: c, user: u } }]
            clusters: [{ name: c, cluster: { server: 'https://second', tls-server-name: x } }]
            users: [{ name: u, user: { token: t } }]
            """
        )
        let third = try folder.write(
            "c",
            "current-context: three\ncontexts: [{ name: three, context: { cluster: c } }]"
        )
        let empty = try folder.write("d", "")
        let environment = ["KUBECONFIG": "\(folder.path)/none:\(empty):\(first)::\(second):\(third)"]
        let config = try KubeConfig.find(environment: environment)
        #expect(config.context == "two")
        #expect(config.server == "https://first")
        #expect(config.serverName == nil)
        #expect(config.user.basic == KubeUser.Basic(username: "me", password: "pw"))
        #expect(config.user.token == nil)
        #expect(try KubeConfig.find(context: "three", environment: environment).user.basic == nil)
        #expect(try KubeConfigSet(environment: environment).contextNames == ["three", "two"])
    }

    @Test("without KUBECONFIG it is the home's file, then a pod's service account, and a named file must be there")
    func places() throws {
        let folder = try TestFolder()
        let home = ["HOME": folder.path]
        #expect(message { try KubeConfig.find(environment: home) }.hasPrefix("there is no kubeconfig"))
        #expect(
            message { try KubeConfig.find(path: "/none", environment: home) } == "the kubeconfig '/none' does not exist"
        )
        try folder.write(".kube/config", Self.text())
        #expect(try KubeConfig.find(environment: home).context == "one")
    }

    @Test("in a pod the service account's files are used, and its token is read from the file each time")
    func pod() throws {
        let folder = try TestFolder()
        let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
        #expect(try KubeConfig.inCluster(environment: environment, folder: folder.path) == nil)
        try folder.write("token", "abc\n")
        try folder.write("namespace", "shop\n")
        let config = try #require(try KubeConfig.inCluster(environment: environment, folder: folder.path))
        #expect(config.server == "https://[fd00::1]:443")
        #expect(config.namespace == "shop")
        #expect(config.authority == .file("\(folder.path)/ca.crt"))
        #expect(config.user.tokenFile == "\(folder.path)/token")
        #expect(try KubeConfig.inCluster(environment: [:], folder: folder.path) == nil)
    }

    @Test("the self-contained form says the same and needs no file")
    func selfContained() throws {
        let folder = try TestFolder()
        try folder.write("ca", "CA")
        try folder.write("crt", "CRT")
        try folder.write("key", "KEY")
        try folder.write("token", "tok\n")
        let user = """
            { client-certificate: crt, client-key: key, tokenFile: token, as: root, as-groups: [g], \
            exec: { apiVersion: client.authentication.k8s.io/v1, command: login, env: [{ name: A, value: b }] } }
            """
        let cluster =
            "{ server: 'https://h', certificate-authority: ca, tls-server-name: kube, proxy-url: 'http://u:p@x:1' }"
        let config = try KubeConfig.load(path: try folder.write("config", Self.text(cluster: cluster, user: user)))
        let text = try config.selfContained(name: "prod").text
        let again = try KubeConfigSet(text: text, name: "SECRET").config()
        #expect(again.context == "prod" && again.namespace == "shop" && again.serverName == "kube")
        #expect(again.authority == .text("CA"))
        #expect(again.user.identity == KubeUser.Identity(certificate: .text("CRT"), key: .text("KEY")))
        #expect(again.user.token == "tok" && again.user.tokenFile == nil)
        #expect(again.user.plugin == config.user.plugin)
        #expect(again.user.impersonation == config.user.impersonation)
        #expect(again.proxy == config.proxy)
    }

    @Test(
        "the environment's proxy is used except for this machine and what NO_PROXY names",
        arguments: [
            ("https://a.example:6443", "", true), ("https://127.0.0.1:6443", "", false),
            ("https://localhost", "", false),
            ("https://a.example:6443", "example.org", true), ("https://a.example", ".example", false),
            ("https://a.example", "a.example", false), ("https://b.a.example", "a.example", false),
            ("https://ba.example", "a.example", true), ("https://10.1.2.3", "10.0.0.0/8", false),
            ("https://11.1.2.3", "10.0.0.0/8,192.168.0.0/16", true),
            ("https://a.example:6443", "a.example:6443", false),
            ("https://a.example:6443", "a.example:443", true), ("https://x", "y, *", false),
            ("http://a.example", "", false),
        ]
    )
    func environmentProxy(_ server: String, _ exceptions: String, _ isUsed: Bool) throws {
        let environment = ["https_proxy": "proxy.example:3128", "NO_PROXY": exceptions]
        let proxy = try ProxyAddress.ofEnvironment(environment, for: server)
        #expect(proxy?.description == (isUsed ? "http://proxy.example:3128" : nil))
    }
}
