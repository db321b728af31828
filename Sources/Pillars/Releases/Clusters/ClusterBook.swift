// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// Keeps the clusters in the home cluster.
package struct ClusterBook: Sendable {
    private let home: any ClusterAPI

    package init(home: any ClusterAPI) { self.home = home }

    /// All but the home cluster itself, by name.
    package func all() async throws -> [KnownCluster] {
        try await home.records(ListQuery(.clusters)).map { KnownCluster($0) }.sorted { $0.name < $1.name }
    }

    /// `local` first.
    package func names() async throws -> [String] { [ClusterName.local.text] + (try await all().map(\.name)) }

    /// Throws `notFound` naming the nearest.
    package func cluster(named name: String) async throws -> KnownCluster {
        if let object = try await home.find(ObjectReference(.clusters, name: name)) { return KnownCluster(object) }
        let known = try await names()
        throw Failure(.notFound, "there is no cluster '\(name)'\(NearestName.hint(for: name, among: known))")
    }

    /// The kubeconfig that was stored with it, as text.
    package func kubeconfig(of cluster: KnownCluster) async throws -> String {
        guard let secret = try await home.find(cluster.secret) else {
            throw Failure(
                .notFound,
                "the credentials of the cluster '\(cluster.name)' are gone (\(cluster.secret.words)); add it again with --replace"
            )
        }
        let data = secret[path: "data", KnownCluster.secretKey]?.string ?? ""
        guard let text = Base64.decode(data).flatMap({ String(validating: $0, as: UTF8.self) }), !text.isEmpty else {
            throw Failure(.invalidInput, "\(cluster.secret.words) has no '\(KnownCluster.secretKey)'")
        }
        return text
    }

    /// Throws `conflict` where there is one of that name, and `invalidInput` where none can be called so.
    package func checkFree(_ name: String) async throws {
        try KnownCluster.check(name: name)
        guard try await home.find(ObjectReference(.clusters, name: name)) == nil else {
            throw Failure(
                .conflict,
                "there is a cluster '\(name)' already; '--replace' gives it new credentials, and 'ballast clusters remove \(name)' forgets it"
            )
        }
    }

    /// Stores a cluster and its kubeconfig: both or neither.
    package func add(_ cluster: KnownCluster, kubeconfig: JSON) async throws {
        try await checkFree(cluster.name)
        let secret = cluster.secretObject(kubeconfig)
        do {
            _ = try await home.create(secret, as: .secrets)
        } catch let failure as Failure where failure.code == .conflict {
            // What an addition that was killed has left.
            try await home.delete(cluster.secret)
            _ = try await home.create(secret, as: .secrets)
        }
        do {
            _ = try await home.create(cluster.object, as: .clusters)
        } catch {
            try? await home.delete(cluster.secret)
            throw error
        }
    }

    /// Gives a known cluster other credentials, or another address; what refers to it stays.
    ///
    /// The Secret goes first: it is what counts, the rest is for people.
    package func replace(_ cluster: KnownCluster, kubeconfig: JSON) async throws {
        let known = try await self.cluster(named: cluster.name)
        let secret = cluster.secretObject(kubeconfig)
        do {
            _ = try await home.patch(cluster.secret, .merge, ["data": secret["data"] ?? [:]])
        } catch let failure as Failure where failure.code == .notFound {
            _ = try await home.create(secret, as: .secrets)
        }
        var spec = cluster.object.spec
        // In a merge patch what is not said stays.
        if cluster.plugin == nil { spec["plugin"] = .null }
        _ = try await home.patch(known.reference, .merge, ["spec": spec])
    }

    /// Forgets a cluster; nothing on the cluster itself is touched. The Secret goes first: without it the name still says
    /// what is left to do.
    package func remove(_ cluster: KnownCluster) async throws {
        do {
            try await home.delete(cluster.secret)
        } catch let failure as Failure where failure.code == .notFound {}
        try await home.delete(cluster.reference, options: DeleteOptions(uid: cluster.uid.isEmpty ? nil : cluster.uid))
    }

    /// The apps whose files send them to that cluster, as `NAMESPACE/NAME`.
    package func apps(on name: String) async throws -> [String] {
        try await home.records(ListQuery(.apps)).filter { app in
            let waves = app[path: "spec", "deploy", "clusters"]?.array ?? []
            return waves.contains { $0.string == name || $0.array?.contains(.string(name)) == true }
        }.map { ObjectName($0).description }.sorted()
    }
}
