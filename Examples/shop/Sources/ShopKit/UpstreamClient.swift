// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What is asked of another service.
public struct UpstreamRequest: Sendable {
    public var method: String
    /// Percent-encoded, with its query.
    public var target: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    public var bodyLimit = 4 << 20

    public init(
        _ method: String,
        _ target: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    func encoded(for url: ServiceURL, keepAlive: Bool) -> [UInt8] {
        var head = "\(method) \(url.prefix)\(target) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.name.lowercased() == "host" }) { head += "Host: \(url.authority)\r\n" }
        for (name, value) in headers where !value.utf8.contains(where: { $0 < 0x20 }) {
            head += "\(name): \(value)\r\n"
        }
        if !body.isEmpty || method == "POST" || method == "PUT" { head += "Content-Length: \(body.count)\r\n" }
        head += "Connection: \(keepAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array(head.utf8) + body
    }
}

public enum UpstreamError: Error, CustomStringConvertible {
    case unreachable(String, String)
    case malformed(String)

    public var description: String {
        switch self {
        case .unreachable(let address, let reason): "cannot reach \(address): \(reason)"
        case .malformed(let reason): "malformed answer: \(reason)"
        }
    }
}

/// Calls one other service: a connection per call, one deadline for all of it.
public struct UpstreamClient: Sendable {
    public let url: ServiceURL
    private let timeout: Duration
    private let clock: any Clock<Duration>

    public init(url: ServiceURL, timeout: Duration, clock: any Clock<Duration> = ContinuousClock()) {
        self.url = url
        self.timeout = timeout
        self.clock = clock
    }

    public func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        try await withDeadline(timeout, clock: clock) { [url] in
            var connection = try await UpstreamConnection.open(to: url)
            return try await connection.send(request)
        }
    }
}
