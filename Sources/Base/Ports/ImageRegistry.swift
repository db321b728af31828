// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Blobs and manifests of one OCI registry (OCI distribution specification 1.1).
///
/// Failures are ``Failure``: `notFound` for a missing manifest or blob, `denied` for refused credentials,
/// `unavailable` where the registry cannot be reached.
package protocol ImageRegistry: Sendable {
    /// Reads a manifest or an index by tag or digest; the bytes are those stored, and fit the digest.
    func manifest(_ reference: ImageReference) async throws -> StoredManifest

    /// Streams a blob. The caller checks the digest of what it received.
    func blob(_ digest: Digest, from repository: String) async throws -> AsyncThrowingStream<[UInt8], any Error>

    /// Uploads a blob unless the registry has it; reads the file in pieces.
    func push(_ blob: BlobFile, to repository: String) async throws

    /// Stores a manifest's exact bytes under the reference's tag (or digest) and returns its digest.
    func push(_ manifest: StoredManifest, as reference: ImageReference) async throws -> Digest
}

/// Hands out a registry's client by host and credentials.
package protocol ImageRegistries: Sendable {
    func registry(_ host: String, credentials: RegistryCredentials?) -> any ImageRegistry
}

/// The logins of the person or the job that runs a command.
package protocol RegistryLogins: Sendable {
    /// The login for a repository of a registry, and where it comes from in a few words; `nil` where there is none.
    ///
    /// May run programs of that person, so it is asked only when a registry wants a login. Throws where a login is meant to be
    /// there and cannot be had.
    func login(for host: String, repository: String) async throws -> (RegistryCredentials, origin: String)?
}

package struct StoredManifest: Sendable, Hashable {
    package var mediaType: String
    package var bytes: [UInt8]
    package var digest: Digest

    package init(mediaType: String, bytes: [UInt8], digest: Digest) {
        self.mediaType = mediaType
        self.bytes = bytes
        self.digest = digest
    }
}

/// A blob in a file on this machine.
package struct BlobFile: Sendable, Hashable {
    package var digest: Digest
    /// In bytes.
    package var size: Int
    package var path: String

    package init(digest: Digest, size: Int, path: String) {
        self.digest = digest
        self.size = size
        self.path = path
    }
}
