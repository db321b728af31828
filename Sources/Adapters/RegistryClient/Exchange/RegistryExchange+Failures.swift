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
        let status = response.status
        guard status != .unauthorized, status != .forbidden else {
            return await refusal(response, call, key(for: call.scopes), isKnown: status == .forbidden)
        }
        let said = Self.said(in: (try? await body(of: response, limit: 64 << 10)) ?? [])
        let (host, words) = (address.host, Self.tail(said))
        switch status.code {
        case 404:
            return Failure(.notFound, "the registry '\(host)' cannot \(call.purpose): \(said ?? "not found")")
        case 413:
            let advice = "raise the limit of the proxy in front of it"
            return Failure(.invalidInput, "the registry '\(host)' finds it too large to \(call.purpose); \(advice)")
        case 429:
            return Failure(.unavailable, "the registry '\(host)' takes no more requests for now\(words)")
        case 507:
            return full(call)
        case 500... where Self.isFull(said):
            return full(call)
        case 500...:
            return Failure(.unavailable, "the registry '\(host)' failed to \(call.purpose): \(status.code)\(words)")
        default:
            let problem = "the registry '\(host)' answered \(status.code), asked to \(call.purpose)\(words)"
            return Failure(.invalidInput, problem)
        }
    }

    /// The registry's, or its token service's, no to who asks. `isKnown` tells that the login itself is good.
    func refusal(
        _ response: HTTPClientResponse,
        _ call: RegistryCall,
        _ key: Key,
        isKnown: Bool = false
    ) async -> Failure {
        let said = Self.said(in: (try? await body(of: response, limit: 64 << 10)) ?? [])
        let asker = await authorizations.asker(for: key) ?? Asker()
        let word = "\(response.status.code) \(response.status.reasonPhrase)"
        let advice = asker.advice(call, host: address.host, isKnown: isKnown)
        return Failure(
            .denied,
            "the registry '\(address.host)' does not let us \(call.purpose): \(said ?? word); \(advice)"
        )
    }

    private func full(_ call: RegistryCall) -> Failure {
        let problem = "the registry '\(address.host)' failed to \(call.purpose): its disk is full"
        return Failure(.fault, "\(problem); make room there and try again, what arrived is not sent twice")
    }

    private static func isFull(_ said: String?) -> Bool {
        guard let said = said?.lowercased() else { return false }
        return said.contains("no space left") || said.contains("disk quota exceeded") || said.contains("storage full")
    }

    private static func tail(_ said: String?) -> String { said.map { ": \($0)" } ?? "" }

    /// The registry's own words: the first error of the specification's document, or a short plain text.
    private static func said(in bytes: [UInt8]) -> String? {
        guard let json = try? JSON(parsing: bytes) else {
            let text = String(decoding: bytes.prefix(200), as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines
            )
            return text.isEmpty || text.hasPrefix("<") ? nil : oneLine(text)
        }
        let error = json["errors"]?[0]
        // distribution hides the number of the system's error in a detail.
        if error?["detail"]?[path: "Enclosed", "Err"]?.int == 28 { return "no space left on device" }
        // Its "unknown error" tells nothing; what it says beside it does.
        if error?["code"]?.string == "UNKNOWN", let detail = error?["detail"]?.string, !detail.isEmpty {
            return oneLine(detail)
        }
        let words = [
            error?["message"]?.string, json["details"]?.string, json["message"]?.string,
            json["error_description"]?.string, json["error"]?.string, error?["code"]?.string,
        ]
        return words.compactMap(\.self).first { !$0.isEmpty }.map(oneLine)
    }

    private static func oneLine(_ text: String) -> String {
        String(text.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300))
    }

    /// What a broken exchange means: cancelled, too slow, or worth another try.
    func unreachable(_ error: any Error, _ url: URL, _ purpose: String) -> any Error {
        if error is CancellationError || (error as? HTTPClientError) == .cancelled { return CancellationError() }
        if error is Failure || error is Transient { return error }
        let place = url.host().map { host in url.port.map { "\(host):\($0)" } ?? host } ?? address.host
        let late: [HTTPClientError] = [.deadlineExceeded, .readTimeout, .writeTimeout]
        if let error = error as? HTTPClientError, late.contains(error) {
            return Failure(.deadlineExceeded, "the registry '\(place)' did not answer in time, asked to \(purpose)")
        }
        if let problem = Self.tlsProblem(error) {
            return Failure(.unavailable, "the registry '\(place)' \(problem)")
        }
        return Transient(
            failure: Failure(.unavailable, "the registry '\(place)' cannot be reached to \(purpose)", cause: error),
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
