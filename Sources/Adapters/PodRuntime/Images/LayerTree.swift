// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc

/// A folder into which a layer's members are written.
///
/// No member can reach outside of it: every look-up is resolved inside the folder by the kernel (`openat2` with
/// `RESOLVE_IN_ROOT`), the last component is never followed, and `..` is refused. Whiteouts become overlayfs' own.
struct LayerTree: ~Copyable {
    private let root: CInt
    private var file: CInt = -1
    private var entry = TarEntry(kind: .folder, path: "")
    private var parents = FolderCache()
    private var folderTimes: [(path: [String], seconds: Int64, nanoseconds: Int64)] = []

    /// `folder` must exist and be empty.
    init(_ folder: String) throws {
        root = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw LayerError.system("cannot open '\(folder)'") }
    }

    deinit {
        if file >= 0 { Glibc.close(file) }
        parents.close()
        Glibc.close(root)
    }

    /// Sets what had to wait for the last member, and brings everything to the disk.
    mutating func finish() throws {
        parents.drop()
        for (path, seconds, nanoseconds) in folderTimes.reversed() {
            let folder = unsafe ballast_open_in_root(root, Self.text(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
            guard folder >= 0 else { continue }  // Replaced by a later member.
            defer { close(folder) }
            let times = [
                timespec(tv_sec: 0, tv_nsec: Self.omit), timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)),
            ]
            _ = unsafe futimens(folder, times)
        }
        guard ballast_syncfs(root) == 0 else { throw LayerError.system("cannot write to disk") }
    }

    /// `UTIME_OMIT`, a macro with a cast that Swift does not see.
    private static let omit = (1 << 30) - 2

    private static func text(_ path: [String]) -> String { path.isEmpty ? "." : path.joined(separator: "/") }

    /// The components of a member's name; a leading `/` or `./` means the root of the layer.
    private static func components(_ path: String) throws -> [String] {
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.filter { $0 != "." }
        guard !parts.contains("..") else { throw LayerError("'\(path)' leads out of the layer") }
        return parts
    }
}

extension LayerError {
    /// With the reason of the system call that just failed.
    static func system(_ message: String) -> LayerError {
        LayerError("\(message): \(unsafe String(cString: strerror(errno)))")
    }
}

extension LayerTree: TarSink {
    mutating func begin(_ entry: TarEntry) throws {
        self.entry = entry
        let path = try Self.components(entry.path)
        guard let name = path.last else {
            guard entry.kind == .folder else { throw LayerError("the root of the layer is no folder") }
            return try finishFolder(path)
        }
        let parent = try openParent(Array(path.dropLast()))
        if name.hasPrefix(".wh.") { return try whiteOut(name, in: parent, path: path) }
        switch entry.kind {
        case .file: try beginFile(name, in: parent)
        case .folder: try makeFolder(name, in: parent, path: path)
        case .symbolicLink: try makeSymbolicLink(name, in: parent)
        case .hardLink: try makeHardLink(name, in: parent)
        case .fifo: try makeFIFO(name, in: parent)
        case .characterDevice, .blockDevice:
            // The runtime puts its own /dev over the image's; anywhere else a device is a way out of the sandbox.
            guard path.first == "dev" else {
                throw LayerError("'\(entry.path)' is a device, which a layer may not bring")
            }
        }
    }

    mutating func write(_ bytes: Span<UInt8>) throws {
        guard file >= 0 else { return }
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.extracting(droppingFirst: done).withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw LayerError.system("cannot write '\(entry.path)'") }
            done += written
        }
    }

    mutating func end() throws {
        guard file >= 0 else { return }
        defer {
            close(file)
            file = -1
        }
        try setMetadata(of: file)
        try setTime(of: file)
    }
}

extension LayerTree {
    private mutating func openParent(_ path: [String]) throws -> CInt {
        if path.isEmpty { return root }
        if let known = parents.folder(path) { return known }
        var folder = unsafe ballast_open_in_root(root, Self.text(path), ballast_open_path_flags(), 0)
        if folder < 0, errno == ENOENT { folder = try makeParents(path) }
        guard folder >= 0 else { throw LayerError.system("cannot enter the folder of '\(entry.path)'") }
        parents.keep(folder, as: path)
        return folder
    }

    private func makeParents(_ path: [String]) throws -> CInt {
        for depth in 1...path.count {
            let prefix = Array(path.prefix(depth))
            let found = unsafe ballast_open_in_root(root, Self.text(prefix), ballast_open_path_flags(), 0)
            if found >= 0 {
                close(found)
                continue
            }
            guard errno == ENOENT else { return -1 }
            let above = unsafe ballast_open_in_root(root, Self.text(prefix.dropLast()), ballast_open_path_flags(), 0)
            guard above >= 0 else { return -1 }
            defer { close(above) }
            // A link into nowhere is in the way: it is no folder, and it is not ours to replace.
            guard unsafe mkdirat(above, prefix[depth - 1], 0o755) == 0 else { return -1 }
            // Whatever the process' mask is: containers do not all run as root.
            guard unsafe fchmodat(above, prefix[depth - 1], 0o755, 0) == 0 else { return -1 }
        }
        return unsafe ballast_open_in_root(root, Self.text(path), ballast_open_path_flags(), 0)
    }

    private func status(_ name: String, in parent: CInt) -> stat? {
        var found = stat()
        return unsafe fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found : nil
    }

    private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
    private static func isWhiteout(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0 }

