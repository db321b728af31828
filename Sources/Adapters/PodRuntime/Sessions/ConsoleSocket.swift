// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Ports

/// Where runc hands over the terminal that it makes for a process.
struct ConsoleSocket {
    /// As runc is told: by way of our descriptor of the folder, since a socket's path must be short.
    let path: String
    private let file: String
    private let folder: Descriptor
    private let listener: Descriptor

    init(folder path: String, name: String) throws(Failure) {
        let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw Failure(.fault, "'\(path)' cannot be opened", cause: Errno(errno)) }
        folder = Descriptor(owning: number)
        let listener = unsafe ballast_console_listen(number, name)
        guard listener >= 0 else { throw Failure(.fault, "no socket for a terminal", cause: Errno(-listener)) }
        self.listener = Descriptor(owning: listener)
        file = "\(path)/\(name)"
        self.path = "/proc/\(getpid())/fd/\(number)/\(name)"
    }

    /// The terminal, once runc has ended well: it has sent it by then.
    func receive() throws(Failure) -> Descriptor {
        let terminal = ballast_console_receive(listener.number, 1000)
        guard terminal >= 0 else { throw Failure(.fault, "runc handed over no terminal", cause: Errno(-terminal)) }
        return Descriptor(owning: terminal)
    }

    func remove() { unsafe unlink(file) }
}

extension Descriptor {
    /// Tells a terminal, and thereby the processes in it, how large it is.
    func setWindow(_ size: TerminalSize) {
        func clamped(_ value: Int) -> UInt16 { UInt16(min(max(0, value), Int(UInt16.max))) }
        _ = ballast_set_window(number, clamped(size.width), clamped(size.height))
    }
}
