// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Files that are replaced whole, by a rename.
enum AtomicFile {
    /// Leaves a half-written neighbour only where the process is killed; the next run empties the folder.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let temporary = "\(path).new"
        let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("cannot create '\(temporary)'") }
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(file, raw.baseAddress.map { unsafe $0 + done }, raw.count - done)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                let reason = failure("cannot write '\(temporary)'")
                close(file)
                throw reason
            }
            done += written
        }
        close(file)
        guard unsafe rename(temporary, path) == 0 else { throw failure("cannot replace '\(path)'") }
    }

    /// Makes the folder and those above it.
    static func makeFolder(_ path: String) throws {
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw failure("cannot create the folder '\(path)'")
        }
        try makeFolder(String(path[..<slash]))
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw failure("cannot create the folder '\(path)'")
        }
    }

    /// In bytes; `nil` where there is no such file.
    static func size(_ path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    private static func failure(_ message: String) -> Failure {
        Failure(.fault, "\(message): \(unsafe String(cString: strerror(errno)))")
    }
}
