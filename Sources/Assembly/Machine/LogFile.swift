// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Synchronization

/// An append-only file that several loggers share; a full one is renamed to `.1`, that to `.2`, and so on.
final class LogFile: Sendable {
    private struct State {
        var descriptor: Int32
        var size: Int
    }

    private let path: String
    /// Beyond this many bytes the file is begun anew.
    private let limit: Int
    /// How many full files are kept beside the current one.
    private let kept: Int
    private let state: Mutex<State>

    init(path: String, limit: Int = 10 << 20, kept: Int = 4) {
        (self.path, self.limit, self.kept) = (path, limit, kept)
        state = Mutex(Self.open(path))
    }

    deinit {
        let descriptor = state.withLock { $0.descriptor }
        if descriptor >= 0 { close(descriptor) }
    }

    private static func open(_ path: String) -> State {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        return State(descriptor: descriptor, size: descriptor < 0 ? 0 : Int(lseek(descriptor, 0, SEEK_END)))
    }

    /// Adds whole lines; those of several threads do not mix. What a full disk does not take is lost.
    func write(_ line: String) {
        let bytes = Array(line.utf8)
        state.withLock { state in
            if state.size > 0, state.size + bytes.count > limit { rotate(&state) }
            var rest = bytes[...]
            while state.descriptor >= 0, !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes {
                    unsafe Glibc.write(state.descriptor, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                state.size += count
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Where the new file cannot be made, the old one goes on.
    private func rotate(_ state: inout State) {
        for number in stride(from: kept - 1, to: 0, by: -1) {
            _ = unsafe rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        guard unsafe rename(path, "\(path).1") == 0 else { return }
        let next = Self.open(path)
        guard next.descriptor >= 0 else {
            _ = unsafe rename("\(path).1", path)
            return
        }
        close(state.descriptor)
        state = next
    }
}
