// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

extension KubeConfig {
    /// What a `clusters` entry says.
    init(cluster entry: KubeConfigEntry) throws {
        let authority = try entry.material("certificate-authority")
        let skips = try entry.flag("insecure-skip-tls-verify")
        if authority != nil, skips {
            throw entry.complaint("'insecure-skip-tls-verify' and a certificate authority exclude each other; keep one")
        }
        guard let text = try entry.text("server") else { throw entry.complaint("'server' is missing") }
        guard let server = Self.address(text, isTLS: authority != nil || skips) else {
            throw entry.complaint("'server' is '\(text)', which is no address such as 'https://10.0.0.1:6443'")
        }
        self.init(server: server)
        self.authority = authority
        skipsVerification = skips
        serverName = try entry.text("tls-server-name")
        proxy = try entry.text("proxy-url").map { text in
            do {
                return try ProxyAddress(text)
            } catch let failure as Failure {
                throw entry.complaint("'proxy-url' \(failure.message)")
            }
        }
        let extensions = entry.json["extensions"]?.array ?? []
        pluginConfiguration =
            extensions.first { $0["name"]?.string == "client.authentication.k8s.io/exec" }?["extension"]
    }

    /// `nil` where the text is no address. One without a scheme is https where a certificate is spoken of, as in kubectl.
    static func address(_ text: String, isTLS: Bool) -> String? {
        var text = text.contains("://") ? text : "\(isTLS ? "https" : "http")://\(text)"
        while text.hasSuffix("/") { text.removeLast() }
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            ["http", "https"].contains(parts.scheme), parts.query == nil, parts.fragment == nil, parts.user == nil
        else { return nil }
        return text
    }
}

extension KubeUser {
    /// What a `users` entry says.
    init(_ entry: KubeConfigEntry) throws {
        self.init()
        name = entry.name
        let certificate = try entry.material("client-certificate")
        let key = try entry.material("client-key")
        switch (certificate, key) {
        case (let certificate?, let key?): identity = Identity(certificate: certificate, key: key)
        case (.some, nil): throw entry.complaint("'client-certificate' is given without 'client-key'")
        case (nil, .some): throw entry.complaint("'client-key' is given without 'client-certificate'")
        case (nil, nil): break
        }
        token = try entry.text("token")
        tokenFile = try entry.path("tokenFile")
        let username = try entry.text("username")
        let password = try entry.text("password")
        if username != nil || password != nil { basic = Basic(username: username ?? "", password: password ?? "") }
        if basic != nil, token != nil || tokenFile != nil {
            throw entry.complaint("both a token and 'username' are given; keep one")
        }
        plugin = try entry.inner("exec").map { try CredentialPlugin($0) }
        if let provider = try entry.inner("auth-provider") {
            let name = try provider.text("name") ?? ""
            throw entry.complaint("'auth-provider' (\(name)) is gone from Kubernetes since 1.26; use its exec plugin")
        }
        impersonation = try Impersonation(entry)
    }
}

extension Impersonation {
    fileprivate init?(_ entry: KubeConfigEntry) throws {
        let extra = try entry.inner("as-user-extra")
        let keys = extra?.json.object?.keys ?? []
        let values = try Dictionary(uniqueKeysWithValues: keys.map { ($0, try extra?.texts($0) ?? []) })
        let (uid, groups) = (try entry.text("as-uid"), try entry.texts("as-groups"))
        guard let user = try entry.text("as") else {
            guard uid == nil, groups.isEmpty, values.isEmpty else {
                throw entry.complaint("'as-uid', 'as-groups' and 'as-user-extra' need 'as'")
            }
            return nil
        }
        self.init(user: user, uid: uid, groups: groups, extra: values)
    }
}

extension CredentialPlugin {
    fileprivate init(_ entry: KubeConfigEntry) throws {
        guard let command = try entry.text("command") else { throw entry.complaint("'command' is missing") }
        guard let apiVersion = try entry.text("apiVersion") else { throw entry.complaint("'apiVersion' is missing") }
        guard Self.versions.contains(apiVersion) else {
            let known = Self.versions.joined(separator: " and ")
            throw entry.complaint("'apiVersion' is '\(apiVersion)'; known are \(known)")
        }
        // A bare name is looked for in PATH, a relative path starts at the kubeconfig.
        self.init(apiVersion: apiVersion, command: command.contains("/") ? entry.absolute(command) : command)
        arguments = try entry.texts("args")
        installHint = try entry.text("installHint")
        providesClusterInfo = try entry.flag("provideClusterInfo")
        if let text = try entry.text("interactiveMode") {
            guard let known = Interaction(rawValue: text) else {
                throw entry.complaint("'interactiveMode' is '\(text)'; known are Never, IfAvailable and Always")
            }
            interaction = known
        }
        guard let list = entry.json["env"], !list.isNull else { return }
        for item in list.array ?? [] {
            guard let name = item["name"]?.string, !name.isEmpty, let value = item["value"]?.string else {
                throw entry.complaint("each of 'env' needs 'name' and 'value' as texts")
            }
            environment[name] = value
        }
    }
}
