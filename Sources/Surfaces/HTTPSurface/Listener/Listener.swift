// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOSSL

/// Where a listener accepts connections.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { "\(host):\(port)" }
}

/// Makes the services that listen: one per address, all with the same responder.
package enum Listener {
    /// A listener for plain HTTP.
    package static func plain<Responder: HTTPResponder>(
        _ address: ListenAddress,
        _ responder: Responder,
        log: Logger
    ) -> Application<Responder> where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        Application(
            responder: responder,
            server: .http1(),
            configuration: .init(address: .hostname(address.host, port: address.port)),
            logger: log
        )
    }

    /// A listener for HTTPS that asks clients for a certificate and accepts those without one as anonymous. The first
    /// request of a connection may turn it into a WebSocket.
    package static func tls(
        _ address: ListenAddress,
        _ responder: KubernetesResponder,
        certificates: ClusterCertificates,
        log: Logger
    ) throws -> Application<KubernetesResponder> {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificates.server.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(certificates.server.key.utf8), format: .pem)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        tls.certificateVerification = .optionalVerification
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificates.authority.utf8)))
        tls.applicationProtocols = ["http/1.1"]
        // A connection that we end first waits for the other side's farewell; a stop must not take the usual 5 s for it.
        tls.shutdownTimeout = .milliseconds(250)
        let configuration = tls
        return Application(
            responder: responder,
            server: HTTPServerBuilder { [gate = responder.gate] responder in
                let plain = UpgradableChannel(responder: responder, gate: gate)
                let channel = try TLSChannel(plain, tlsConfiguration: configuration)
                return PlainTextRefusingChannel(base: channel)
            },
            configuration: .init(address: .hostname(address.host, port: address.port)),
            logger: log
        )
    }
}
