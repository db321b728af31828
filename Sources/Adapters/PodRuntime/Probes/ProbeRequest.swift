// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import NIOCore
import NIOSSL

/// One HTTP request of a probe or hook.
struct ProbeRequest: Sendable {
    let connection: ProbeConnection
    let isSecure: Bool
    private(set) var path: String
    private let headers: [(name: String, value: String)]

    private static let redirectLimit = 10

    init(_ get: JSON, address: String, port: Int) {
        connection = ProbeConnection(address: address, port: port)
        isSecure = get["scheme"]?.string?.uppercased() == "HTTPS"
        let wanted = get["path"]?.string ?? ""
        path = wanted.hasPrefix("/") ? wanted : "/" + wanted
        headers = (get["httpHeaders"]?.array ?? []).compactMap { header in
            guard let name = header["name"]?.string, let value = header["value"]?.string else { return nil }
            return Self.isClean(name + value) ? (name, value) : nil
        }
    }

    /// No line breaks, which would end the header.
    private static func isClean(_ text: String) -> Bool { !text.utf8.contains { $0 == 0x0A || $0 == 0x0D } }

    var url: String { "\(isSecure ? "https" : "http")://\(connection.target)\(path)" }

    /// The status of the answer; redirects to the same address are followed.
    func statusCode(timeout: Duration, clock: any Clock<Duration>) async throws(ProbeNetworkError) -> Int {
        var request = self
        for _ in 0..<Self.redirectLimit {
            let answer = try await request.answer(timeout: timeout, clock: clock)
            guard (300..<400).contains(answer.code), let next = request.redirected(to: answer.location) else {
                return answer.code
            }
            request.path = next
        }
        throw ProbeNetworkError(description: "stopped after \(Self.redirectLimit) redirects")
    }

    /// The path of a redirect that stays at this address; one that leads elsewhere counts as an answer.
    private func redirected(to location: String?) -> String? {
        guard let location, !location.isEmpty else { return nil }
        if location.hasPrefix("/"), !location.hasPrefix("//") { return location }
        let own = "\(isSecure ? "https" : "http")://\(connection.target)"
        guard location.hasPrefix(own + "/") else { return nil }
        return String(location.dropFirst(own.count))
    }

    private struct Answer: Sendable {
        var code: Int
        var location: String?
    }

    private func answer(timeout: Duration, clock: any Clock<Duration>) async throws(ProbeNetworkError) -> Answer {
        let isSecure = isSecure
        return try await connection.exchange(
            bytes,
            timeout: timeout,
            clock: clock,
            prepare: { channel in if isSecure { try Self.addTLS(to: channel) } },
            take: { bytes, isEnd in Self.read(bytes, isEnd: isEnd) }
        )
    }

    /// Certificates of pods are not checked, as the kubelet does not.
    private static func addTLS(to channel: any Channel) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let handler = try NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: nil)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private var bytes: [UInt8] {
        var lines = ["GET \(path.replacing(" ", with: "%20")) HTTP/1.1"]
        func has(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name } }
        if !has("host") { lines.append("Host: \(connection.target)") }
        if !has("user-agent") { lines.append("User-Agent: kube-probe/1.36") }
        if !has("accept") { lines.append("Accept: */*") }
        lines += headers.filter { !$0.value.isEmpty }.map { "\($0.name): \($0.value)" }
        lines += ["Connection: close", "", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// Reads an answer's status line and, for a redirect, where it leads; `nil` while more is needed.
    private static func read(_ bytes: [UInt8], isEnd: Bool) -> Answer? {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        guard lines.count > 1, let first = lines.first else { return nil }
        let words = first.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let code = Int(words[1]), (100..<600).contains(code)
        else {
            return nil
        }
        guard (300..<400).contains(code) else { return Answer(code: code) }
        guard let end = lines.firstIndex(of: "") else { return isEnd ? Answer(code: code) : nil }
        let location = lines[..<end].first { $0.lowercased().hasPrefix("location:") }
        return Answer(
            code: code,
            location: location.map { String($0.dropFirst("location:".count).drop { $0 == " " }) }
        )
    }
}