    /// Takes away what an earlier member put there.
    private mutating func clear(_ name: String, in parent: CInt) throws {
        guard let there = status(name, in: parent) else { return }
        if parent == root { parents.drop() }  // The kept folder may lie below what goes.
        if Self.isFolder(there) { return try Folder.remove(name, in: parent) }
        guard unsafe unlinkat(parent, name, 0) == 0 else { throw LayerError.system("cannot replace '\(entry.path)'") }
    }

    private mutating func beginFile(_ name: String, in parent: CInt) throws {
        try clear(name, in: parent)
        file = unsafe openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw LayerError.system("cannot create '\(entry.path)'") }
    }

    private mutating func makeFolder(_ name: String, in parent: CInt, path: [String]) throws {
        var hidesLower = false
        if let there = status(name, in: parent), !Self.isFolder(there) {
            hidesLower = Self.isWhiteout(there)
            try clear(name, in: parent)
        }
        guard unsafe mkdirat(parent, name, 0o700) == 0 || errno == EEXIST else {
            throw LayerError.system("cannot create '\(entry.path)'")
        }
        if hidesLower { try makeOpaque(path) }
        try finishFolder(path)
    }

    private mutating func finishFolder(_ path: [String]) throws {
        let folder = unsafe ballast_open_in_root(root, Self.text(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        guard folder >= 0 else { throw LayerError.system("cannot open '\(entry.path)'") }
        defer { close(folder) }
        try setMetadata(of: folder)
        folderTimes.append((path, entry.seconds, entry.nanoseconds))
    }

    private mutating func makeSymbolicLink(_ name: String, in parent: CInt) throws {
        // Where it points is for the container to follow, inside its own root; nothing here ever does.
        guard !entry.target.isEmpty else { throw LayerError("the link '\(entry.path)' points nowhere") }
        try clear(name, in: parent)
        guard unsafe symlinkat(entry.target, parent, name) == 0 else {
            throw LayerError.system("cannot create the link '\(entry.path)'")
        }
        try setOwnerAndTime(name, in: parent)
    }

    private mutating func makeHardLink(_ name: String, in parent: CInt) throws {
        let target = try Self.components(entry.target)
        let missing = LayerError("'\(entry.path)' is a hard link to '\(entry.target)', which is no file of the layer")
        guard let last = target.last else { throw missing }
        let folder = unsafe ballast_open_in_root(root, Self.text(target.dropLast()), ballast_open_path_flags(), 0)
        guard folder >= 0 else { throw missing }
        defer { close(folder) }
        guard let found = status(last, in: folder), [S_IFREG, S_IFLNK].contains(found.st_mode & S_IFMT) else {
            throw missing
        }
        if let there = status(name, in: parent), there.st_ino == found.st_ino, there.st_dev == found.st_dev { return }
        try clear(name, in: parent)
        guard unsafe linkat(folder, last, parent, name, 0) == 0 else {
            throw LayerError.system("cannot create the hard link '\(entry.path)'")
        }
    }

    private mutating func makeFIFO(_ name: String, in parent: CInt) throws {
        try clear(name, in: parent)
        guard unsafe mkfifoat(parent, name, 0o600) == 0 else {
            throw LayerError.system("cannot create '\(entry.path)'")
        }
        try setOwnerAndTime(name, in: parent)
        _ = unsafe fchmodat(parent, name, entry.mode, 0)
    }

    private mutating func whiteOut(_ name: String, in parent: CInt, path: [String]) throws {
        if name == ".wh..wh..opq" { return try makeOpaque(Array(path.dropLast())) }
        if name.hasPrefix(".wh..wh.") { return }  // aufs' own book-keeping
        let hidden = String(name.dropFirst(4))
        guard !hidden.isEmpty, hidden != ".", hidden != ".." else { throw LayerError("'\(entry.path)' hides nothing") }
        if let there = status(hidden, in: parent) {
            // A whiteout hides the layers below; what this layer brings itself stays.
            if Self.isFolder(there) { try makeOpaque(path.dropLast() + [hidden]) }
            return
        }
        guard unsafe ballast_make_whiteout(parent, hidden) == 0 else {
            throw LayerError.system("cannot write the whiteout '\(entry.path)'")
        }
    }

    private func makeOpaque(_ path: [String]) throws {
        let folder = unsafe ballast_open_in_root(root, Self.text(path), O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw LayerError.system("cannot open the folder of '\(entry.path)'") }
        defer { close(folder) }
        guard unsafe ballast_fsetxattr(folder, "trusted.overlay.opaque", "y", 1) == 0 else {
            throw LayerError.system("cannot mark the folder of '\(entry.path)' as opaque")
        }
    }

    /// The owner first: a change of owner takes set-id bits and capabilities away.
    private func setMetadata(of file: CInt) throws {
        guard fchown(file, entry.user, entry.group) == 0, fchmod(file, entry.mode) == 0 else {
            throw LayerError.system("cannot set owner and mode of '\(entry.path)'")
        }
        for (name, value) in entry.attributes where name.hasPrefix("user.") || name == "security.capability" {
            guard unsafe ballast_fsetxattr(file, name, value, value.count) == 0 else {
                throw LayerError.system("cannot set the attribute '\(name)' of '\(entry.path)'")
            }
        }
    }

    private func setTime(of file: CInt) throws { _ = unsafe futimens(file, times) }

    private func setOwnerAndTime(_ name: String, in parent: CInt) throws {
        guard unsafe fchownat(parent, name, entry.user, entry.group, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw LayerError.system("cannot set the owner of '\(entry.path)'")
        }
        _ = unsafe utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW)
    }

    private var times: [timespec] {
        [
            timespec(tv_sec: 0, tv_nsec: Self.omit),
            timespec(tv_sec: Int(entry.seconds), tv_nsec: Int(entry.nanoseconds)),
        ]
    }
}
