// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Files that are there whole or not at all, also after a loss of power.
enum DataFile {
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws {
        let temporary = "\(path).tmp\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw failure("cannot create '\(temporary)'") }
        do {
            defer { close(file) }
            var done = 0
            while done < bytes.count {
                let written = unsafe bytes.withUnsafeBytes {
                    unsafe Glibc.write(file, $0.baseAddress.map { unsafe $0 + done }, $0.count - done)
                }
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw failure("cannot write '\(temporary)'") }
                done += written
            }
            guard fsync(file) == 0 else { throw failure("cannot write '\(temporary)'") }
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        guard unsafe rename(temporary, path) == 0 else { throw failure("cannot replace '\(path)'") }
    }

    /// `nil` where the file cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return readAll(file)
    }

    static func readAll(_ file: CInt, limit: Int = .max) -> [UInt8]? {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while content.count <= limit {
            let size = buffer.count
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, size) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return content }
            content += buffer[..<count]
        }
        return nil
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Makes the folder and those above it, with just that mode, whatever the process' mask is.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws {
        if make(path, mode) { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw failure("cannot create the folder '\(path)'")
        }
        try makeFolder(String(path[..<slash]), mode: mode)
        guard make(path, mode) else { throw failure("cannot create the folder '\(path)'") }
    }

    /// One that is there already keeps its mode.
    private static func make(_ path: String, _ mode: mode_t) -> Bool {
        guard unsafe mkdir(path, mode) == 0 else { return errno == EEXIST }
        return unsafe chmod(path, mode) == 0
    }

    static func names(in folder: String) -> [String] {
        guard let listing = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while let item = unsafe readdir(listing) {
            let name = String(
                decoding: unsafe Self.name(of: item).dropLast().map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The entry's name with its closing zero. Only the name's own bytes are read: an entry may be shorter than its type.
    static func name(of entry: UnsafeMutablePointer<dirent>) -> [CChar] {
        let start = unsafe UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
        let name = unsafe start.assumingMemoryBound(to: CChar.self)
        return unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
    }

    private static func failure(_ message: String) -> Failure {
        Failure(.fault, "\(message): \(unsafe String(cString: strerror(errno)))")
    }
}

extension DataFile {
    /// Removes a file; a missing one is fine.
    static func remove(_ path: String) { _ = unsafe unlink(path) }
}
