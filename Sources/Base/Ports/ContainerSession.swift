// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What somebody wants of a session in a container.
package struct SessionOptions: Sendable, Hashable {
    package var container: String
    /// Empty: the session is with the process that the container runs already.
    package var command: [String]
    package var hasInput = false
    package var hasOutput = false
    package var hasErrors = false
    package var isTerminal = false

    package init(container: String, command: [String] = []) {
        self.container = container
        self.command = command
    }
}

/// A session in a container that can be run once.
package protocol ContainerSession: Sendable {
    /// Carries bytes between the process and `peer` until the process has ended and all it wrote is sent.
    ///
    /// Cancelling the task hangs up: what the session started is told to end, and killed when it does not. Nothing of a
    /// session outlives this call.
    func run(_ peer: any SessionPeer) async -> SessionEnd
}

/// How a session came to its end.
package enum SessionEnd: Sendable, Hashable {
    /// The command's exit code: 128 + the signal for one that was killed.
    case exited(code: Int)
    /// The container's own process ended; its code is the pod's affair.
    case ended
    /// It could not be begun or went wrong, in words for a person.
    case failed(String)
}

/// Where a process writes.
package enum SessionOutput: Sendable, Hashable { case output, errors }

/// In characters.
package struct TerminalSize: Sendable, Hashable {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// The other end of a session: whoever typed `kubectl exec`. Each method has one caller at a time.
package protocol SessionPeer: Sendable {
    /// What goes to standard input next; `nil` at its end, or when the calling task is cancelled.
    func input() async -> [UInt8]?
    /// The size of the peer's terminal, once it has changed since the last call; `nil` when it will not any more, or when
    /// the calling task is cancelled.
    func size() async -> TerminalSize?
    /// Returns when there is room for more; throws when the peer has gone.
    func send(_ bytes: [UInt8], to output: SessionOutput) async throws
}
