// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// Our end of a process's standard input, or its terminal.
final class ProcessInput: Sendable {
    let isTerminal: Bool
    /// Whether the input ends with the first who wrote to it.
    private let isForOne: Bool
    private let end: Mutex<Descriptor?>

    init(_ end: Descriptor, isTerminal: Bool, isForOne: Bool) {
        self.isTerminal = isTerminal
        self.isForOne = isForOne
        self.end = Mutex(end)
    }

    /// Hands over what `peer` sends until that ends. A terminal has no such end: people type `^D`.
    func take(from peer: any SessionPeer) async {
        var isOpen = true
        while let bytes = await peer.input() {
            // What the process does not want is taken nevertheless, so that the peer does not wait for it.
            guard isOpen, let end = end.withLock({ $0 }) else { continue }
            do { try await end.write(bytes) } catch { isOpen = false }
        }
        if isForOne, !isTerminal { close() }
    }

    /// Keeps a terminal as large as the peer's.
    func follow(sizeOf peer: any SessionPeer) async {
        while let size = await peer.size() { end.withLock { $0 }?.setWindow(size) }
    }

    /// Ends the input; a write under way keeps it open until it is done.
    func close() {
        // The descriptor closes outside the lock.
        _ = end.withLock { $0.take() }
    }
}
