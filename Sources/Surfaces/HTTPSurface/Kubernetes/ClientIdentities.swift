// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

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
    private let known = Mutex<[[UInt8]: APIUser]>([:])
    private static let capacity = 1024

    /// `nil` where the client showed no certificate.
    func user(of channel: any Channel) async throws -> APIUser? {
        guard let handler = try? await channel.pipeline.peerCertificateBytes() else { return nil }
        if let user = known.withLock({ $0[handler] }) { return user }
        guard let user = Self.user(fromDER: handler) else { return nil }
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[handler] = user
        }
        return user
    }

    static func user(fromDER bytes: [UInt8]) -> APIUser? {
        guard let certificate = try? Certificate(derEncoded: bytes) else { return nil }
        var name = ""
        var groups: [String] = []
        for attribute in certificate.subject.flatMap({ Array($0) }) {
            let text = "\(attribute.value)"
            switch attribute.type {
            case .RDNAttributeType.commonName: name = text
            case .RDNAttributeType.organizationName: groups.append(text)
            default: break
            }
        }
        return name.isEmpty ? nil : APIUser(name: name, groups: groups + ["system:authenticated"])
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
