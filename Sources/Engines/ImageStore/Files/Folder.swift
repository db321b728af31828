// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Operations on names in the file system. Each throws ``FileError`` with the path at fault.
enum Folder {
    /// The names in a folder, unsorted, without `.` and `..`; a name that is no UTF-8 is an error.
    static func names(in path: String) throws(FileError) -> [String] {
        guard let handle = unsafe opendir(path) else { throw .last("list", path) }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw FileError(operation: "read a name in", path: path, code: EILSEQ)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The names in a folder, or none where it does not exist.
    static func namesIfPresent(in path: String) throws(FileError) -> [String] {
        do {
            return try names(in: path)
        } catch  where error.isMissing {
            return []
        }
    }

    /// Makes the folder and those above it, and makes their names durable.
    static func create(_ path: String) throws(FileError) {
        if unsafe mkdir(path, 0o755) == 0 { return try synchronize(parent(of: path)) }
        switch errno {
        case EEXIST: return
        case ENOENT:
            try create(parent(of: path))
            try create(path)
        default: throw .last("create", path)
        }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func lastComponent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// Makes the names in a folder survive a power cut.
    static func synchronize(_ path: String) throws(FileError) {
        try OpenFile.reading(path).synchronize()
    }

    static func rename(_ old: String, to new: String) throws(FileError) {
        #if canImport(Glibc)
            let result = unsafe Glibc.rename(old, new)
        #elseif canImport(Musl)
            let result = unsafe Musl.rename(old, new)
        #else
            let result = unsafe Darwin.rename(old, new)
        #endif
        guard result == 0 else { throw .last("rename", old) }
    }

    /// Removes a file or a link; says whether there was one.
    @discardableResult
    static func remove(_ path: String) throws(FileError) -> Bool {
        guard unsafe unlink(path) != 0 else { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw .last("remove", path) }
        return false
    }

    /// Removes a folder if it is empty.
    static func removeIfEmpty(_ path: String) { _ = unsafe rmdir(path) }

    /// Where a symbolic link points.
    static func target(ofLink path: String) throws(FileError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count >= 0 else { throw .last("read", path) }
        guard let target = String(validating: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
            throw FileError(operation: "read the link", path: path, code: EILSEQ)
        }
        return target
    }

    /// The path without symbolic links.
    static func realPath(_ path: String) throws(FileError) -> String {
        guard let resolved = unsafe realpath(path, nil) else { throw .last("read", path) }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Sets the time of modification to now, which protects a blob from collection.
    static func touch(_ path: String) throws(FileError) {
        guard unsafe utimensat(AT_FDCWD, path, nil, 0) == 0 else { throw .last("touch", path) }
    }

    /// Writes a small file whole: its name shows the old content or the new, and the new survives a power cut.
    ///
    /// The new content is written beside it, or in a folder of the same file system.
    static func replace(_ path: String, with bytes: [UInt8], by folder: String? = nil) throws(FileError) {
        let temporary = (folder ?? parent(of: path)) + "/.new-" + uniqueName()
        do {
            let file = try OpenFile.creating(temporary)
            try file.write(bytes.span)
            try file.synchronize()
            try rename(temporary, to: path)
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        try synchronize(parent(of: path))
    }

    /// The content of a file of at most `limit` bytes.
    static func contents(of path: String, limit: Int = 16 << 20) throws(FileError) -> [UInt8] {
        let file = try OpenFile.reading(path)
        let size = try file.status().size
        guard size <= limit else { throw FileError(operation: "read", path: path, code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try file.read(into: &bytes, at: 0)
        bytes.removeLast(size - count)
        return bytes
    }

    /// 32 random hex digits.
    static func uniqueName() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let text = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}
