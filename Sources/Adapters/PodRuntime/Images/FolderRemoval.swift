// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc

/// Removes folders with all they hold; links are removed, never followed.
enum FolderRemoval {
    /// Removes the folder at that absolute path; a missing one is fine. Mounts below it make it fail.
    static func remove(_ path: String) throws { try remove(path, in: AT_FDCWD) }

    static func remove(_ name: String, in parent: CInt) throws {
        let folder = unsafe openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard folder >= 0 else {
            if errno == ENOENT { return }
            throw LayerError.system("cannot remove '\(name)'")
        }
        try empty(folder, name: name)
        guard unsafe unlinkat(parent, name, AT_REMOVEDIR) == 0 else {
            throw LayerError.system("cannot remove '\(name)'")
        }
    }

    /// Takes over the descriptor.
    private static func empty(_ folder: CInt, name: String) throws {
        guard let listing = unsafe fdopendir(folder) else {
            close(folder)
            throw LayerError.system("cannot list '\(name)'")
        }
        defer { unsafe closedir(listing) }
        while let item = unsafe readdir(listing) {
            let child = unsafe DataFile.name(of: item)
            if child == [0x2E, 0] || child == [0x2E, 0x2E, 0] { continue }
            if unsafe unlinkat(folder, child, 0) == 0 { continue }
            guard errno == EISDIR || errno == EPERM else { throw LayerError.system("cannot empty '\(name)'") }
            let inner = unsafe openat(folder, child, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            guard inner >= 0 else { throw LayerError.system("cannot empty '\(name)'") }
            try empty(inner, name: name)
            guard unsafe unlinkat(folder, child, AT_REMOVEDIR) == 0 else {
                throw LayerError.system("cannot empty '\(name)'")
            }
        }
    }
}
