// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Requests one after another over one connection, which is opened anew when it has to be.
public actor UpstreamSession {
    public nonisolated let url: ServiceURL
    private let timeout: Duration
    private var connection: UpstreamConnection?

    public init(url: ServiceURL, timeout: Duration) {
        self.url = url
        self.timeout = timeout
    }

    /// The deadline covers the connection too. Calls must not overlap. After an error the connection is gone.
    public func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        try await withDeadline(timeout, clock: ContinuousClock()) { try await self.exchange(request) }
    }

    public func close() {
        connection = nil
    }

    /// A server may close a connection that lay idle just as it is used again; that says nothing about the request.
    private func exchange(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        if let kept = connection.take() {
            do {
                return try await exchange(request, over: kept)
            } catch UpstreamError.unreachable where ["GET", "HEAD", "PUT", "DELETE"].contains(request.method) {}
        }
        return try await exchange(request, over: UpstreamConnection.open(to: url))
    }

    private func exchange(
        _ request: UpstreamRequest,
        over opened: consuming UpstreamConnection
    ) async throws -> UpstreamResponse {
        var current = opened
        let answer = try await current.send(request, keepAlive: true)
        if current.isReusable { connection = consume current }
        return answer
    }
}
