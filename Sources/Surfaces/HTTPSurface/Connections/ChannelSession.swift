// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Ports

/// Exec or attach over a WebSocket.
struct ChannelSession {
    let session: any ContainerSession
    let options: SessionOptions
    let language: ChannelProtocol

    /// Clients give a connection up that is silent for about a minute.
    private static let signInterval = Duration.seconds(15)

    func run(_ frames: WebSocketLink.Frames) async {
        let peers = PeerBox(language: language, options: options)
        await UpgradedConnection(frames: frames).run { link, inbound in
            try await peers.peer(on: link).listen(to: inbound)
        } work: { link in
            await work(peers.peer(on: link))
        }
    }

    private func work(_ peer: ChannelPeer) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await Self.showLife(to: peer) }
            guard (try? await peer.greet()) != nil else { return group.cancelAll() }
            let end = await session.run(peer)
            // What the client still sends is read, so that it comes to read the end itself.
            peer.stdin.abandon()
            // One that has gone needs no answer.
            try? await peer.tell(end)
            group.cancelAll()
        }
    }

    /// While the process takes no input, nobody reads the client's pings either.
    private static func showLife(to peer: ChannelPeer) async {
        while (try? await Task.sleep(for: signInterval)) != nil {
            guard peer.stdin.isStalled else { continue }
            try? await peer.link.sendSignOfLife()
        }
    }

    /// The one peer of a connection, for both who need it.
    private struct PeerBox {
        let stdin = BytePipe()
        let sizes = SizeBox()
        let language: ChannelProtocol
        let options: SessionOptions

        init(language: ChannelProtocol, options: SessionOptions) {
            self.language = language
            self.options = options
            if !options.hasInput { stdin.finish() }
            if !options.isTerminal { sizes.finish() }
        }

        func peer(on link: WebSocketLink) -> ChannelPeer {
            ChannelPeer(link: link, language: language, options: options, stdin: stdin, sizes: sizes)
        }
    }
}
