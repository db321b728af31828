// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
package import Model
package import Ports

extension RegistryStore {
    /// Reads a manifest, byte for byte as it was put.
    package func manifest(_ reference: ManifestReference, in repository: RepositoryName) throws -> StoredManifest {
        let digest = try resolve(reference, in: repository)
        guard let type = try? Folder.contents(of: layout.manifest(digest, in: repository)),
            let bytes = try? Folder.contents(of: layout.blob(digest))
        else { throw Self.unknown(reference, in: repository) }
        return StoredManifest(mediaType: String(decoding: type, as: UTF8.self), bytes: bytes, digest: digest)
    }

    private func resolve(_ reference: ManifestReference, in repository: RepositoryName) throws -> Digest {
        switch reference {
        case .digest(let digest): return digest
        case .tag(let tag):
            guard let bytes = try? Folder.contents(of: layout.tag(tag, in: repository)),
                let digest = Digest(String(decoding: bytes, as: UTF8.self))
            else { throw Self.unknown(reference, in: repository) }
            return digest
        }
    }

    private static func unknown(_ reference: ManifestReference, in repository: RepositoryName) -> RegistryError {
        RegistryError(.manifestUnknown, "the repository '\(repository)' has no manifest '\(reference)'")
    }

    /// Keeps a manifest whose blobs and manifests the repository has, and points the tag, and any more tags, at it.
    package func put(
        _ bytes: [UInt8],
        contentType: String?,
        as reference: ManifestReference,
        tags: [String] = [],
        in repository: RepositoryName
    ) throws -> (digest: Digest, document: ManifestDocument) {
        guard bytes.count <= ManifestDocument.sizeLimit else {
            throw RegistryError(.sizeInvalid, "the manifest has \(bytes.count) bytes; at most 4 MiB are taken")
        }
        let digest = ContentHash.digest(of: bytes)
        if case .digest(let expected) = reference, expected != digest {
            throw RegistryError(.digestInvalid, "the manifest has the digest '\(digest)', not '\(expected)'")
        }
        let document = try ManifestDocument(parsing: bytes, contentType: contentType)
        try checkReferences(of: document, in: repository)
        try Folder.replace(layout.blob(digest), with: bytes, by: layout.uploads)
        try Folder.create(layout.manifests(repository))
        let link = layout.manifest(digest, in: repository)
        try Folder.replace(link, with: Array(document.mediaType.utf8), by: layout.uploads)
        if let subject = document.subject {
            let folder = layout.referrers(repository, of: subject.digest)
            try Folder.create(folder)
            try Folder.replace("\(folder)/\(digest.hex)", with: [], by: layout.uploads)
        }
        if case .tag(let tag) = reference { try point(tag, at: digest, in: repository) }
        for tag in tags { try point(tag, at: digest, in: repository) }
        return (digest, document)
    }

    private func point(_ tag: String, at digest: Digest, in repository: RepositoryName) throws {
        try Folder.create(layout.tags(repository))
        try Folder.replace(
            layout.tag(tag, in: repository),
            with: Array(digest.description.utf8),
            by: layout.uploads
        )
    }

    private func checkReferences(of document: ManifestDocument, in repository: RepositoryName) throws {
        for blob in document.blobs where !blob.isForeign {
            guard let found = try? self.blob(blob.digest, in: repository) else {
                throw RegistryError(
                    .manifestBlobUnknown,
                    "the repository '\(repository)' has no blob '\(blob.digest)'; push it first"
                )
            }
            guard found.size == blob.size else {
                throw RegistryError(
                    .manifestInvalid,
                    "the blob '\(blob.digest)' has \(found.size) bytes, not \(blob.size)"
                )
            }
        }
        for child in document.manifests {
            guard (try? FileStatus(of: layout.manifest(child.digest, in: repository))) != nil else {
                throw RegistryError(
                    .manifestBlobUnknown,
                    "the repository '\(repository)' has no manifest '\(child.digest)'; push it first"
                )
            }
        }
    }

    /// Removes a tag; or a manifest with every tag that points at it.
    package func deleteManifest(_ reference: ManifestReference, in repository: RepositoryName) throws {
        switch reference {
        case .tag(let tag):
            guard try Folder.remove(layout.tag(tag, in: repository)) else {
                throw Self.unknown(reference, in: repository)
            }
            try Folder.synchronize(layout.tags(repository))
        case .digest(let digest):
            let manifest = try manifest(reference, in: repository)
            for tag in try Folder.namesIfPresent(in: layout.tags(repository))
            where (try? resolve(.tag(tag), in: repository)) == digest {
                try deleteManifest(.tag(tag), in: repository)
            }
            try Folder.remove(layout.manifest(digest, in: repository))
            try Folder.synchronize(layout.manifests(repository))
            let document = try? ManifestDocument(parsing: manifest.bytes, contentType: manifest.mediaType)
            guard let subject = document?.subject else { return }
            try Folder.remove("\(layout.referrers(repository, of: subject.digest))/\(digest.hex)")
        }
    }

    // MARK: lists

    /// The repository's tags after `last`, in the order of their bytes, at most `limit`; and whether there are more.
    package func tags(
        of repository: RepositoryName,
        after last: String?,
        limit: Int?
    ) throws -> (tags: [String], hasMore: Bool) {
        guard (try? FileStatus(of: layout.manifests(repository))) != nil else {
            throw RegistryError(.nameUnknown, "there is no repository '\(repository)'")
        }
        return Self.page(try Folder.namesIfPresent(in: layout.tags(repository)), after: last, limit: limit)
    }

    /// The repositories that hold a manifest, in the order of their bytes.
    package func repositories(after last: String?, limit: Int?) throws -> (names: [String], hasMore: Bool) {
        let page = Self.page(try repositoriesOnDisk().filter(hasManifest).map(\.text), after: last, limit: limit)
        return (page.tags, page.hasMore)
    }

    private func hasManifest(_ repository: RepositoryName) throws -> Bool {
        try !Folder.namesIfPresent(in: layout.manifests(repository)).isEmpty
    }

    static func page(_ names: [String], after last: String?, limit: Int?) -> (tags: [String], hasMore: Bool) {
        func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
        let rest = names.filter { name in last.map { precedes($0, name) } ?? true }.sorted(by: precedes)
        guard let limit, rest.count > limit else { return (rest, false) }
        return (Array(rest.prefix(limit)), limit > 0)
    }

    /// An index of the manifests that name `subject`, of one artifact type or of all.
    package func referrers(
        of subject: Digest,
        in repository: RepositoryName,
        artifactType: String?
    ) throws -> JSON {
        var descriptors: [JSON] = []
        for hex in try Folder.namesIfPresent(in: layout.referrers(repository, of: subject)).sorted() {
            guard let digest = Digest(hex: hex), let manifest = try? manifest(.digest(digest), in: repository),
                let document = try? ManifestDocument(parsing: manifest.bytes, contentType: manifest.mediaType),
                artifactType == nil || artifactType == document.artifactType
            else { continue }
            var descriptor: JSON = [
                "mediaType": .string(manifest.mediaType), "digest": .string("\(digest)"),
                "size": JSON(manifest.bytes.count),
            ]
            descriptor["artifactType"] = document.artifactType.map { .string($0) }
            descriptor["annotations"] = document.annotations
            descriptors.append(descriptor)
        }
        return ["schemaVersion": 2, "mediaType": .string(MediaType.index), "manifests": .array(descriptors)]
    }
}
