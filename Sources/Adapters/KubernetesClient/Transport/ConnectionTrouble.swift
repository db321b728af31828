// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Model
import NIOCore
import NIOHTTP1
import NIOSSL

#if canImport(Glibc)
    import Glibc
#endif

/// What the libraries below say, as failures with words of ours.
enum ConnectionTrouble {
    static func failure(_ error: any Error, _ config: KubeConfig) -> any Error {
        if error is CancellationError || error is Failure { return error }
        let cluster = "the cluster at '\(config.server)'"
        let way = config.proxy.map { " through the proxy '\($0)'" } ?? ""
        if let error = error as? HTTPClientError {
            switch error {
            case .cancelled: return CancellationError()
            case .deadlineExceeded, .readTimeout, .requestStreamCancelled:
                return Failure(.deadlineExceeded, "\(cluster) did not answer in time")
            case .connectTimeout, .tlsHandshakeTimeout:
                return Failure(.unavailable, "\(cluster) cannot be reached\(way): nobody answers there")
            case .remoteConnectionClosed:
                return Failure(.unavailable, "\(cluster) closed the connection before it answered")
            case .proxyAuthenticationRequired:
                return Failure(.denied, "\(cluster) cannot be reached\(way): the proxy demands a login")
            default: break
            }
        }
        if let problem = tlsProblem(error, config) { return Failure(.unavailable, "\(cluster) \(problem)") }
        if error is HTTPParserError { return Failure(.unavailable, "\(cluster) broke off or garbled its answer") }
        if error is NIOTooManyBytesError { return Failure(.fault, "\(cluster) answered more than we take") }
        return Failure(.unavailable, "\(cluster) cannot be reached\(way)", cause: error)
    }

    /// Whether the connection went away under the call, as one does that the server had just closed for its long rest.
    static func isLost(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError { return error == .remoteConnectionClosed }
        if let error = error as? HTTPParserError { return error == .invalidEOFState }
        if error is NIOSSLError { return "\(error)".contains("uncleanShutdown") }
        return (error as? IOError).map { [ECONNRESET, EPIPE].contains($0.errnoCode) } ?? (error is ChannelError)
    }

    /// The library's words for trouble with TLS name its source files.
    private static func tlsProblem(_ error: any Error, _ config: KubeConfig) -> String? {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "shows a certificate that its kubeconfig does not trust"
        }
        if text.contains("unableToValidateCertificate") {
            let hint =
                config.proxy == nil ? "" : "; through a proxy an address that is a number needs 'tls-server-name'"
            return "shows a certificate that is not for '\(config.serverName ?? config.server)'\(hint)"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "speaks no TLS" }
        if text.contains("CERTIFICATE_REQUIRED") || text.contains("ALERT_BAD_CERTIFICATE")
            || text.contains("UNKNOWN_CA") || text.contains("CERTIFICATE_EXPIRED")
        {
            let pem = try? config.user.identity?.certificate.read()
            let end = pem.flatMap { RefusedCredential.words(ofCertificate: $0, at: WallClock.machine.now) }
            return "does not accept our client certificate" + (end.map { ": \($0)" } ?? "")
        }
        guard error is NIOSSLError || error is BoringSSLError else { return nil }
        return text.contains("uncleanShutdown")
            ? "closed the connection before it answered" : "and we find no common way of encryption"
    }
}
