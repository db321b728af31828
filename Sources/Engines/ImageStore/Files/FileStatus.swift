// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the file system says about one path: kind, size and everything that changes when its content does.
struct FileStatus: Sendable, Hashable {
    enum Kind: Sendable, Hashable { case file, folder, link, other }

    var kind: Kind
    var size: Int
    var mode: UInt32
    var device: UInt64
    var inode: UInt64
    /// Nanoseconds since 1970; set by anybody.
    var modified: Int64
    /// Nanoseconds since 1970; set by the kernel at every change of content or attributes.
    var changed: Int64

    var isExecutable: Bool { mode & 0o111 != 0 }

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        size = Int(raw.st_size)
        mode = UInt32(raw.st_mode)
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        #if canImport(Darwin)
            modified = Int64(raw.st_mtimespec.tv_sec) * 1_000_000_000 + Int64(raw.st_mtimespec.tv_nsec)
            changed = Int64(raw.st_ctimespec.tv_sec) * 1_000_000_000 + Int64(raw.st_ctimespec.tv_nsec)
        #else
            modified = Int64(raw.st_mtim.tv_sec) * 1_000_000_000 + Int64(raw.st_mtim.tv_nsec)
            changed = Int64(raw.st_ctim.tv_sec) * 1_000_000_000 + Int64(raw.st_ctim.tv_nsec)
        #endif
    }

    /// Follows symbolic links.
    init(of path: String) throws(FileError) {
        var raw = stat()
        guard unsafe stat(path, &raw) == 0 else { throw .last("read", path) }
        self.init(raw)
    }

    /// Describes a link itself.
    init(ofLink path: String) throws(FileError) {
        var raw = stat()
        guard unsafe lstat(path, &raw) == 0 else { throw .last("read", path) }
        self.init(raw)
    }
}
