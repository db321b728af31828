// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation

/// A request as it came over the wire.
package struct WireRequest: Sendable {
    package var method: String
    /// Path and query, as sent.
    package var target: String
    /// In order, names in lower case.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Which connection it came over, counted from 0.
    package var connection: Int
    /// Its place in the order of arrival, counted from 0.
    package var place = 0

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    package func all(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }

    /// Waits for a whole request; `nil` where the other side goes before.
    static func read(from descriptor: Int32, connection: Int) -> WireRequest? {
        var bytes: [UInt8] = []
        func goesOn() -> Bool {
            let more = LoopbackSocket.receive(from: descriptor)
            bytes += more
            return !more.isEmpty
        }
        let end = Array("\r\n\r\n".utf8)
        var head: Int?
        while head == nil {
            guard goesOn() else { return nil }
            head = bytes.firstRange(of: end)?.lowerBound
        }
        guard let head else { return nil }
        let lines = String(decoding: bytes[..<head], as: UTF8.self).components(separatedBy: "\r\n")
        let parts = lines[0].split(separator: " ").map(String.init)
        guard parts.count >= 2 else { return nil }
        let headers = lines.dropFirst().map { line in
            let sides = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            return (name: sides[0].lowercased(), value: sides.count > 1 ? sides[1] : "")
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while bytes.count < head + end.count + length { guard goesOn() else { return nil } }
        return WireRequest(
            method: parts[0],
            target: parts[1],
            headers: headers,
            body: Array(bytes[(head + end.count)...]),
            connection: connection
        )
    }
}
