// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A system call on a path that failed, in words: "cannot open '/x': No such file or directory".
struct FileError: Error, CustomStringConvertible {
    var operation: String
    var path: String
    var code: Int32

    var description: String { "cannot \(operation) '\(path)': \(unsafe String(cString: strerror(code)))" }

    var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// The disk is full, or somebody's share of it.
    var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    /// The error of the system call that just failed on this thread.
    static func last(_ operation: String, _ path: String) -> FileError {
        FileError(operation: operation, path: path, code: errno)
    }
}
