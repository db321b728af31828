// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
package import Model
import NIOCore
package import Ports
import Synchronization

/// Clients of any number of OCI registries, which share connections and authorizations.
///
/// Loopback and the hosts named `plainHosts` (`host` or `host:port`) are spoken to in plain HTTP, all others by HTTPS with the
/// system's trust. `shutdown()` must be called before the last reference goes.
package struct HTTPImageRegistries: ImageRegistries {
    private let trust: RegistryTrust
    private let logins: (any RegistryLogins)?
    private let http: HTTPClient
    private let authorizations = AuthorizationCache(clock: ContinuousClock())
    private let origins = BlobOrigins()

    /// `logins` are asked where a registry's client was not given one; `tokenHosts` may see the logins of any registry.
    package init(
        plainHosts: Set<String> = [],
        tokenHosts: Set<String> = [],
        logins: (any RegistryLogins)? = nil
    ) {
        trust = RegistryTrust(plainHosts: plainHosts, tokenHosts: tokenHosts)
        self.logins = logins
        http = Self.client()
    }

    static func client() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.timeout.read = .seconds(60)
        configuration.timeout.write = .seconds(60)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = .seconds(20)
        // Tries are counted in one place; a refused connection is known at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async { try? await http.shutdown() }

    package func registry(_ host: String, credentials: RegistryCredentials?) -> any ImageRegistry {
        guard let address = RegistryAddress(host: host, plainHosts: trust.plainHosts) else {
            return UnusableRegistry(failure: Failure(.invalidInput, "'\(host)' is no name of a registry"))
        }
        let exchange = RegistryExchange(
            http: http,
            address: address,
            source: credentials.map { .fixed($0) } ?? logins.map { .asked($0) } ?? .nobody,
            trust: trust,
            authorizations: authorizations,
            clock: ContinuousClock()
        )
        return HTTPImageRegistry(exchange: exchange, origins: origins)
    }
}

/// Remembers in which repository of a registry a blob was seen, so that it can be mounted instead of sent.
final class BlobOrigins: Sendable {
    private struct Key: Hashable {
        var host: String
        var digest: Digest
    }

    private static let capacity = 4096
    private let repositories = Mutex<[Key: String]>([:])

    func note(_ digest: Digest, in repository: String, of host: String) {
        repositories.withLock { repositories in
            if repositories.count >= Self.capacity { repositories.removeAll() }
            repositories[Key(host: host, digest: digest)] = repository
        }
    }

    func repository(with digest: Digest, of host: String) -> String? {
        repositories.withLock { $0[Key(host: host, digest: digest)] }
    }
}

/// Stands for a registry whose name is none: every call says so.
struct UnusableRegistry: ImageRegistry {
    let failure: Failure

    func manifest(_ reference: ImageReference) async throws -> StoredManifest { throw failure }
    func blob(_ digest: Digest, from repository: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        throw failure
    }
    func push(_ blob: BlobFile, to repository: String) async throws { throw failure }
    func push(_ manifest: StoredManifest, as reference: ImageReference) async throws -> Digest { throw failure }
}
