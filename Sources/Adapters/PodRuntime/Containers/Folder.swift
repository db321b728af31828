// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Folders on this machine: made with their parents, listed, removed with all they hold.
enum Folder {
    static func make(_ path: String, mode: mode_t = 0o755) throws(Failure) {
        if unsafe mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Failure(.fault, "folder '\(path)' cannot be made", cause: Errno(errno))
        }
        try make(String(path[..<slash]), mode: 0o755)
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else {
            throw Failure(.fault, "folder '\(path)' cannot be made", cause: Errno(errno))
        }
    }

    /// The names in a folder, sorted; none where there is no such folder.
    static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a folder and all in it, without following links or entering other file systems.
    /// What is gone already is no failure.
    static func remove(_ path: String) throws(Failure) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw Failure(.fault, "'\(path)' cannot be removed", cause: Errno(errno))
        }
        // A volume that is bound in there is of the same device; removing through it would remove its content.
        guard Mounts.below(path).isEmpty else {
            throw Failure(.fault, "'\(path)' cannot be removed: something is mounted in it")
        }
        try remove(path, status, device: status.st_dev)
    }

    private static func remove(_ path: String, _ status: stat, device: dev_t) throws(Failure) {
        guard status.st_dev == device else {
            throw Failure(.fault, "'\(path)' cannot be removed: another file system is mounted there")
        }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        if isFolder {
            for name in names(in: path) {
                var inner = stat()
                guard unsafe lstat("\(path)/\(name)", &inner) == 0 else { continue }
                try remove("\(path)/\(name)", inner, device: device)
            }
        }
        guard (isFolder ? unsafe rmdir(path) : unsafe unlink(path)) == 0 || errno == ENOENT else {
            throw Failure(.fault, "'\(path)' cannot be removed", cause: Errno(errno))
        }
    }

    /// Whether that is a folder, and no link to one.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}
