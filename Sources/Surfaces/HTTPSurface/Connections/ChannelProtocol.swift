// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How several streams share one WebSocket: each message names the channel it belongs to.
enum ChannelProtocol: String, Sendable, CaseIterable {
    case v5 = "v5.channel.k8s.io"
    case v4 = "v4.channel.k8s.io"
    case v4Base64 = "v4.base64.channel.k8s.io"
    case v1 = "channel.k8s.io"
    case v1Base64 = "base64.channel.k8s.io"

    /// What a message says.
    enum Event: Equatable, Sendable {
        case data(channel: UInt8, [UInt8])
        /// The client will send no more on that channel.
        case closed(channel: UInt8)
    }

    struct Violation: Error, Equatable { var reason: String }

    /// The first of the client's protocols that is spoken here; one that names none speaks the oldest.
    static func choose(among offered: [String]) -> ChannelProtocol? {
        offered.isEmpty ? .v1 : offered.lazy.compactMap { ChannelProtocol(rawValue: $0) }.first
    }

    /// Whether messages are text, with base64 behind the channel's digit.
    var isText: Bool { self == .v4Base64 || self == .v1Base64 }

    /// Whether the end of a session is told as a `Status`, and not in plain words.
    var hasStatus: Bool { self != .v1 && self != .v1Base64 }

    private static let closeSignal: UInt8 = 255
    private static let zero = UInt8(ascii: "0")

    /// One message with bytes of a channel.
    func message(_ channel: UInt8, _ bytes: some Collection<UInt8>) -> [UInt8] {
        guard isText else { return [channel] + bytes }
        return [Self.zero + channel] + Array(Base64.encode(Array(bytes)).utf8)
    }

    /// What a message says; `nil` where it says nothing. Throws where the client breaks the protocol.
    func event(in message: [UInt8]) throws(Violation) -> Event? {
        guard let first = message.first else { return nil }
        if self == .v5, first == Self.closeSignal {
            guard message.count == 2, message[1] < 5 else { throw Violation(reason: "malformed close signal") }
            return .closed(channel: message[1])
        }
        guard isText else { return .data(channel: first, Array(message.dropFirst())) }
        guard (Self.zero...UInt8(ascii: "9")).contains(first) else { throw Violation(reason: "malformed channel") }
        guard let bytes = Base64.decode(String(decoding: message.dropFirst(), as: UTF8.self)) else {
            throw Violation(reason: "malformed base64")
        }
        return .data(channel: first - Self.zero, bytes)
    }
}

/// The channels of exec and attach.
enum SessionChannel {
    static let input: UInt8 = 0
    static let output: UInt8 = 1
    static let errors: UInt8 = 2
    static let status: UInt8 = 3
    static let size: UInt8 = 4
}
