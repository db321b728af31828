// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The server's side of one connection, byte by byte.
package struct Wire: Sendable {
    let descriptor: Int32

    package func send(_ text: String) { send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) { LoopbackSocket.send(bytes, to: descriptor) }

    package func answer(
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
    package func beginChunks() {
        send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    }
    package func chunk(_ text: String) { send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n") }
    package func endChunks() { send("0\r\n\r\n") }

    /// So many bytes, or fewer where the other side goes.
    package func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = LoopbackSocket.receive(from: descriptor, atMost: count - bytes.count)
            guard !more.isEmpty else { return bytes }
            bytes += more
        }
        return bytes
    }

    /// Says nothing more until the other side goes.
    package func stall() { while !LoopbackSocket.receive(from: descriptor).isEmpty {} }
}
