// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file descriptor that closes itself. Reads and writes move whole buffers and retry when interrupted.
struct OpenFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    static func reading(_ path: String) throws(FileError) -> OpenFile {
        try opening(path, O_RDONLY, "open")
    }

    /// Creates a file that must not exist yet.
    static func creating(_ path: String) throws(FileError) -> OpenFile {
        try opening(path, O_WRONLY | O_CREAT | O_EXCL, "create")
    }

    /// Opens an existing file to append to it.
    static func appending(to path: String) throws(FileError) -> OpenFile {
        try opening(path, O_WRONLY | O_APPEND, "open")
    }

    private static func opening(_ path: String, _ flags: Int32, _ word: String) throws(FileError) -> OpenFile {
        let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .last(word, path) }
        return OpenFile(path: path, descriptor: descriptor)
    }

    func status() throws(FileError) -> FileStatus {
        var raw = stat()
        guard unsafe fstat(descriptor, &raw) == 0 else { throw .last("read", path) }
        return FileStatus(raw)
    }

    /// Fills the buffer from the offset on as far as the file goes; the count of bytes read.
    func read(into buffer: inout [UInt8], at offset: Int) throws(FileError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let wanted = buffer.count - filled
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe pread(descriptor, bytes.baseAddress.map { unsafe $0 + filled }, wanted, off_t(offset + filled))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", path) }
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }

    func write(_ bytes: Span<UInt8>) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let rest = bytes.count - written
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Self.writeOnce(descriptor, bytes.baseAddress.map { unsafe $0 + written }, rest)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("write", path) }
            written += count
        }
    }

    private static func writeOnce(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.write(descriptor, start, count)
        #elseif canImport(Musl)
            unsafe Musl.write(descriptor, start, count)
        #else
            unsafe Darwin.write(descriptor, start, count)
        #endif
    }

    /// Returns once the content survives a power cut.
    func synchronize() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw .last("sync", path) }
    }
}
