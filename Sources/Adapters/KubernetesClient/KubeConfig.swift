// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Foundation
import Model

/// How to reach a cluster: a kubeconfig file's chosen context.
package struct KubeConfig: Sendable {
    /// Without a trailing slash: `https://127.0.0.1:6443`.
    package var server: String
    /// PEM; `nil` trusts the system's authorities.
    package var authority: String?
    package var skipsVerification = false
    /// The name to verify instead of the server's host.
    package var serverName: String?
    /// PEM certificate and key.
    package var clientCertificate: (certificate: String, key: String)?
    package var token: String?
    package var basic: (username: String, password: String)?
    package var namespace = "default"

    package init(server: String) { self.server = server }
}

extension KubeConfig {
    /// Reads a kubeconfig file and picks `context`, or the file's current one.
    ///
    /// Throws `invalidInput` naming the file, the line where the text is no YAML, and what is missing.
    package static func load(path: String, context: String? = nil) throws -> KubeConfig {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let why = ErrorWords.text(of: error)
            throw Failure(.notFound, "the kubeconfig '\(path)' cannot be read (\(why)); is 'ballast up' running?")
        }
        do {
            let root = try YAMLDocument.parse(text).json
            return try KubeConfig(
                root,
                context: context,
                folder: URL(fileURLWithPath: path).deletingLastPathComponent()
            )
        } catch let error as YAMLError {
            throw Failure(.invalidInput, "\(path):\(error.line): \(error.message)")
        } catch let failure as Failure {
            throw Failure(failure.code, "\(path): \(failure.message)", cause: failure.cause)
        }
    }

    private init(_ root: JSON, context wanted: String?, folder: URL) throws {
        guard let contextName = wanted ?? root["current-context"]?.string, !contextName.isEmpty else {
            throw Failure(.invalidInput, "no 'current-context' is set; name one with --context")
        }
        let context = try Self.entry(root, "contexts", contextName, "context")
        let cluster = try Self.entry(root, "clusters", context["cluster"]?.string ?? "", "cluster")
        guard let server = cluster["server"]?.string, let url = URL(string: server), url.host != nil else {
            throw Failure(.invalidInput, "the cluster of context '\(contextName)' has no valid 'server'")
        }
        self.init(server: server.hasSuffix("/") ? String(server.dropLast()) : server)
        authority = try Self.material(cluster, "certificate-authority", folder)
        skipsVerification = cluster["insecure-skip-tls-verify"]?.bool ?? false
        serverName = cluster["tls-server-name"]?.string
        namespace = context["namespace"]?.string ?? "default"
        guard let userName = context["user"]?.string, !userName.isEmpty else { return }
        try readUser(try Self.entry(root, "users", userName, "user"), folder)
    }

    private mutating func readUser(_ user: JSON, _ folder: URL) throws {
        if let certificate = try Self.material(user, "client-certificate", folder),
            let key = try Self.material(user, "client-key", folder)
        {
            clientCertificate = (certificate, key)
        }
        token = user["token"]?.string
        if let file = user["tokenFile"]?.string {
            token = try Self.read(file, folder).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if let username = user["username"]?.string { basic = (username, user["password"]?.string ?? "") }
        if user["exec"] != nil || user["auth-provider"] != nil {
            throw Failure(.invalidInput, "credentials by 'exec' or 'auth-provider' are not supported yet; use a token")
        }
    }

    private static func entry(_ root: JSON, _ list: String, _ name: String, _ member: String) throws -> JSON {
        let entries = root[list]?.array ?? []
        guard let found = entries.first(where: { $0["name"]?.string == name })?[member] else {
            let known = entries.compactMap { $0["name"]?.string }.joined(separator: ", ")
            throw Failure(.invalidInput, "'\(list)' has no '\(name)'; it has: \(known)")
        }
        return found
    }

    /// PEM given as `NAME-data` in base64, or as the path of a file relative to the kubeconfig.
    private static func material(_ object: JSON, _ name: String, _ folder: URL) throws -> String? {
        if let encoded = object["\(name)-data"]?.string {
            guard let text = Base64.decode(encoded).flatMap({ String(validating: $0, as: UTF8.self) }) else {
                throw Failure(.invalidInput, "'\(name)-data' is no base64 of a PEM text")
            }
            return text
        }
        return try object[name]?.string.map { try read($0, folder) }
    }

    private static func read(_ path: String, _ folder: URL) throws -> String {
        let url = URL(fileURLWithPath: path, relativeTo: folder)
        do {
            return try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw Failure(.invalidInput, "'\(url.path)' cannot be read", cause: error)
        }
    }
}
