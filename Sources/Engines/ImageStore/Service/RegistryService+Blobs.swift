// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension RegistryService {
    func blob(
        _ digest: Digest,
        _ repository: RepositoryName,
        _ request: RegistryRequest
    ) async throws -> RegistryResponse {
        let blob = try await store.blob(digest, in: repository)
        let headers = [
            (name: "Content-Type", value: "application/octet-stream"),
            (name: "Docker-Content-Digest", value: "\(digest)"), (name: "ETag", value: "\"\(digest)\""),
            (name: "Accept-Ranges", value: "bytes"), (name: "Cache-Control", value: "max-age=31536000"),
        ]
        guard let wanted = ByteRange.requested(request.headers["range"], size: blob.size) else {
            var refusal = RegistryResponse(416, [("Content-Range", "bytes */\(blob.size)")])
            let error = RegistryError(.rangeInvalid, "the blob has \(blob.size) bytes")
            refusal.headers.append(("Content-Type", "application/json"))
            refusal.body = .bytes(error.body.bytes)
            return refusal
        }
        guard let range = wanted else { return RegistryResponse(200, headers, body: .blob(blob, 0..<blob.size)) }
        let content = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(blob.size)"
        return RegistryResponse(206, headers + [("Content-Range", content)], body: .blob(blob, range))
    }

    // MARK: uploads

    /// `POST blobs/uploads/`: mounts, takes the whole blob, or opens an upload.
    func begin(_ repository: RepositoryName, _ request: RegistryRequest) async throws -> RegistryResponse {
        if let digest = try request.parameter("mount").map(Digest.init(parsing:)) {
            // Without a source the registry looks for one itself: its repositories have no secrets from each other.
            let source = try request.parameter("from").map { text throws(RegistryError) in try RepositoryName(text) }
            if try await store.mount(digest, from: source, to: repository) { return created(digest, repository) }
        }
        let whole = try request.parameter("digest").map(Digest.init(parsing:))
        let id = try await store.beginUpload(to: repository)
        guard let whole else { return try await state(of: id, repository, status: 202) }
        do {
            try await store.finishUpload(id, of: repository, with: request.body, from: nil, as: whole)
        } catch {
            try? await store.cancelUpload(id, to: repository)
            throw error
        }
        return created(whole, repository)
    }

    func continueUpload(
        _ text: String,
        _ repository: RepositoryName,
        _ request: RegistryRequest
    ) async throws -> RegistryResponse {
        guard let id = UploadID(text) else {
            throw RegistryError(.blobUploadUnknown, "there is no upload '\(text)' to the repository '\(repository)'")
        }
        switch request.method {
        case "GET", "HEAD": return try await state(of: id, repository, status: 204)
        case "PATCH", "PUT": break
        case "DELETE":
            try await store.cancelUpload(id, to: repository)
            return RegistryResponse(204)
        default: throw RegistryError(.unsupported, "an upload does not answer to \(request.method)")
        }
        do {
            return try await receive(id, repository, request)
        } catch let error as RegistryError where error.code == .rangeInvalid {
            // The client learns where to go on from.
            var refusal = try await state(of: id, repository, status: 416)
            refusal.headers.append(("Content-Type", "application/json"))
            refusal.body = .bytes(error.body.bytes)
            return refusal
        }
    }

    private func receive(
        _ id: UploadID,
        _ repository: RepositoryName,
        _ request: RegistryRequest
    ) async throws -> RegistryResponse {
        let start = try Self.start(of: request)
        guard request.method == "PUT" else {
            _ = try await store.append(request.body, from: start, to: id, of: repository)
            return try await state(of: id, repository, status: 202)
        }
        guard let text = request.parameter("digest") else {
            throw RegistryError(.digestInvalid, "the request lacks the parameter 'digest'")
        }
        let digest = try Digest(parsing: text)
        try await store.finishUpload(id, of: repository, with: request.body, from: start, as: digest)
        return created(digest, repository)
    }

    /// Where the client says its bytes go; and whether that fits their count, before any is taken.
    private static func start(of request: RegistryRequest) throws(RegistryError) -> Int? {
        guard let header = request.headers["content-range"] else { return nil }
        let range = try ByteRange.announced(header)
        if let length = request.headers["content-length"].flatMap({ Int($0) }), length != range.last - range.first + 1 {
            throw RegistryError(.sizeInvalid, "the range '\(header)' is not that of \(length) bytes")
        }
        return range.first
    }

    private func state(of id: UploadID, _ repository: RepositoryName, status: Int) async throws -> RegistryResponse {
        let offset = try await store.uploadOffset(id, to: repository)
        return RegistryResponse(
            status,
            [
                ("Location", "/v2/\(repository)/blobs/uploads/\(id)"), ("Range", "0-\(max(0, offset - 1))"),
                ("Docker-Upload-UUID", "\(id)"),
            ]
        )
    }

    private func created(_ digest: Digest, _ repository: RepositoryName) -> RegistryResponse {
        RegistryResponse(
            201,
            [("Location", "/v2/\(repository)/blobs/\(digest)"), ("Docker-Content-Digest", "\(digest)")]
        )
    }
}
