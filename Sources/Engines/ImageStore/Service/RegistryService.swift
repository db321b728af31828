// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The OCI distribution API, version 1.1, over a ``RegistryStore``; requests in, answers out, no socket.
package struct RegistryService: Sendable {
    let store: RegistryStore
    private let executor = BlockingExecutor(label: "ballast.registry")

    package init(_ store: RegistryStore) { self.store = store }

    /// Answers one request; errors become the specification's error document.
    ///
    /// Runs on threads of its own, because reading, writing and syncing files blocks.
    package func respond(to request: RegistryRequest) async -> RegistryResponse {
        var response = await withTaskExecutorPreference(executor) { await answer(request) }
        response.headers.append(("Docker-Distribution-API-Version", "registry/2.0"))
        return response
    }

    private func answer(_ request: RegistryRequest) async -> RegistryResponse {
        do {
            return try await route(request)
        } catch let error as RegistryError {
            return Self.refusal(error)
        } catch let error as FileError {
            return Self.refusal(RegistryError(.unknown, "the registry's store failed: \(error)"))
        } catch {
            return Self.refusal(RegistryError(.blobUploadInvalid, "the request broke off: \(error)"))
        }
    }

    private static func refusal(_ error: RegistryError) -> RegistryResponse {
        RegistryResponse(error.status, [("Content-Type", "application/json")], body: .bytes(error.body.bytes))
    }

    private func route(_ request: RegistryRequest) async throws -> RegistryResponse {
        let method = request.method == "HEAD" ? "GET" : request.method
        switch (method, RegistryRoute(path: request.path)) {
        case ("GET", .version): return .json([:])
        case ("GET", .catalog): return try await catalog(request)
        case ("GET", .tags(let name)): return try await tags(RepositoryName(name), request)
        case ("GET", .manifest(let name, let reference)): return try await manifest(reference, RepositoryName(name))
        case ("PUT", .manifest(let name, let reference)):
            return try await put(reference, RepositoryName(name), request)
        case ("DELETE", .manifest(let name, let reference)): return try await delete(reference, RepositoryName(name))
        case ("GET", .referrers(let name, let digest)):
            return try await referrers(of: Digest(parsing: digest), RepositoryName(name), request)
        case ("GET", .blob(let name, let digest)):
            return try await blob(Digest(parsing: digest), RepositoryName(name), request)
        case ("DELETE", .blob(let name, let digest)):
            try await store.deleteBlob(Digest(parsing: digest), in: RepositoryName(name))
            return RegistryResponse(202)
        case ("POST", .uploads(let name)): return try await begin(RepositoryName(name), request)
        case (_, .upload(let name, let id)): return try await continueUpload(id, RepositoryName(name), request)
        case (_, nil):
            return Self.refusal(RegistryError(.nameUnknown, "'\(request.path)' is no path of this API"))
        default:
            throw RegistryError(.unsupported, "'\(request.path)' does not answer to \(request.method)")
        }
    }
}

extension RegistryResponse {
    static func json(
        _ value: JSON,
        type: String = "application/json",
        _ headers: [(name: String, value: String)] = []
    ) -> RegistryResponse {
        RegistryResponse(200, [("Content-Type", type)] + headers, body: .bytes(value.bytes))
    }
}

extension RegistryRequest {
    /// The whole body, of at most `limit` bytes.
    func bytes(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body {
            bytes += piece
            guard bytes.count <= limit else {
                throw RegistryError(.sizeInvalid, "the request's body is larger than \(limit) bytes")
            }
        }
        return bytes
    }
}
