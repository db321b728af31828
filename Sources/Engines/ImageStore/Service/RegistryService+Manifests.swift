// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension RegistryService {
    func manifest(_ text: String, _ repository: RepositoryName) async throws -> RegistryResponse {
        let found = try await store.manifest(reading(text, repository), in: repository)
        return RegistryResponse(
            200,
            [
                ("Content-Type", found.mediaType), ("Docker-Content-Digest", "\(found.digest)"),
                ("ETag", "\"\(found.digest)\""),
            ],
            body: .bytes(found.bytes)
        )
    }

    /// A tag that cannot exist is not there; only a malformed digest is an error of its own.
    private func reading(_ text: String, _ repository: RepositoryName) throws(RegistryError) -> ManifestReference {
        do {
            return try ManifestReference(text)
        } catch  where error.code == .tagInvalid {
            throw RegistryError(.manifestUnknown, "the repository '\(repository)' has no manifest '\(text)'")
        }
    }

    func put(
        _ text: String,
        _ repository: RepositoryName,
        _ request: RegistryRequest
    ) async throws -> RegistryResponse {
        let reference = try ManifestReference(text)
        let tags = try Self.tags(request, reference)
        let bytes = try await request.bytes(limit: ManifestDocument.sizeLimit)
        let (digest, document) = try await store.put(
            bytes,
            contentType: request.headers["content-type"],
            as: reference,
            tags: tags,
            in: repository
        )
        var response = RegistryResponse(
            201,
            [("Location", "/v2/\(repository)/manifests/\(digest)"), ("Docker-Content-Digest", "\(digest)")]
        )
        response.headers += tags.map { ("OCI-Tag", $0) }
        if let subject = document.subject { response.headers.append(("OCI-Subject", "\(subject.digest)")) }
        return response
    }

    /// The tags that a manifest put under its digest is to have, as parameters of the request.
    private static func tags(
        _ request: RegistryRequest,
        _ reference: ManifestReference
    ) throws(RegistryError) -> [String] {
        guard case .digest = reference else { return [] }
        var tags: [String] = []
        for (name, value) in request.query where name == "tag" {
            guard ImageReference.isTag(value) else { throw RegistryError(.tagInvalid, "'\(value)' is no tag") }
            tags.append(value)
        }
        return tags
    }

    func delete(_ text: String, _ repository: RepositoryName) async throws -> RegistryResponse {
        try await store.deleteManifest(reading(text, repository), in: repository)
        return RegistryResponse(202)
    }

    func referrers(
        of subject: Digest,
        _ repository: RepositoryName,
        _ request: RegistryRequest
    ) async throws -> RegistryResponse {
        let type = request.parameter("artifactType")
        let index = try await store.referrers(of: subject, in: repository, artifactType: type)
        return .json(index, type: MediaType.index, type == nil ? [] : [("OCI-Filters-Applied", "artifactType")])
    }

    // MARK: lists

    func tags(_ repository: RepositoryName, _ request: RegistryRequest) async throws -> RegistryResponse {
        let page = try await store.tags(
            of: repository,
            after: request.parameter("last"),
            limit: try Self.limit(request)
        )
        let document: JSON = ["name": .string(repository.text), "tags": .array(page.tags.map { .string($0) })]
        return .json(document, Self.next(page.tags, page.hasMore, request))
    }

    func catalog(_ request: RegistryRequest) async throws -> RegistryResponse {
        let limit = try Self.limit(request) ?? 100
        let page = try await store.repositories(after: request.parameter("last"), limit: limit)
        return .json(
            ["repositories": .array(page.names.map { .string($0) })],
            Self.next(page.names, page.hasMore, request)
        )
    }

    private static func limit(_ request: RegistryRequest) throws(RegistryError) -> Int? {
        guard let text = request.parameter("n") else { return nil }
        guard let limit = Int(text), limit >= 0 else {
            throw RegistryError(.paginationNumberInvalid, "'n' is '\(text)', which is no count of results")
        }
        return limit
    }

    /// Where the next page is (RFC 8288). Tags and repository names need no escape in a query.
    private static func next(
        _ names: [String],
        _ hasMore: Bool,
        _ request: RegistryRequest
    ) -> [(name: String, value: String)] {
        guard hasMore, let last = names.last else { return [] }
        return [("Link", "<\(request.path)?last=\(last)&n=\(names.count)>; rel=\"next\"")]
    }
}
