// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingSocks
import FoundationEssentials

/// One TCP connection to another service; it closes with its owner.
public struct UpstreamConnection: ~Copyable {
    private let socket: AsyncSocket
    private let url: ServiceURL
    public private(set) var isReusable = true

    deinit {
        try? socket.close()
    }

    private init(socket: AsyncSocket, url: ServiceURL) {
        self.socket = socket
        self.url = url
    }

    /// Tries each address of the host in turn. The caller sets the deadline.
    public static func open(to url: ServiceURL) async throws -> UpstreamConnection {
        var lastError: any Error = SocketError.unsupportedAddress
        for address in try await Resolver.shared.addresses(of: url.host, port: url.port) {
            do {
                return UpstreamConnection(socket: try await connect(to: address), url: url)
            } catch let error as SocketError {
                lastError = error
            }
        }
        Resolver.shared.forget(url.host)
        throw UpstreamError.unreachable("\(url.host):\(url.port)", reason(of: lastError))
    }

    private static func connect(to address: ResolvedAddress) async throws -> AsyncSocket {
        let socket = try Socket(domain: address.domain, type: .stream)
        do {
            socket.setNoDelay()
            let connection = try AsyncSocket(socket: socket, pool: ReadinessPool.shared)
            try await connection.connect(to: address)
            return connection
        } catch {
            try? socket.close()
            throw error
        }
    }

    private static func reason(of error: any Error) -> String {
        guard case SocketError.failed(_, _, let message) = error else { return "\(error)" }
        return message
    }

    /// Sends one request and waits for its whole answer. After an error the connection is of no more use.
    public mutating func send(_ request: UpstreamRequest, keepAlive: Bool = false) async throws -> UpstreamResponse {
        isReusable = false
        do {
            try await socket.write(Data(request.encoded(for: url, keepAlive: keepAlive)))
            var parser = ResponseParser(isHead: request.method == "HEAD", bodyLimit: request.bodyLimit)
            while true {
                if let answer = parser.complete {
                    isReusable = keepAlive && parser.isReusable
                    return answer
                }
                try await receive(into: &parser)
            }
        } catch let error as ResponseParser.Malformed {
            throw UpstreamError.malformed(error.description)
        } catch let error as SocketError {
            throw UpstreamError.unreachable("\(url.host):\(url.port)", Self.reason(of: error))
        }
    }

    private func receive(into parser: inout ResponseParser) async throws {
        do {
            try await parser.consume(socket.read(atMost: 4096))
        } catch SocketError.disconnected {
            guard !parser.isUntouched else {
                throw UpstreamError.unreachable("\(url.host):\(url.port)", "it closed the connection without an answer")
            }
            try parser.end()
        }
    }
}
