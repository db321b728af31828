// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOHTTP1
import Ports

/// Asks a cluster what it serves and keeps the answer: by the aggregated discovery (two requests), or group by group where
/// the server is too old for that.
actor Discovery: ClusterSchema {
    private let link: ClusterLink
    private var catalog: KindCatalog?
    private var reading: Task<KindCatalog, any Error>?

    private static let aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
        + "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

    init(_ link: ClusterLink) { self.link = link }

    func catalog(isFresh: Bool) async throws -> KindCatalog {
        if let catalog, !isFresh { return catalog }
        if let reading { return try await reading.value }
        // A task of its own: callers who want the same answer share it.
        let reading = Task { try await read() }
        self.reading = reading
        defer { self.reading = nil }
        let catalog = try await reading.value
        self.catalog = catalog
        return catalog
    }

    private func read() async throws -> KindCatalog {
        async let core = Self.document("/api", accept: Self.aggregated, link)
        async let named = Self.document("/apis", accept: Self.aggregated, link)
        let parts = try await [core, named]
        if let catalog = DiscoveryDocuments.aggregated(parts) { return catalog }
        return try await Self.readGroups(parts, link)
    }

    private static func readGroups(_ parts: [JSON], _ link: ClusterLink) async throws -> KindCatalog {
        let versions = DiscoveryDocuments.versions(parts)
        let lists = try await withThrowingTaskGroup(of: (Int, JSON?).self) { group in
            for (place, version) in versions.enumerated() {
                group.addTask {
                    let root = version.contains("/") ? "/apis" : "/api"
                    do {
                        return (place, try await document("\(root)/\(version)", accept: "application/json", link))
                    } catch let failure as Failure where failure.status != nil && failure.code != .denied {
                        // An aggregated server that is away must not hide the rest.
                        return (place, nil)
                    }
                }
            }
            return try await group.reduce(into: [Int: JSON]()) { $0[$1.0] = $1.1 }
        }
        let entries = versions.indices.flatMap { DiscoveryDocuments.entries(versions[$0], lists[$0] ?? [:]) }
        return KindCatalog(entries, missing: versions.indices.filter { lists[$0] == nil }.map { versions[$0] })
    }

    private static func document(_ path: String, accept: String, _ link: ClusterLink) async throws -> JSON {
        var call = APICall(.GET, path)
        call.accept = accept
        return try await link.send(call).json(from: link.config.server)
    }
}
