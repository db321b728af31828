// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

/// An open descriptor that does not block; it stays open as long as somebody holds it.
final class Descriptor: Sendable {
    /// The bytes of one read at most: what a pipe holds.
    static let pieceSize = 64 * 1024

    /// Whoever writes to what nobody reads learns it by an error, not by a signal that ends the process.
    private static let deafness: Void = {
        _ = signal(SIGPIPE, SIG_IGN)
    }()

    let number: Int32

    init(owning number: Int32) {
        Self.deafness
        self.number = number
    }

    deinit { close(number) }

    /// The same open file under another number, which is the caller's to close.
    func duplicate() throws(Failure) -> Int32 {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Failure(.fault, "a descriptor cannot be copied", cause: Errno(errno)) }
        return copy
    }

    /// `/dev/null`.
    static func null() throws(Failure) -> Descriptor {
        let number = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        guard number >= 0 else { throw Failure(.fault, "'/dev/null' cannot be opened", cause: Errno(errno)) }
        return Descriptor(owning: number)
    }

    /// What comes next; `nil` once no writer is left, or when the task is cancelled.
    func read() async -> [UInt8]? {
        while !Task.isCancelled {
            var problem: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
                let result = unsafe Glibc.read(number, buffer.baseAddress, buffer.count)
                problem = result < 0 ? errno : 0
                count = max(0, result)
            }
            switch problem {
            case 0: return bytes.isEmpty ? nil : bytes
            case EINTR: continue
            case EAGAIN: await Reactor.shared.wait(for: .reading, on: number)
            // The end of a terminal is an error to its reader.
            default: return nil
            }
        }
        return nil
    }

    /// Returns when all is handed to the kernel; throws when nobody will read it, or when the task is cancelled.
    func write(_ bytes: [UInt8]) async throws {
        var done = 0
        while done < bytes.count {
            try Task.checkCancellation()
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(number, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if result >= 0 {
                done += result
                continue
            }
            let problem = errno
            switch problem {
            case EINTR: continue
            case EAGAIN: await Reactor.shared.wait(for: .writing, on: number)
            default: throw Errno(problem)
            }
        }
    }
}

/// A pipe between this process and a child: our end does not block, the child's does.
struct ChildPipe {
    let ours: Descriptor
    let theirs: Descriptor

    /// For what the child writes.
    static func output() throws(Failure) -> ChildPipe {
        let (readEnd, writeEnd) = try makePipe()
        return ChildPipe(ours: Descriptor(owning: readEnd), theirs: Descriptor(owning: writeEnd))
    }

    /// For what the child reads.
    static func input() throws(Failure) -> ChildPipe {
        let (readEnd, writeEnd) = try makePipe()
        let pipe = ChildPipe(ours: Descriptor(owning: writeEnd), theirs: Descriptor(owning: readEnd))
        let results = [ballast_set_blocking(readEnd, 1), ballast_set_blocking(writeEnd, 0)]
        if let problem = results.first(where: { $0 != 0 }) {
            throw Failure(.fault, "no pipe can be made", cause: Errno(-problem))
        }
        return pipe
    }
}

/// What a child gets as standard input, output and error; each is `/dev/null` where nothing is said.
struct ChildStreams {
    private let input: Descriptor
    private let output: Descriptor
    private let errors: Descriptor

    init(input: Descriptor? = nil, output: Descriptor? = nil, errors: Descriptor? = nil) throws(Failure) {
        let null = try Descriptor.null()
        self.input = input ?? null
        self.output = output ?? null
        self.errors = errors ?? null
    }

    /// Starts a child with them: they stay open until `body` has returned.
    func holding<Value>(_ body: (ChildProcess.Streams) throws -> Value) rethrows -> Value {
        try withExtendedLifetime(self) {
            try body(.init(input: input.number, output: output.number, error: errors.number))
        }
    }
}
