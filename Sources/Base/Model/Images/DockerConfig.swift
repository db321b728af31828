// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The logins of Docker's `config.json`, of containers' `auth.json`, of the older `.dockercfg`, or of a pull secret.
///
/// One entry that cannot be read spoils only itself: it is an error when it is the one that is wanted.
package struct DockerConfig: Sendable, Hashable {
    /// One member of `auths` as it is written.
    package struct Entry: Sendable, Hashable {
        /// The key: a host, with or without scheme and path.
        package var address: String
        /// Base64 of `user:password`.
        package var auth: String?
        package var username: String?
        package var password: String?
        package var identityToken: String?
        package var registryToken: String?
    }

    /// A program `docker-credential-<name>` and the address that it is asked about.
    package struct Helper: Sendable, Hashable {
        package var name: String
        package var server: String
    }

    package private(set) var entries: [Entry] = []
    package private(set) var helpers: [Helper] = []
    /// The helper of all registries that have none of their own.
    package private(set) var store: String?

    /// Throws `invalidInput` where the document is no configuration at all.
    package init(_ json: JSON) throws {
        guard let document = json.object else { throw Failure(.invalidInput, "is no JSON object") }
        let known = ["auths", "credHelpers", "credsStore"]
        guard known.contains(where: { document[$0] != nil }) else {
            // Before 2015 the logins were the whole document.
            entries = document.compactMap { $1.object == nil ? nil : Entry($0, $1) }.filter { !$0.isEmpty }
            return
        }
        func members(_ key: String) throws -> JSONObject {
            guard let value = json[key], value != .null else { return [:] }
            guard let object = value.object else {
                throw Failure(.invalidInput, "has something else than an object as '\(key)'")
            }
            return object
        }
        entries = try members("auths").map { Entry($0, $1) }
        helpers = try members("credHelpers").compactMap { key, value in
            value.string.flatMap { $0.isEmpty ? nil : Helper(name: $0, server: key) }
        }
        store = json["credsStore"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    package init(parsing text: [UInt8]) throws { try self.init(JSON(parsing: text)) }

    // MARK: questions

    /// The entry for a registry, or for one of its repositories: the longest path that covers it, then the plainest spelling.
    package func entry(for host: String, repository: String? = nil) -> Entry? {
        Self.best(entries, host, repository, address: \.address)
    }

    /// The program to ask about a registry: its own one, or the one for all.
    package func helper(for host: String, repository: String? = nil) -> Helper? {
        ownHelper(for: host, repository: repository)
            ?? store.map { Helper(name: $0, server: storeKey(host, repository)) }
    }

    package func ownHelper(for host: String, repository: String? = nil) -> Helper? {
        Self.best(helpers, host, repository, address: \.server)
    }

    /// Docker leaves an empty entry under the address that its store knows a login by.
    private func storeKey(_ host: String, _ repository: String?) -> String {
        if let entry = entry(for: host, repository: repository) { return entry.address }
        return RegistryKey.canonical(host) == "docker.io" ? "https://index.docker.io/v1/" : host
    }

    private static func best<Item>(
        _ items: [Item],
        _ host: String,
        _ repository: String?,
        address: (Item) -> String
    ) -> Item? {
        items.compactMap { item in
            RegistryKey(address(item)).rank(for: host, repository).map { (rank: $0, item: item) }
        }
        .max { $0.rank < $1.rank }?.item
    }
}

extension DockerConfig.Entry {
    init(_ address: String, _ json: JSON) {
        func text(_ key: String) -> String? { json[key]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        self.address = address
        auth = text("auth")
        username = text("username")
        password = text("password")
        identityToken = text("identitytoken")
        registryToken = text("registrytoken")
    }

    var isEmpty: Bool { auth == nil && username == nil && identityToken == nil && registryToken == nil }

    /// The login that is written here, `nil` where there is none. `auth` counts before user name and password, as everywhere.
    ///
    /// Throws `invalidInput` where `auth` is no base64 of `user:password`.
    package func login() throws -> RegistryCredentials? {
        guard !isEmpty else { return nil }
        var login = RegistryCredentials(username: username ?? "", password: password ?? "")
        if let auth { (login.username, login.password) = try Self.split(auth, of: address) }
        login.identityToken = identityToken
        login.registryToken = registryToken
        return login
    }

    private static func split(_ auth: String, of address: String) throws -> (String, String) {
        // Some writers leave the padding out.
        let letters = auth.filter { !$0.isWhitespace && $0 != "=" }
        let padded = letters + String(repeating: "=", count: (4 - letters.utf8.count % 4) % 4)
        guard let bytes = Base64.decode(padded), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { throw Failure(.invalidInput, "the 'auth' for '\(address)' is no base64 of user:password") }
        // Docker has written passwords with zero bytes behind them.
        return (String(text[..<colon]), String(text[text.index(after: colon)...].prefix { $0 != "\0" }))
    }
}
