// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Ports

/// Somebody who reads and writes along with a container's own process, from now until the container ends.
struct AttachSession: ContainerSession {
    let container: RunningContainer
    let options: SessionOptions

    func run(_ peer: any SessionPeer) async -> SessionEnd {
        guard let (number, tap) = container.log.tap() else { return .ended }
        await withTaskGroup(of: Void.self) { writing in
            if let input = container.input {
                if options.hasInput { writing.addTask { await input.take(from: peer) } }
                if input.isTerminal { writing.addTask { await input.follow(sizeOf: peer) } }
            }
            await send(tap, to: peer)
            writing.cancelAll()
        }
        container.log.untap(number)
        return .ended
    }

    private func send(_ tap: OutputTap, to peer: any SessionPeer) async {
        while let pieces = await tap.next() {
            for piece in pieces {
                let output: SessionOutput = piece.stream == .stdout ? .output : .errors
                guard output == .output ? options.hasOutput : options.hasErrors else { continue }
                do { try await peer.send(piece.bytes, to: output) } catch { return }
            }
        }
    }
}
