// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The Secret with which nodes log in at a registry.
enum PullSecret {
    static func object(
        named name: String,
        in namespace: NamespaceName,
        _ host: String,
        _ login: RegistryCredentials
    ) -> KubeObject {
        var secret = KubeObject(
            .secrets,
            namespace: namespace.text,
            name: name,
            labels: ["app.kubernetes.io/managed-by": "ballast"]
        )
        let auth = Base64.encode(Array("\(login.username):\(login.password)".utf8))
        let entry: JSON = [
            "username": .string(login.username), "password": .string(login.password), "auth": .string(auth),
        ]
        let document: JSON = ["auths": .object([host: entry])]
        secret["type"] = "kubernetes.io/dockerconfigjson"
        secret["data"] = [".dockerconfigjson": .string(Base64.encode(document.bytes))]
        return secret
    }

    /// Reads the login for `host` from a Secret of type dockerconfigjson, or with `username` and `password`.
    static func login(from secret: KubeObject, host: String) throws -> RegistryCredentials {
        let data = secret["data"]?.stringMap ?? [:]
        func text(_ key: String) -> String? {
            data[key].flatMap { Base64.decode($0) }.map { String(decoding: $0, as: UTF8.self) }
        }
        if let username = text("username"), let password = text("password") {
            return RegistryCredentials(username: username, password: password)
        }
        guard let document = text(".dockerconfigjson"), let json = try? JSON(parsing: document) else {
            throw Failure(
                .invalidInput,
                "the Secret '\(secret.name)' holds neither 'username' and 'password' nor '.dockerconfigjson'"
            )
        }
        guard let entry = json["auths"]?[host] else {
            let known = (json["auths"]?.object?.keys ?? []).joined(separator: ", ")
            throw Failure(.invalidInput, "the Secret '\(secret.name)' has no login for '\(host)'; it has: \(known)")
        }
        if let username = entry["username"]?.string, let password = entry["password"]?.string {
            return RegistryCredentials(username: username, password: password)
        }
        guard let auth = entry["auth"]?.string.flatMap({ Base64.decode($0) }) else {
            throw Failure(.invalidInput, "the login for '\(host)' in the Secret '\(secret.name)' is incomplete")
        }
        let parts = String(decoding: auth, as: UTF8.self).split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            throw Failure(.invalidInput, "the 'auth' for '\(host)' in the Secret '\(secret.name)' is no user:password")
        }
        return RegistryCredentials(username: parts[0], password: parts[1])
    }
}
