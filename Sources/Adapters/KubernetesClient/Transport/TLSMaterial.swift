// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOSSL
import Synchronization

/// The certificates of a cluster's connections.
final class TLSMaterial: Sendable {
    /// With the identity that was there at the start.
    let first: TLSConfiguration
    private let base: TLSConfiguration
    private let firstIdentity: Credential.Identity?
    /// A plugin or a rotation brought another identity: connections of the old one must not be used for it.
    private let later = Mutex<(identity: Credential.Identity, configuration: TLSConfiguration)?>(nil)

    init(_ config: KubeConfig) throws {
        var base = TLSConfiguration.makeClientConfiguration()
        if let authority = try config.authority?.read() {
            base.trustRoots = .certificates(
                try Self.certificates(authority, "certificate authority", config.server)
            )
        }
        if config.skipsVerification { base.certificateVerification = .none }
        self.base = base
        firstIdentity = try config.user.identity?.read()
        first = try firstIdentity.map { try Self.adding($0, to: base, config.server) } ?? base
    }

    /// `nil` where the connections' own configuration fits.
    func override(for identity: Credential.Identity?) throws -> TLSConfiguration? {
        guard let identity, identity != firstIdentity else { return nil }
        return try later.withLock { later in
            if let later, later.identity == identity { return later.configuration }
            let configuration = try Self.adding(identity, to: base, "the cluster")
            later = (identity, configuration)
            return configuration
        }
    }

    private static func adding(
        _ identity: Credential.Identity,
        to base: TLSConfiguration,
        _ server: String
    ) throws -> TLSConfiguration {
        var configuration = base
        let chain = try certificates(identity.certificate, "client certificate", server)
        configuration.certificateChain = chain.map { .certificate($0) }
        do {
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
        } catch {
            throw Failure(.invalidInput, "the client key for '\(server)' is no PEM of a private key without a password")
        }
        return configuration
    }

    private static func certificates(_ pem: String, _ what: String, _ server: String) throws -> [NIOSSLCertificate] {
        guard let found = try? NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)), !found.isEmpty else {
            throw Failure(.invalidInput, "the \(what) for '\(server)' is no PEM of certificates")
        }
        return found
    }
}
