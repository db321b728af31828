// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Folders on this machine: made with their parents, listed, removed with all they hold.
enum Folder {
    /// Makes the folder and those above it, with just these modes, whatever the process' mask is. One that is there
    /// already keeps its mode.
    static func make(_ path: String, mode: mode_t = 0o755, parents: mode_t = 0o755) throws(Failure) {
        if isMade(path, mode) { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw failure("folder '\(path)' cannot be made")
        }
        try make(String(path[..<slash]), mode: parents, parents: parents)
        guard isMade(path, mode) else { throw failure("folder '\(path)' cannot be made") }
    }

    private static func isMade(_ path: String, _ mode: mode_t) -> Bool {
        guard unsafe mkdir(path, mode) == 0 else { return errno == EEXIST }
        return unsafe chmod(path, mode) == 0
    }

    /// The names in a folder, sorted; none where there is no such folder.
    static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let bytes = unsafe name(of: entry).dropLast().map { UInt8(bitPattern: $0) }
            let name = String(decoding: bytes, as: UTF8.self)
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The entry's name with its closing zero. Only the name's own bytes are read: an entry may be shorter than its type.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [CChar] {
        let start = unsafe UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
        let name = unsafe start.assumingMemoryBound(to: CChar.self)
        return unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
    }

    /// Whether that is a folder, and no link to one.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    private static func failure(_ message: String) -> Failure {
        Failure(.fault, message, cause: Errno(errno))
    }
}

// MARK: - Removal

extension Folder {
    /// Removes a file, or a folder and all in it, without following links or entering other file systems.
    /// What is gone already is no failure.
    static func remove(_ path: String) throws(Failure) {
        // A volume that is bound in there may be of the same device; removing through it would remove its content.
        guard !isFolder(path) || Mounts.below(path).isEmpty else {
            throw Failure(.fault, "'\(path)' cannot be removed: something is mounted in it")
        }
        try remove(path, in: AT_FDCWD)
    }

    /// Removes what has that name in an open folder; nothing may be mounted below.
    static func remove(_ name: String, in parent: Int32) throws(Failure) {
        if unsafe unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw failure("'\(name)' cannot be removed") }
        let folder = unsafe openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard folder >= 0 else { throw failure("'\(name)' cannot be removed") }
        var status = stat()
        guard unsafe fstat(folder, &status) == 0 else {
            close(folder)
            throw failure("'\(name)' cannot be removed")
        }
        try empty(folder, name: name, device: status.st_dev)
        guard unsafe unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw failure("'\(name)' cannot be removed")
        }
    }

    /// Takes over the descriptor.
    private static func empty(_ folder: Int32, name: String, device: dev_t) throws(Failure) {
        guard let listing = unsafe fdopendir(folder) else {
            close(folder)
            throw failure("'\(name)' cannot be listed")
        }
        defer { unsafe closedir(listing) }
        var status = stat()
        guard unsafe fstat(folder, &status) == 0, status.st_dev == device else {
            throw Failure(.fault, "'\(name)' cannot be emptied: another file system is mounted in it")
        }
        while let item = unsafe readdir(listing) {
            let child = unsafe Self.name(of: item)
            if child == [0x2E, 0] || child == [0x2E, 0x2E, 0] { continue }
            if unsafe unlinkat(folder, child, 0) == 0 || errno == ENOENT { continue }
            guard errno == EISDIR || errno == EPERM else { throw failure("'\(name)' cannot be emptied") }
            let inner = unsafe openat(folder, child, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            guard inner >= 0 else { throw failure("'\(name)' cannot be emptied") }
            try empty(inner, name: name, device: device)
            guard unsafe unlinkat(folder, child, AT_REMOVEDIR) == 0 else {
                throw failure("'\(name)' cannot be emptied")
            }
        }
    }
}
