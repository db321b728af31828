// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc

/// A file system of a few mebibytes in memory, for what happens when a disk is full; it goes with the value. Needs root.
package final class SmallDisk {
    package let path = FileManager.default.temporaryDirectory.path + "/ballast-disk-" + UUID().uuidString

    package static var obstacle: String? { geteuid() == 0 ? nil : "needs root, to mount a file system" }

    package init(mebibytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
        }
    }

    /// Takes all that is free; removing the returned file gives it back.
    package func fill() throws -> String {
        let file = "\(path)/.ballast"
        let descriptor = unsafe open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        for size in [1 << 20, 4096, 1] {
            let bytes = [UInt8](repeating: 1, count: size)
            while unsafe write(descriptor, bytes, size) == size {}
        }
        return file
    }

    deinit {
        unsafe umount2(path, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: path)
    }
}
