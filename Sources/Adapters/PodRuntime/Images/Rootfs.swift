// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

/// A container's root file system: an image's layers, read-only, under a folder that takes the changes.
extension ImageLayers {
    /// Mounts a fresh root file system in `folder` (created; whatever lay there goes) and returns the path of its root.
    package func mountRootfs(_ image: PreparedImage, at folder: String) async throws -> String {
        let layers = Self.distinct(image.layers).map { storage.layer($0) }
        noteMount(Set(image.layers), at: folder)
        do {
            return try await OwnThread.run { try Self.mount(layers, at: folder) }
        } catch {
            noteMount(nil, at: folder)
            throw error
        }
    }

    /// A layer that occurs twice counts at its upper place, which hides all of the lower one; overlayfs takes none twice.
    private static func distinct(_ layers: [Digest]) -> [Digest] {
        var seen: Set<Digest> = []
        return layers.reversed().filter { seen.insert($0).inserted }.reversed()
    }

    /// Unmounts what ``mountRootfs(_:at:)`` mounted and removes the folder with all changes; a missing one is fine.
    package func unmountRootfs(at folder: String) async throws {
        try await OwnThread.run {
            try Self.detach("\(folder)/rootfs")
            try Folder.remove(folder)
        }
        noteMount(nil, at: folder)
    }

    private static func mount(_ layers: [String], at folder: String) throws -> String {
        let root = "\(folder)/rootfs"
        try detach(root)
        try Folder.remove(folder)
        for part in ["upper", "work", "rootfs"] { try Folder.make("\(folder)/\(part)") }
        // An image without layers still needs something below.
        if layers.isEmpty { try Folder.make("\(folder)/0") }
        for (index, layer) in layers.enumerated() {
            guard unsafe symlink(layer, "\(folder)/\(index)") == 0 else {
                throw failure("cannot link the layer '\(layer)'")
            }
        }
        // Options fit one page, too little for the full paths of many layers: short names in the current folder do.
        guard ballast_unshare_fs() == 0, unsafe chdir(folder) == 0 else { throw failure("cannot enter '\(folder)'") }
        let lower = (0..<max(layers.count, 1)).reversed().map(String.init).joined(separator: ":")
        let options = "lowerdir=\(lower),upperdir=upper,workdir=work"
        guard mountOverlay(options) == 0 else { throw failure("cannot mount overlayfs on '\(root)'") }
        return root
    }

    private static func mountOverlay(_ options: String) -> CInt {
        unsafe options.withCString { unsafe Glibc.mount("overlay", "rootfs", "overlay", UInt(MS_NODEV), $0) }
    }

    private static func detach(_ root: String) throws {
        while unsafe umount2(root, CInt(MNT_DETACH)) == 0 {}
        guard errno == EINVAL || errno == ENOENT else { throw failure("cannot unmount '\(root)'") }
    }

    private static func failure(_ message: String) -> Failure {
        Failure(.fault, "\(message): \(unsafe String(cString: strerror(errno)))")
    }

    /// Reads a file of a mounted root file system, such as `etc/passwd`, without ever leaving it: links in it count from
    /// its root. `nil` where there is no such regular file, or it is longer than `limit` bytes.
    package static func readFile(_ path: String, inRootfs root: String, limit: Int = 1 << 20) -> [UInt8]? {
        let folder = unsafe open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        let file = unsafe ballast_open_in_root(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return FileText.whole(file, limit: limit)
    }
}
