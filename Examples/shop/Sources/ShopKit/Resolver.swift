// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Dispatch
import Glibc
import Synchronization

/// Turns a host name into addresses, by `getaddrinfo`: /etc/hosts, then the servers in /etc/resolv.conf.
///
/// Answers are kept for a few seconds, since each page asks for the same two names.
final class Resolver: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let host: String
        let reason: String
        var description: String { "cannot resolve '\(host)': \(reason)" }
    }

    static let shared = Resolver()

    private struct Entry {
        let addresses: [ResolvedAddress]
        let expires: ContinuousClock.Instant
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let queue = DispatchQueue(label: "resolver", attributes: .concurrent)
    private static let lifetime = Duration.seconds(5)

    /// At least one address. A cancelled caller is let go at once, though the look-up itself runs on.
    func addresses(of host: String, port: UInt16) async throws -> [ResolvedAddress] {
        let now = ContinuousClock.now
        if let entry = entries.withLock({ $0[host] }), entry.expires > now {
            return entry.addresses.map { $0.with(port: port) }
        }
        let answer = OneShot<[ResolvedAddress]>()
        queue.async { answer.resolve(Result { try Self.lookUp(host) }) }
        let found = try await answer.value()
        entries.withLock { $0[host] = Entry(addresses: found, expires: now + Self.lifetime) }
        return found.map { $0.with(port: port) }
    }

    /// The addresses did not answer, so they may be out of date.
    func forget(_ host: String) {
        _ = entries.withLock { $0.removeValue(forKey: host) }
    }

    private static func lookUp(_ host: String) throws -> [ResolvedAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else { throw Failure(host: host, reason: reason(of: status)) }
        defer { freeaddrinfo(list) }
        let addresses = sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { info in
            info.flatMap { ResolvedAddress($0.pointee) }
        }
        guard !addresses.isEmpty else { throw Failure(host: host, reason: "it has no address") }
        return addresses
    }

    private static func reason(of status: Int32) -> String {
        status == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(status))
    }
}
