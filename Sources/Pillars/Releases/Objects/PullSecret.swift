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

    /// The login that the app's file names, from the home cluster; `nil` where it names none.
    ///
    /// Throws `notFound` where there is no such Secret, and what ``login(from:for:)`` throws.
    static func login(of app: App, for image: ImageReference, in home: any ClusterAPI, _ retry: CallRetry) async throws
        -> RegistryCredentials?
    {
        guard let name = app.image.credentials else { return nil }
        let own = app.namespace.text
        for namespace in [own, ReleaseRecord.systemNamespace] {
            let reference = ObjectReference(.secrets, namespace: namespace, name: name)
            let secret = try await retry("read \(reference.words)") { try await home.findShared(reference) }
            if let secret { return try login(from: secret, for: image) }
        }
        throw Failure(
            .notFound,
            "the Secret '\(name)' of spec.image.credentials exists neither in '\(own)' nor in '\(ReleaseRecord.systemNamespace)'; create it with 'kubectl -n \(own) create secret docker-registry \(name) --docker-server=\(image.registry) --docker-username=… --docker-password=…'"
        )
    }

    /// Reads the login for an image from a Secret: `username` and `password`, `.dockerconfigjson`, or the older `.dockercfg`.
    ///
    /// Throws `invalidInput` where it holds none, or one with which nodes cannot pull: the kubelet knows names and passwords
    /// alone, so a token would do for the push and then leave every pod without its image.
    static func login(from secret: KubeObject, for image: ImageReference) throws -> RegistryCredentials {
        let data = secret["data"]?.stringMap ?? [:]
        func bytes(_ key: String) -> [UInt8]? { data[key].flatMap { Base64.decode($0) } }
        func text(_ key: String) -> String? { bytes(key).map { String(decoding: $0, as: UTF8.self) } }
        if let username = text("username"), let password = text("password") {
            return RegistryCredentials(username: username, password: password)
        }
        guard let document = bytes(".dockerconfigjson") ?? bytes(".dockercfg"),
            let config = try? DockerConfig(parsing: document)
        else {
            throw Failure(
                .invalidInput,
                "the Secret '\(secret.name)' holds neither 'username' and 'password' nor a readable '.dockerconfigjson'"
            )
        }
        guard let entry = config.entry(for: image.registry, repository: image.repository) else {
            let known = config.entries.map(\.address).joined(separator: ", ")
            throw Failure(
                .invalidInput,
                "the Secret '\(secret.name)' has no login for '\(image.registry)'; it has: \(known)"
            )
        }
        return try login(in: entry, secret, image.registry)
    }

    private static func login(in entry: DockerConfig.Entry, _ secret: KubeObject, _ host: String) throws
        -> RegistryCredentials
    {
        let name = "the login for '\(host)' in the Secret '\(secret.name)'"
        let login: RegistryCredentials?
        do {
            login = try entry.login()
        } catch let failure as Failure {
            throw Failure(failure.code, "\(name) cannot be read: \(failure.message)")
        }
        guard var login, login.registryToken != nil || login.identityToken != nil || !login.username.isEmpty else {
            throw Failure(.invalidInput, "\(name) is incomplete")
        }
        if login.password.isEmpty, login.username == azureUser, let token = login.identityToken {
            login.password = token
        }
        guard !login.username.isEmpty, !login.password.isEmpty else {
            throw Failure(
                .invalidInput,
                "\(name) is a token, with which nodes cannot pull; put a user's name and password there, or those of a robot account"
            )
        }
        return login
    }

    /// Azure's registries take their token as the password of this user, too.
    private static let azureUser = "00000000-0000-0000-0000-000000000000"
}
