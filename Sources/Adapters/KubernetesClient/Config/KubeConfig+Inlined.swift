// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

extension KubeConfig {
    /// A kubeconfig of this one context that needs no file beside it: certificates, keys and tokens are inside. An exec
    /// plugin stays what it is: a command of the machine that uses the kubeconfig.
    package func selfContained(name: String) throws -> JSON {
        var cluster: JSON = ["server": .string(server)]
        if let authority { cluster["certificate-authority-data"] = .string(Self.encoded(try authority.read())) }
        if skipsVerification { cluster["insecure-skip-tls-verify"] = true }
        if let serverName { cluster["tls-server-name"] = .string(serverName) }
        if let proxy { cluster["proxy-url"] = .string(proxy.text) }
        if let pluginConfiguration {
            let entry: JSON = ["name": "client.authentication.k8s.io/exec", "extension": pluginConfiguration]
            cluster["extensions"] = [entry]
        }
        let context: JSON = ["cluster": .string(name), "user": .string(name), "namespace": .string(namespace)]
        return [
            "apiVersion": "v1", "kind": "Config", "current-context": .string(name),
            "clusters": [["name": .string(name), "cluster": cluster]],
            "users": [["name": .string(name), "user": try user.selfContained()]],
            "contexts": [["name": .string(name), "context": context]],
        ]
    }

    fileprivate static func encoded(_ text: String) -> String { Base64.encode(Array(text.utf8)) }
}

extension KubeUser {
    fileprivate func selfContained() throws -> JSON {
        var user: JSON = [:]
        if let identity {
            user["client-certificate-data"] = .string(KubeConfig.encoded(try identity.certificate.read()))
            user["client-key-data"] = .string(KubeConfig.encoded(try identity.key.read()))
        }
        if let token = try tokenFile.map({ try TokenFile.read($0) }) ?? token { user["token"] = .string(token) }
        if let basic {
            user["username"] = .string(basic.username)
            user["password"] = .string(basic.password)
        }
        if let plugin { user["exec"] = plugin.json }
        if let impersonation {
            user["as"] = .string(impersonation.user)
            if let uid = impersonation.uid { user["as-uid"] = .string(uid) }
            if !impersonation.groups.isEmpty { user["as-groups"] = .array(impersonation.groups.map { .string($0) }) }
            let extra = impersonation.extra.sorted { $0.key < $1.key }
            if !extra.isEmpty {
                user["as-user-extra"] = .object(
                    JSONObject(extra.map { ($0.key, .array($0.value.map { .string($0) })) })
                )
            }
        }
        return user
    }
}

extension CredentialPlugin {
    fileprivate var json: JSON {
        var json: JSON = [
            "apiVersion": .string(apiVersion), "command": .string(command),
            "args": .array(arguments.map { .string($0) }), "interactiveMode": .string(interaction.rawValue),
            "provideClusterInfo": .bool(providesClusterInfo),
        ]
        if !environment.isEmpty {
            json["env"] = .array(
                environment.sorted { $0.key < $1.key }.map { ["name": .string($0.key), "value": .string($0.value)] }
            )
        }
        if let installHint { json["installHint"] = .string(installHint) }
        return json
    }
}
