// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Small files, read and written whole.
enum FileText {
    static func read(_ path: String, limit: Int = 1 << 20) throws(Failure) -> String {
        String(decoding: try bytes(path, limit: limit), as: UTF8.self)
    }

    static func bytes(_ path: String, limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(.fault, "'\(path)' cannot be read", cause: Errno(errno))
        }
        defer { close(descriptor) }
        return readAll(descriptor, limit: limit)
    }

    /// Reads to the end, or to `limit` bytes.
    static func readAll(_ descriptor: Int32, limit: Int) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while all.count < limit {
            let count = unsafe Glibc.read(descriptor, &buffer, min(buffer.count, limit - all.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            all.append(contentsOf: buffer[..<count])
        }
        return all
    }

    /// `nil` where the file cannot be read.
    static func content(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return whole(descriptor)
    }

    /// All that is left to read; `nil` where that fails or is more than `limit` bytes.
    static func whole(_ descriptor: Int32, limit: Int = .max) -> [UInt8]? {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while all.count <= limit {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return all }
            all.append(contentsOf: buffer[..<count])
        }
        return nil
    }

    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(Failure) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    /// Writes a file anew; its mode is exactly `mode`.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(Failure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else {
            throw Failure(.fault, "'\(path)' cannot be written", cause: Errno(errno))
        }
        defer { close(descriptor) }
        guard fchmod(descriptor, mode) == 0, writeAll(bytes[...], to: descriptor) else {
            throw Failure(.fault, "'\(path)' cannot be written", cause: Errno(errno))
        }
    }

    /// Puts a file in place that is there whole or not at all, also after a loss of power.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o600) throws(Failure) {
        let temporary = "\(path).tmp\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let descriptor = unsafe open(
            temporary,
            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
            mode
        )
        guard descriptor >= 0 else {
            throw Failure(.fault, "'\(temporary)' cannot be made", cause: Errno(errno))
        }
        let isWritten = writeAll(bytes[...], to: descriptor) && fsync(descriptor) == 0
        let reason = errno
        close(descriptor)
        guard isWritten else {
            unsafe unlink(temporary)
            throw Failure(.fault, "'\(temporary)' cannot be written", cause: Errno(reason))
        }
        guard unsafe rename(temporary, path) == 0 else {
            throw Failure(.fault, "'\(path)' cannot be replaced", cause: Errno(errno))
        }
    }

    /// Writes all bytes; `false` leaves the reason in `errno`.
    static func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
