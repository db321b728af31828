// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The Secret with which nodes log in at a registry.
enum PullSecret {
    /// Tells Ballast's own helpers apart from what an app asked for.
    static let roleLabel = "ballast.dev/role"

    /// One for each credential and host in a namespace, whatever apps use it: what the pods name in `imagePullSecrets`.
    ///
    /// `nil` where the app's image needs no login.
    static func name(for app: App) -> String? {
        guard let credential = app.image.credentials else { return nil }
        let host = app.image.pullHost ?? ImageReference(app.image.repository)?.registry ?? ""
        let label = host.lowercased().map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
        return "ballast-pull-\(credential).\(String(label))"
    }

    static func reference(for app: App) -> ObjectReference? {
        name(for: app).map { ObjectReference(.secrets, namespace: app.namespace.text, name: $0) }
    }

    /// `host` is the one that nodes pull from.
    static func object(for app: App, _ host: String, _ login: RegistryCredentials) -> KubeObject {
        var secret = KubeObject(
            .secrets,
            namespace: app.namespace.text,
            name: name(for: app) ?? "ballast-pull",
            labels: ["app.kubernetes.io/managed-by": "ballast", roleLabel: "pull-secret"]
        )
        let auth = Base64.encode(Array("\(login.username):\(login.password)".utf8))
        let entry: JSON = [
            "username": .string(login.username), "password": .string(login.password), "auth": .string(auth),
        ]
        let document: JSON = ["auths": .object([key(of: host): entry])]
        secret["type"] = "kubernetes.io/dockerconfigjson"
        secret["data"] = [".dockerconfigjson": .string(Base64.encode(document.bytes))]
        return secret
    }

    /// Docker's own registry has a key of its own kind.
    private static func key(of host: String) -> String { host == "docker.io" ? "https://index.docker.io/v1/" : host }

    /// Reads the login for an image from a Secret of type dockerconfigjson, or with `username` and `password`.
    static func login(from secret: KubeObject, for image: ImageReference) throws -> RegistryCredentials {
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
                "the Secret '\(secret.name)' holds neither 'username' and 'password' nor a readable '.dockerconfigjson'"
            )
        }
        let entries = json["auths"]?.object ?? [:]
        let matches = entries.compactMap { key, entry in matchLength(key, image).map { (length: $0, entry: entry) } }
        guard let entry = matches.max(by: { $0.length < $1.length })?.entry else {
            let known = entries.keys.joined(separator: ", ")
            throw Failure(
                .invalidInput,
                "the Secret '\(secret.name)' has no login for '\(image.registry)'; it has: \(known)"
            )
        }
        return try login(in: entry, secret, image.registry)
    }

    private static func login(in entry: JSON, _ secret: KubeObject, _ host: String) throws -> RegistryCredentials {
        if let username = entry["username"]?.string, let password = entry["password"]?.string {
            return RegistryCredentials(username: username, password: password)
        }
        guard let auth = entry["auth"]?.string.flatMap({ Base64.decode($0) }) else {
            throw Failure(.invalidInput, "the login for '\(host)' in the Secret '\(secret.name)' is incomplete")
        }
        let text = String(decoding: auth, as: UTF8.self)
        guard let colon = text.firstIndex(of: ":") else {
            throw Failure(.invalidInput, "the 'auth' for '\(host)' in the Secret '\(secret.name)' is no user:password")
        }
        return RegistryCredentials(
            username: String(text[..<colon]),
            password: String(text[text.index(after: colon)...])
        )
    }

    /// How much of an image's name a key such as `registry.internal/shop` or `https://index.docker.io/v1/` covers; `nil` where
    /// it is another's.
    private static func matchLength(_ key: String, _ image: ImageReference) -> Int? {
        var key = Substring(key)
        for scheme in ["https://", "http://"] where key.hasPrefix(scheme) { key = key.dropFirst(scheme.count) }
        let host = key.prefix { $0 != "/" }
        var path = key.dropFirst(host.count)
        while path.first == "/" { path.removeFirst() }
        while path.last == "/" { path.removeLast() }
        if path == "v1" || path == "v2" { path = "" }
        let isDocker = ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(host)
        guard host == image.registry || isDocker && image.registry == "docker.io" else { return nil }
        guard path.isEmpty || image.repository == path || image.repository.hasPrefix("\(path)/") else { return nil }
        return path.count
    }
}
