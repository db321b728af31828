// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization

/// A request as it came over the wire.
struct WireRequest: Sendable {
    var method: String
    /// Path and query, as sent.
    var target: String
    /// By lower-case name.
    var headers: [String: String]
    var body: [UInt8]
}

/// An HTTP server on loopback whose answers a test writes: one connection at a time per thread, no keep-alive.
///
/// It ends with the value.
final class ScriptedServer: Sendable {
    struct Answer: Sendable {
        var status: Int
        var headers: [(String, String)] = []
        var body = ""
        /// Closes the connection instead of answering.
        var hangsUp = false
    }

    let port: Int
    private let descriptor: Int32
    private let seen = Mutex<[WireRequest]>([])

    var host: String { "127.0.0.1:\(port)" }
    /// All requests so far, in order.
    var requests: [WireRequest] { seen.withLock { $0 } }
    /// All requests so far as `METHOD target`.
    var lines: [String] { requests.map { "\($0.method) \($0.target)" } }

    /// `answer` is called for each request with its place in the order of arrival.
    init(_ answer: @escaping @Sendable (WireRequest, Int) -> Answer) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length) + listen(descriptor, 16)
                    + getsockname(descriptor, pointer, &length)
            }
        }
        guard result == 0 else { throw CocoaError(.fileNoSuchFile) }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0, let self else { return }
                self.serve(connection, answer)
                close(connection)
            }
        }
        thread.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private func serve(_ connection: Int32, _ answer: @Sendable (WireRequest, Int) -> Answer) {
        guard let request = Self.read(connection) else { return }
        let place = seen.withLock { seen in
            seen.append(request)
            return seen.count - 1
        }
        let answer = answer(request, place)
        guard !answer.hangsUp else { return }
        var text = "HTTP/1.1 \(answer.status) Scripted\r\nConnection: close\r\n"
        for (name, value) in answer.headers { text += "\(name): \(value)\r\n" }
        text += "Content-Length: \(answer.body.utf8.count)\r\n\r\n"
        if request.method != "HEAD" { text += answer.body }
        var bytes = Array(text.utf8)
        while !bytes.isEmpty {
            let count = unsafe send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            bytes.removeFirst(count)
        }
    }

    private static func read(_ connection: Int32) -> WireRequest? {
        var bytes: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while headEnd == nil {
            guard receive(connection, into: &bytes) else { return nil }
            headEnd = bytes.firstRange(of: end)?.lowerBound
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).components(separatedBy: "\r\n")
        let parts = lines[0].split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if sides.count == 2 { headers[sides[0].lowercased()] = sides[1] }
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while bytes.count < headEnd + 4 + length { guard receive(connection, into: &bytes) else { return nil } }
        return WireRequest(method: parts[0], target: parts[1], headers: headers, body: Array(bytes[(headEnd + 4)...]))
    }

    private static func receive(_ connection: Int32, into bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        bytes += buffer.prefix(count)
        return true
    }
}
