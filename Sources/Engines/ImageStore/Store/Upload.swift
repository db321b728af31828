// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

/// One upload in progress: bytes are appended to a file and hashed on the way.
///
/// Only one request may write at a time. What arrived before a request broke off is kept, and counts.
actor Upload {
    let id: UploadID
    let repository: RepositoryName
    private let path: String
    private let hash: ContentHash
    private var isBusy = false

    /// How many bytes have arrived.
    private(set) var offset: Int

    /// Starts an upload, or takes one up again whose bytes are on disk from before a restart.
    init(_ id: UploadID, of repository: RepositoryName, in layout: StoreLayout, isNew: Bool) throws(FileError) {
        self.id = id
        self.repository = repository
        path = layout.uploadData(id)
        let hash = ContentHash()
        if isNew {
            try Folder.replace(layout.uploadRepository(id), with: Array(repository.text.utf8))
            _ = try OpenFile.creating(path)
        } else {
            let file = try OpenFile.reading(path)
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                let count = try file.read(into: &buffer, at: hash.count)
                guard count > 0 else { break }
                hash.update(buffer.span.extracting(first: count))
            }
        }
        offset = hash.count
        self.hash = hash
    }

    /// Appends a request's body. `start` is where the client believes that its bytes go.
    func append<Body: AsyncSequence & Sendable>(_ body: Body, from start: Int?) async throws -> Int
    where Body.Element == [UInt8] {
        try begin(from: start)
        defer { isBusy = false }
        try await receive(body)
        return offset
    }

    /// Appends the last bytes and checks the whole: the file is then complete, durable and as the digest says.
    func finish<Body: AsyncSequence & Sendable>(_ body: Body, from start: Int?, as digest: Digest) async throws
        -> String
    where Body.Element == [UInt8] {
        try begin(from: start)
        // Stays busy: after this nothing can be appended, whatever the outcome.
        do {
            try await receive(body)
        } catch {
            isBusy = false
            throw error
        }
        let found = hash.finish()
        guard found == digest else {
            throw RegistryError(.digestInvalid, "the uploaded bytes have the digest '\(found)', not '\(digest)'")
        }
        let file = try OpenFile.appending(to: path)
        try check(file)
        try file.synchronize()
        return path
    }

    private func begin(from start: Int?) throws {
        guard !isBusy else {
            throw RegistryError(.blobUploadInvalid, "another request writes to this upload or has finished it")
        }
        guard start == nil || start == offset else {
            throw RegistryError(.rangeInvalid, "the upload stands at byte \(offset), the request starts elsewhere")
        }
        isBusy = true
    }

    private func receive<Body: AsyncSequence & Sendable>(_ body: Body) async throws where Body.Element == [UInt8] {
        let file = try OpenFile.appending(to: path)
        try check(file)
        for try await bytes in body {
            try file.write(bytes.span)
            hash.update(bytes.span)
            offset += bytes.count
        }
    }

    /// A write that failed half-way, such as on a full disk, leaves bytes that were never hashed: the upload is lost.
    private func check(_ file: borrowing OpenFile) throws {
        guard try file.status().size == offset else {
            throw RegistryError(.blobUploadInvalid, "an earlier write to this upload failed; start it anew")
        }
    }
}
