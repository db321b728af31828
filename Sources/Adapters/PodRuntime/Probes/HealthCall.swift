// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A call of `grpc.health.v1.Health/Check` over HTTP/2 without TLS: as much of both as one unary call needs.
///
/// Source: RFC 9113 (frames), RFC 7541 (literal header fields without indexing), the gRPC health checking protocol.
struct HealthCall: Sendable {
    let address: String
    let port: Int
    let service: String

    func run(timeout: Duration, clock: any Clock<Duration>) async -> ProbeOutcome {
        let connection = ProbeConnection(address: address, port: port)
        do {
            let status = try await connection.exchange(request, timeout: timeout, clock: clock) { bytes, isEnd in
                try Self.status(in: bytes, isEnd: isEnd)
            }
            return status == 1 ? .success : .failure("service unhealthy (responded with \"\(Self.name(of: status))\")")
        } catch {
            return .failure(
                "timeout: failed to connect service \"\(connection.target)\" within \(timeout.goText): \(error)"
            )
        }
    }

    private static func name(of status: Int) -> String {
        let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
        return names.indices.contains(status) ? names[status] : "\(status)"
    }

    // MARK: Request

    private var request: [UInt8] {
        let headers = Self.headers([
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
            (":authority", "\(address):\(port)"), ("content-type", "application/grpc"), ("te", "trailers"),
            ("user-agent", "kube-probe/1.36"),
        ])
        var message: [UInt8] = []
        if !service.isEmpty { message = [0x0A] + Self.varint(service.utf8.count) + Array(service.utf8) }
        let body = [0] + Self.bigEndian(message.count, bytes: 4) + message
        return Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, flags: 0, stream: 0, [])
            // An acknowledgement of settings that are sure to come saves a round trip.
            + Self.frame(4, flags: 1, stream: 0, [])
            + Self.frame(1, flags: 4, stream: 1, headers) + Self.frame(0, flags: 1, stream: 1, body)
    }

    private static func frame(_ type: UInt8, flags: UInt8, stream: Int, _ payload: [UInt8]) -> [UInt8] {
        bigEndian(payload.count, bytes: 3) + [type, flags] + bigEndian(stream, bytes: 4) + payload
    }

    private static func headers(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in
            [0] + lengthPrefixed(name) + lengthPrefixed(value)
        }
    }

    /// A string as it is; lengths of 127 and more take the continuation of RFC 7541, 5.1.
    private static func lengthPrefixed(_ text: String) -> [UInt8] {
        let count = text.utf8.count
        let length = count < 127 ? [UInt8(count)] : [127] + varint(count - 127)
        return length + Array(text.utf8)
    }

    private static func varint(_ number: Int) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func bigEndian(_ number: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    // MARK: Answer

    /// The status in the answer's message; `nil` while more is needed.
    static func status(in bytes: [UInt8], isEnd: Bool) throws -> Int? {
        var body: [UInt8] = []
        var offset = 0
        var hasEnded = false
        while offset + 9 <= bytes.count, !hasEnded {
            let length = bytes[offset..<offset + 3].reduce(0) { $0 << 8 | Int($1) }
            let (type, flags) = (bytes[offset + 3], bytes[offset + 4])
            let stream = bytes[offset + 5..<offset + 9].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
            let end = offset + 9 + length
            guard end <= bytes.count else { break }
            if type == 0, stream == 1 {
                let padding = flags & 8 != 0 ? Int(bytes[offset + 9]) : 0
                let start = offset + 9 + (flags & 8 != 0 ? 1 : 0)
                if start <= end - padding { body += bytes[start..<end - padding] }
            }
            if type == 3 || type == 7 { throw ProbeNetworkError(description: "the server refused the call") }
            if type <= 1, stream == 1, flags & 1 != 0 { hasEnded = true }
            offset = end
        }
        if let status = message(in: body) { return status }
        guard hasEnded || isEnd else { return nil }
        throw ProbeNetworkError(description: "the server does not answer grpc.health.v1.Health/Check")
    }

    /// The `status` field of a whole message; one that is left out is 0.
    private static func message(in body: [UInt8]) -> Int? {
        guard body.count >= 5, body[0] == 0 else { return nil }
        let length = body[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard body.count >= 5 + length else { return nil }
        let message = body[5..<5 + length]
        return message.first == 0x08 && message.count >= 2 ? Int(message[6]) : 0
    }
}
