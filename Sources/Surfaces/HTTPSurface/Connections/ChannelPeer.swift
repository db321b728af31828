// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Ports

/// A client of exec or attach, behind a WebSocket with channels.
struct ChannelPeer: SessionPeer {
    let link: WebSocketLink
    let language: ChannelProtocol
    let options: SessionOptions
    let stdin: BytePipe
    let sizes: SizeBox

    /// In bytes; what the real server sends at most, and what its clients have buffers for.
    private static let pieceSize = 32 * 1024

    func input() async -> [UInt8]? { await stdin.next() }

    func size() async -> TerminalSize? { await sizes.next() }

    func send(_ bytes: [UInt8], to output: SessionOutput) async throws {
        let channel = output == .output ? SessionChannel.output : SessionChannel.errors
        for start in stride(from: 0, to: bytes.count, by: Self.pieceSize) {
            let piece = bytes[start..<min(start + Self.pieceSize, bytes.count)]
            try await link.send(language.message(channel, piece), isText: language.isText)
        }
    }

    /// Takes what the client sends until it leaves.
    func listen(to inbound: WebSocketLink.Inbound) async throws {
        defer {
            stdin.finish()
            sizes.finish()
        }
        var reader = SizeReader()
        try await link.read(inbound) { message in
            switch try language.event(in: message) {
            case .data(SessionChannel.input, let bytes) where options.hasInput: await stdin.write(bytes)
            case .data(SessionChannel.size, let bytes): if let size = reader.feed(bytes) { sizes.put(size) }
            case .closed(SessionChannel.input): stdin.finish()
            case .data, .closed, nil: break
            }
        }
    }

    /// Real servers begin with an empty message, which some clients wait for.
    func greet() async throws {
        let first =
            options.hasOutput
            ? SessionChannel.output : options.hasErrors ? SessionChannel.errors : SessionChannel.status
        try await link.send(language.message(first, []), isText: language.isText)
    }

    func tell(_ end: SessionEnd) async throws {
        guard let message = end.message(in: language) else { return }
        try await link.send(language.message(SessionChannel.status, message), isText: language.isText)
    }
}
