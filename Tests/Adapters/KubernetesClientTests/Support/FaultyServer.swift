// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization

/// A request as it came over the wire.
struct WireRequest: Sendable {
    var method: String
    /// Path and query, as sent.
    var target: String
    /// In order, names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// Which connection it came over, counted from 0.
    var connection: Int

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    func all(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
}

/// The server's side of one connection, byte by byte.
struct Wire: Sendable {
    let descriptor: Int32

    func send(_ text: String) {
        var bytes = Array(text.utf8)
        while !bytes.isEmpty {
            let count = unsafe Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            bytes.removeFirst(count)
        }
    }

    func answer(
        _ status: Int,
        _ body: String = "{}",
        headers: [(String, String)] = [],
        type: String = "application/json"
    ) {
        let lines = headers.map { "\($0): \($1)\r\n" }.joined()
        send(
            "HTTP/1.1 \(status) Scripted\r\nContent-Type: \(type)\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
    }

    /// The head of an answer that goes on in chunks.
    func beginChunks() {
        send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    }
    func chunk(_ text: String) { send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n") }
    func endChunks() { send("0\r\n\r\n") }

    func send(_ bytes: [UInt8]) { _ = unsafe Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// So many bytes, or fewer where the other side goes.
    func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let received = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard received > 0 else { return bytes }
            bytes += buffer.prefix(received)
        }
        return bytes
    }

    /// Says nothing more until the other side goes.
    func stall() {
        var buffer = [UInt8](repeating: 0, count: 1024)
        while unsafe recv(descriptor, &buffer, buffer.count, 0) > 0 {}
    }
}

/// An HTTP server on loopback that answers, or fails to, as a test says: a thread for each connection, which is kept as
/// long as the script returns `true`. It ends with the value.
final class FaultyServer: Sendable {
    typealias Script = @Sendable (WireRequest, Wire) -> Bool

    let port: Int
    private let descriptor: Int32
    private let seen = Mutex<[WireRequest]>([])
    private let open = Mutex<Set<Int32>>([])

    var url: String { "http://127.0.0.1:\(port)" }
    /// All requests so far, in order of arrival.
    var requests: [WireRequest] { seen.withLock { $0 } }
    var lines: [String] { requests.map { "\($0.method) \($0.target)" } }

    /// `greeting` comes before the first request of each connection.
    init(greeting: @escaping @Sendable (Wire) -> Void = { _ in }, _ script: @escaping Script) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length) + listen(descriptor, 128)
                    + getsockname(descriptor, pointer, &length)
            }
        }
        guard result == 0 else { throw CocoaError(.fileNoSuchFile) }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [weak self] in
            var count = 0
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                guard let server = self else {
                    close(connection)
                    return
                }
                server.begin(connection, count, greeting, script)
                count += 1
            }
        }
        thread.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
        for connection in open.withLock({ $0 }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private func begin(
        _ connection: Int32,
        _ number: Int,
        _ greeting: @escaping @Sendable (Wire) -> Void,
        _ script: @escaping Script
    ) {
        open.withLock { _ = $0.insert(connection) }
        let thread = Thread { [weak self] in
            greeting(Wire(descriptor: connection))
            var isKept = true
            while isKept, let request = Self.read(connection, number) {
                self?.seen.withLock { $0.append(request) }
                isKept = script(request, Wire(descriptor: connection))
            }
            self?.open.withLock { _ = $0.remove(connection) }
            close(connection)
        }
        thread.start()
    }

    private static func read(_ connection: Int32, _ number: Int) -> WireRequest? {
        var bytes: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        while bytes.firstRange(of: end) == nil {
            guard receive(connection, into: &bytes) else { return nil }
        }
        guard let headEnd = bytes.firstRange(of: end)?.lowerBound else { return nil }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).components(separatedBy: "\r\n")
        let parts = lines[0].split(separator: " ").map(String.init)
        let headers = lines.dropFirst().map { line in
            let sides = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            return (name: sides[0].lowercased(), value: sides.count > 1 ? sides[1] : "")
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while bytes.count < headEnd + 4 + length { guard receive(connection, into: &bytes) else { return nil } }
        return WireRequest(
            method: parts[0],
            target: parts[1],
            headers: headers,
            body: Array(bytes[(headEnd + 4)...]),
            connection: number
        )
    }

    private static func receive(_ connection: Int32, into bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        bytes += buffer.prefix(count)
        return true
    }
}
