// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What a cluster says it serves: which resource holds a manifest's kind, and what a person's short name means.
package protocol ClusterSchema: Sendable {
    /// What the cluster serves. It may have been read before; `isFresh` asks for it to be read anew, which costs two
    /// requests.
    func catalog(isFresh: Bool) async throws -> KindCatalog
}

extension ClusterSchema {
    /// The resource of a manifest's `apiVersion` and `kind`, such as `apps/v1` and `Deployment`.
    ///
    /// Throws `notFound`, naming the nearest kind, where the cluster does not serve it even when asked anew.
    package func resource(apiVersion: String, kind: String) async throws -> ResourceType {
        if let known = try await catalog(isFresh: false).resource(apiVersion: apiVersion, kind: kind) { return known }
        let catalog = try await catalog(isFresh: true)
        guard let found = catalog.resource(apiVersion: apiVersion, kind: kind) else {
            throw Failure(.notFound, catalog.miss(apiVersion: apiVersion, kind: kind))
        }
        return found
    }

    /// The resources a person means by `deploy`, `deployments.apps`, `deployments.v1.apps`, `Deployment`, or a category such
    /// as `all`; never empty.
    ///
    /// Throws `notFound`, naming the nearest, where there are none even when asked anew.
    package func resources(named name: String) async throws -> [ResourceType] {
        let known = try await catalog(isFresh: false).resources(named: name)
        if !known.isEmpty { return known }
        let catalog = try await catalog(isFresh: true)
        let found = catalog.resources(named: name)
        guard !found.isEmpty else { throw Failure(.notFound, catalog.miss(named: name)) }
        return found
    }
}

/// A schema that does not change: for fakes, and for planning where no cluster is at hand.
package struct FixedSchema: ClusterSchema {
    private let kinds: KindCatalog

    package init(_ kinds: KindCatalog = .standard) { self.kinds = kinds }

    package func catalog(isFresh: Bool) async throws -> KindCatalog { kinds }
}
