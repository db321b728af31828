// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Crypto
import Foundation
import KubeServer
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// Tells who a client is by its certificate: the common name is the user, the organisations are its groups.
///
/// TLS has verified the certificate by then. Reading one costs a parse the first time and a look-up afterwards.
final class ClientIdentities: Sendable {
    /// What a certificate says, and how long it may say it: a connection can outlive the certificate it began with.
    struct Identity: Sendable, Equatable {
        /// `nil`: the certificate names nobody, and its bearer is as good as one without.
        var user: APIUser?
        var end: Date
    }

    /// The certificate cannot be believed, or no longer.
    struct Unbelievable: Error {}

    private let known = Mutex<[[UInt8]: Identity]>([:])
    private static let capacity = 1024

    /// `nil` where the client showed no certificate, or one without a name.
    func user(of channel: any Channel, at now: Date = .now) async throws(Unbelievable) -> APIUser? {
        guard let bytes = try? await channel.pipeline.peerCertificateBytes() else { return nil }
        let identity: Identity
        if let found = known.withLock({ $0[bytes] }) { identity = found } else { identity = try remembered(bytes) }
        guard now <= identity.end else { throw Unbelievable() }
        return identity.user
    }

    private func remembered(_ bytes: [UInt8]) throws(Unbelievable) -> Identity {
        let identity = try Self.identity(fromDER: bytes)
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[bytes] = identity
        }
        return identity
    }

    /// Names a user's UID within a certificate's subject.
    private static let uidAttribute: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57683, 2]

    static func identity(fromDER bytes: [UInt8]) throws(Unbelievable) -> Identity {
        guard let certificate = try? Certificate(derEncoded: bytes) else { throw Unbelievable() }
        var (name, groups, uids) = ("", [String](), [String]())
        for attribute in certificate.subject.flatMap({ Array($0) }) {
            let text = String(attribute.value)
            switch attribute.type {
            case .RDNAttributeType.commonName: name = text ?? ""
            case .RDNAttributeType.organizationName: text.map { groups.append($0) }
            case uidAttribute: uids.append(text ?? "")
            default: break
            }
        }
        guard !name.isEmpty else { return Identity(user: nil, end: certificate.notValidAfter) }
        guard uids.count <= 1, uids.first != "" else { throw Unbelievable() }
        let digest = SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let user = APIUser(
            name: name,
            groups: groups,
            uid: uids.first,
            extra: ["authentication.kubernetes.io/credential-id": ["X509SHA256=\(digest)"]]
        )
        return Identity(user: user, end: certificate.notValidAfter)
    }
}

extension ChannelPipeline {
    /// The verified client certificate's DER bytes; throws where the connection has no TLS.
    fileprivate func peerCertificateBytes() async throws -> [UInt8]? {
        try await handler(type: NIOSSLServerHandler.self).map { handler in
            (try? handler.peerCertificate?.toDERBytes()) ?? nil
        }.get()
    }
}
