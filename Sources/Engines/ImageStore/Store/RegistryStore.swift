// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// The contents of an OCI registry in a folder: blobs by digest, and repositories that link to them.
///
/// What a call acknowledged survives a crash and a power cut: content is synced, renamed into place and its folder synced
/// before anything points at it, and a tag is written last. One store owns its folder.
package actor RegistryStore {
    let layout: StoreLayout
    private var openUploads: [UploadID: Upload] = [:]

    /// More uploads than this at once are refused, because each costs memory until it is finished or grows stale.
    private static let uploadLimit = 1000

    /// Opens a store, creates its folders, and removes what a crash left: half-written files, and uploads nobody has added to
    /// since `staleBefore`.
    package init(folder: String, removingUploadsBefore staleBefore: Timestamp) throws {
        layout = StoreLayout(folder: folder)
        do {
            for folder in [layout.blobs, layout.uploads, layout.repositories] { try Folder.create(folder) }
            try Self.removeStale(in: layout, before: staleBefore)
        } catch {
            throw Failure(.fault, "the registry's folder '\(folder)' cannot be used", cause: error)
        }
    }

    private static func removeStale(in layout: StoreLayout, before moment: Timestamp) throws {
        let names = try Folder.names(in: layout.uploads)
        for name in names where !name.hasSuffix(".repository") {
            let path = "\(layout.uploads)/\(name)"
            let isStale = try FileStatus(ofLink: path).modified < moment.nanoseconds
            if isStale || name.hasPrefix(".new-") { try Folder.remove(path) }
        }
        // The file with the repository's name goes when its data has gone.
        for name in names where name.hasSuffix(".repository") {
            let path = "\(layout.uploads)/\(name)"
            let data = String(path.dropLast(".repository".count))
            if (try? FileStatus(ofLink: data)) == nil { try Folder.remove(path) }
        }
    }

    // MARK: blobs

    /// Opens a blob that the repository has.
    package func blob(_ digest: Digest, in repository: RepositoryName) throws -> StoredBlob {
        let link = layout.layer(digest, in: repository)
        guard (try? FileStatus(of: link)) != nil else { throw Self.unknown(digest, in: repository) }
        do {
            let blob = try StoredBlob(digest, at: layout.blob(digest))
            // A client that sees the blob will not upload it: it must outlive the collector's next run.
            try Folder.touch(link)
            try Folder.touch(layout.blob(digest))
            return blob
        } catch  where error.isMissing {
            throw Self.unknown(digest, in: repository)
        }
    }

    static func unknown(_ digest: Digest, in repository: RepositoryName) -> RegistryError {
        RegistryError(.blobUnknown, "the repository '\(repository)' has no blob '\(digest)'")
    }

    /// Takes a blob over from another repository, or from whichever has it, without copying; `false` where there is none.
    package func mount(_ digest: Digest, from source: RepositoryName?, to target: RepositoryName) throws -> Bool {
        if let source {
            guard (try? blob(digest, in: source)) != nil else { return false }
        } else {
            guard (try? FileStatus(of: layout.blob(digest))) != nil else { return false }
            try Folder.touch(layout.blob(digest))
        }
        try link(digest, in: target)
        return true
    }

    /// Removes the blob from the repository; its bytes stay until the collector finds that nobody needs them.
    package func deleteBlob(_ digest: Digest, in repository: RepositoryName) throws {
        guard try Folder.remove(layout.layer(digest, in: repository)) else {
            throw Self.unknown(digest, in: repository)
        }
        try Folder.synchronize(layout.layers(repository))
    }

    func link(_ digest: Digest, in repository: RepositoryName) throws(FileError) {
        try Folder.create(layout.layers(repository))
        try Folder.replace(layout.layer(digest, in: repository), with: [], by: layout.uploads)
    }

    // MARK: uploads

    package func beginUpload(to repository: RepositoryName) throws -> UploadID {
        guard openUploads.count < Self.uploadLimit else {
            throw RegistryError(.tooManyRequests, "\(Self.uploadLimit) uploads are open; finish or cancel some")
        }
        let upload = try Upload(.random(), of: repository, in: layout, isNew: true)
        openUploads[upload.id] = upload
        return upload.id
    }

    /// How many bytes of an upload have arrived.
    package func uploadOffset(_ id: UploadID, to repository: RepositoryName) async throws -> Int {
        try await upload(id, to: repository).offset
    }

    /// Appends bytes to an upload; answers how many there are now.
    package func append<Body: AsyncSequence & Sendable>(
        _ body: Body,
        from start: Int?,
        to id: UploadID,
        of repository: RepositoryName
    ) async throws -> Int where Body.Element == [UInt8] {
        try await upload(id, to: repository).append(body, from: start)
    }

    /// Appends the last bytes, checks the digest, and makes the blob part of the repository.
    package func finishUpload<Body: AsyncSequence & Sendable>(
        _ id: UploadID,
        of repository: RepositoryName,
        with body: Body,
        from start: Int?,
        as digest: Digest
    ) async throws where Body.Element == [UInt8] {
        let upload = try upload(id, to: repository)
        do {
            let path = try await upload.finish(body, from: start, as: digest)
            try Folder.rename(path, to: layout.blob(digest))
            try Folder.synchronize(layout.blobs)
            try link(digest, in: repository)
        } catch let error as RegistryError where error.code == .digestInvalid {
            try discard(id)
            throw error
        }
        try discard(id)
    }

    package func cancelUpload(_ id: UploadID, to repository: RepositoryName) throws {
        _ = try upload(id, to: repository)
        try discard(id)
    }

    private func discard(_ id: UploadID) throws {
        openUploads[id] = nil
        try Folder.remove(layout.uploadData(id))
        try Folder.remove(layout.uploadRepository(id))
    }

    private func upload(_ id: UploadID, to repository: RepositoryName) throws -> Upload {
        let upload = try openUploads[id] ?? resumed(id)
        guard let upload, upload.repository == repository else {
            throw RegistryError(.blobUploadUnknown, "there is no upload '\(id)' to the repository '\(repository)'")
        }
        openUploads[id] = upload
        return upload
    }

    /// Takes up an upload that a restart interrupted.
    private func resumed(_ id: UploadID) throws -> Upload? {
        guard let bytes = try? Folder.contents(of: layout.uploadRepository(id)),
            (try? FileStatus(of: layout.uploadData(id))) != nil,
            let repository = try? RepositoryName(String(decoding: bytes, as: UTF8.self))
        else { return nil }
        return try Upload(id, of: repository, in: layout, isNew: false)
    }

    /// Forgets uploads nobody has added to since then.
    package func removeUploads(before moment: Timestamp) throws {
        for id in openUploads.keys {
            guard let status = try? FileStatus(of: layout.uploadData(id)), status.modified >= moment.nanoseconds else {
                try discard(id)
                continue
            }
        }
        try Self.removeStale(in: layout, before: moment)
    }
}
