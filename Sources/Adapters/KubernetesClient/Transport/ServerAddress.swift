// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// How a server's address, its name for TLS, its proxy and the headers of every request fit together.
enum ServerAddress {
    /// The address requests are made to, and what each of them carries.
    ///
    /// Where TLS is to speak of another name the address has that name; ``HTTPClient/Configuration`` leads it to the server.
    static func base(of config: KubeConfig, userAgent: String) throws -> (address: String, headers: HTTPHeaders) {
        guard var parts = URLComponents(string: config.server), let host = parts.host else {
            throw Failure(.invalidInput, "'\(config.server)' is no address of a cluster")
        }
        var headers: HTTPHeaders = ["User-Agent": userAgent]
        if let name = config.serverName {
            headers.add(name: "Host", value: parts.port.map { "\(host):\($0)" } ?? host)
            parts.host = name
        }
        if let other = config.user.impersonation { headers.add(other) }
        return (parts.string ?? config.server, headers)
    }
}

extension HTTPHeaders {
    fileprivate mutating func add(_ other: Impersonation) {
        add(name: "Impersonate-User", value: other.user)
        if let uid = other.uid { add(name: "Impersonate-Uid", value: uid) }
        for group in other.groups { add(name: "Impersonate-Group", value: group) }
        for (key, values) in other.extra.sorted(by: { $0.key < $1.key }) {
            // Keys may have letters that no header name has.
            let name = key.addingPercentEncoding(withAllowedCharacters: Self.nameCharacters) ?? key
            for value in values { add(name: "Impersonate-Extra-\(name)", value: value) }
        }
    }

    private static let nameCharacters = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&'*+-.^_`|~"
    )
}

extension HTTPClient.Configuration {
    init(_ config: KubeConfig, _ limits: Limits, _ tls: TLSMaterial) throws {
        self.init()
        tlsConfiguration = tls.first
        timeout.connect = limits.connect.amount
        redirectConfiguration = .disallow
        httpVersion = .http1Only
        // Long lists arrive in a tenth of their size where the server offers it; watches and logs come as they are.
        decompression = .enabled(limit: .size(1 << 30))
        connectionPool.idleTimeout = .seconds(30)
        // Watches and followed logs hold a connection each, so the bound on calls is elsewhere.
        connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        // Who waits for a server that refuses connections does so by a rule of its own.
        connectionPool.retryConnectionEstablishment = false
        if let name = config.serverName, let host = URLComponents(string: config.server)?.host {
            dnsOverride = [name: host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))]
        }
        if let other = config.proxy {
            switch other.scheme {
            case .http:
                proxy = .server(
                    host: other.host,
                    port: other.port,
                    authorization: other.login.map { .basic(username: $0.username, password: $0.password) }
                )
            case .socks5: proxy = .socksServer(host: other.host, port: other.port)
            }
        }
        http1_1ConnectionDebugInitializer = { $0.watchedByTheSystem() }
    }
}

extension Channel {
    /// A peer that vanished without a word is noticed within half a minute: by the system's probes while we only listen, by
    /// missing acknowledgements when we spoke.
    fileprivate func watchedByTheSystem() -> EventLoopFuture<Void> {
        let options: [(ChannelOptions.Types.SocketOption, ChannelOptions.Types.SocketOption.Value)] = [
            (.init(level: .socket, name: .so_keepalive), 1),
            (.init(level: .tcp, name: .init(rawValue: TCPOption.idle)), 15),
            (.init(level: .tcp, name: .init(rawValue: TCPOption.interval)), 5),
            (.init(level: .tcp, name: .init(rawValue: TCPOption.count)), 3),
        ]
        let set = options.map { setOption($0.0, value: $0.1) }
        // What the system does not know of stays as it is.
        return EventLoopFuture.andAllComplete(set, on: eventLoop)
    }
}

/// Numbers from Linux' `tcp.h`.
private enum TCPOption {
    static let idle: CInt = 4
    static let interval: CInt = 5
    static let count: CInt = 6
}
