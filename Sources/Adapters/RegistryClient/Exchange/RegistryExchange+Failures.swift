// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1
import NIOSSL
import Ports

extension RegistryExchange {
    /// An answer that is no success, in words that name the registry, what was tried, and what to do.
    func failure(of response: HTTPClientResponse, to call: RegistryCall) async -> Failure {
        let bytes = (try? await body(of: response, limit: 64 << 10)) ?? []
        let said = Self.message(in: bytes)
        let status = response.status
        switch status.code {
        case 401, 403: return refused(call, "\(status.code) \(status.reasonPhrase)", said)
        case 404:
            return Failure(.notFound, "the registry '\(address.host)' cannot \(call.purpose): \(said ?? "not found")")
        case 413:
            let advice = "raise the limit of the proxy in front of it"
            return Failure(
                .invalidInput,
                "the registry '\(address.host)' finds it too large to \(call.purpose); \(advice)"
            )
        case 429:
            return Failure(
                .unavailable,
                "the registry '\(address.host)' takes no more requests for now\(Self.tail(said))"
            )
        case 500...:
            let problem = "the registry '\(address.host)' failed to \(call.purpose): \(status.code)\(Self.tail(said))"
            return Failure(.unavailable, problem)
        default:
            let problem =
                "the registry '\(address.host)' answered \(status.code), asked to \(call.purpose)\(Self.tail(said))"
            return Failure(.invalidInput, problem)
        }
    }

    func refused(_ call: RegistryCall, _ word: String, _ said: String?) -> Failure {
        let advice =
            credentials.map { "check the password of '\($0.username)' and what that user may do" }
            ?? "give a user name and a password that may do so"
        return Failure(
            .denied,
            "the registry '\(address.host)' does not let us \(call.purpose): \(said ?? word); \(advice)"
        )
    }

    private static func tail(_ said: String?) -> String { said.map { ": \($0)" } ?? "" }

    /// The registry's own words: the first error of the specification's document, or a short plain text.
    private static func message(in bytes: [UInt8]) -> String? {
        if let json = try? JSON(parsing: bytes) {
            let error = json["errors"]?[0]
            let message = error?["message"]?.string ?? json["details"]?.string ?? json["message"]?.string
            return message.flatMap { $0.isEmpty ? error?["code"]?.string : $0 } ?? error?["code"]?.string
        }
        let text = String(decoding: bytes.prefix(200), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty || text.hasPrefix("<") ? nil : text
    }

    /// What a broken exchange means: cancelled, too slow, or worth another try.
    func unreachable(_ error: any Error, _ url: URL) -> any Error {
        if error is CancellationError || (error as? HTTPClientError) == .cancelled { return CancellationError() }
        if error is Failure || error is Transient { return error }
        let place = url.host().map { host in url.port.map { "\(host):\($0)" } ?? host } ?? address.host
        let late: [HTTPClientError] = [.deadlineExceeded, .readTimeout, .writeTimeout]
        if let error = error as? HTTPClientError, late.contains(error) {
            return Failure(.deadlineExceeded, "the registry '\(place)' did not answer in time")
        }
        if let problem = Self.tlsProblem(error) {
            return Failure(.unavailable, "the registry '\(place)' \(problem)")
        }
        return Transient(
            failure: Failure(.unavailable, "the registry '\(place)' cannot be reached", cause: error),
            wait: nil
        )
    }

    /// Trouble with TLS does not pass by itself.
    private static func tlsProblem(_ error: any Error) -> String? {
        let text = "\(error)"
        if text.contains("WRONG_VERSION_NUMBER") {
            return "speaks no TLS; name it among the plain hosts if that is meant to be"
        }
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
            return "shows a certificate that this machine does not trust"
        }
        return error is NIOSSLError ? "and we find no common way of encryption" : nil
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        self = .nanoseconds(
            duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
        )
    }
}
