// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

/// Several kubeconfigs seen as one, as kubectl merges them: of entries with one name the first file's holds, whole; the
/// current context is the first file's that sets one.
package struct KubeConfigSet: Sendable {
    private let files: [String]
    private let currentContext: String?
    private let clusters: [String: KubeConfigEntry]
    private let users: [String: KubeConfigEntry]
    private let contexts: [String: KubeConfigEntry]

    /// The names of all contexts, sorted.
    package var contextNames: [String] { contexts.keys.sorted() }
    package var isEmpty: Bool { contexts.isEmpty && clusters.isEmpty && users.isEmpty }

    init(_ files: [KubeConfigFile]) {
        func first(_ entries: [KubeConfigEntry]) -> [String: KubeConfigEntry] {
            Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        }
        self.files = files.map(\.name)
        currentContext = files.lazy.compactMap(\.currentContext).first
        clusters = first(files.flatMap(\.clusters))
        users = first(files.flatMap(\.users))
        contexts = first(files.flatMap(\.contexts))
    }

    /// One named file, which must be there.
    package init(path: String) throws {
        guard let file = try KubeConfigFile.read(path) else {
            throw Failure(.notFound, "the kubeconfig '\(path)' does not exist")
        }
        self.init([file])
    }

    /// A kubeconfig that is no file; `name` is what errors call it. Paths in it must be absolute.
    package init(text: String, name: String) throws {
        self.init([try KubeConfigFile(text: text, name: name, folder: "/")])
    }

    /// The files of `KUBECONFIG`, separated by colons, else `~/.kube/config`; those that do not exist are passed over.
    package init(environment: [String: String]) throws {
        let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        let usual = "\(environment["HOME"] ?? "/root")/.kube/config"
        self.init(try (listed.isEmpty ? [usual] : listed).compactMap { try KubeConfigFile.read($0) })
    }

    /// What one context says, or the current one.
    package func config(context wanted: String? = nil) throws -> KubeConfig {
        let place = files.isEmpty ? "no kubeconfig" : files.joined(separator: ", ")
        guard let name = wanted ?? currentContext, !name.isEmpty else {
            throw Failure(
                .invalidInput,
                "\(place): no 'current-context' is set; name one with --context\(known(contexts))"
            )
        }
        guard let context = contexts[name] else {
            throw Failure(.notFound, "\(place): there is no context '\(name)'\(hint(name, contexts))")
        }
        guard let clusterName = try context.text("cluster") else { throw context.complaint("'cluster' is missing") }
        guard let cluster = clusters[clusterName] else {
            throw context.complaint("there is no cluster '\(clusterName)'\(hint(clusterName, clusters))", .notFound)
        }
        var config = try KubeConfig(cluster: cluster)
        config.context = name
        config.namespace = try context.text("namespace") ?? "default"
        guard let userName = try context.text("user") else { return config }
        guard let user = users[userName] else {
            throw context.complaint("there is no user '\(userName)'\(hint(userName, users))", .notFound)
        }
        config.user = try KubeUser(user)
        return config
    }

    private func known(_ entries: [String: KubeConfigEntry]) -> String {
        entries.isEmpty ? "" : "; known are: \(entries.keys.sorted().joined(separator: ", "))"
    }

    private func hint(_ name: String, _ entries: [String: KubeConfigEntry]) -> String {
        NearestName.hint(for: name, among: entries.keys.sorted())
    }
}

extension KubeConfig {
    /// Reads one kubeconfig file and picks `context`, or the file's current one.
    package static func load(path: String, context: String? = nil) throws -> KubeConfig {
        try KubeConfigSet(path: path).config(context: context)
    }

    /// As kubectl finds it: the named file; else those of `KUBECONFIG`, else `~/.kube/config`, else the service account of
    /// the pod this runs in.
    package static func find(
        path: String? = nil,
        context: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> KubeConfig {
        let set = try path.map { try KubeConfigSet(path: $0) } ?? KubeConfigSet(environment: environment)
        if set.isEmpty, path == nil {
            if let own = try inCluster(environment: environment) { return own }
            throw Failure(
                .notFound,
                "there is no kubeconfig: KUBECONFIG names no file that exists, nor is there ~/.kube/config"
            )
        }
        return try set.config(context: context).proxied(by: environment)
    }

    /// With the environment's proxy where the kubeconfig names none.
    package func proxied(by environment: [String: String]) throws -> KubeConfig {
        guard proxy == nil else { return self }
        var config = self
        config.proxy = try ProxyAddress.ofEnvironment(environment, for: server)
        return config
    }
}
