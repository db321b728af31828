// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CZlib
import Digests
import Model

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finished layers in a folder, found again by the identity of their input, so that an unchanged layer is neither read nor
/// compressed twice.
///
/// Input is identified by path, size, times, inode and device of every file. A file that changed so recently that another
/// change might leave the same times is not remembered, so a hit is never stale. Several processes may share a folder.
struct LayerCache: Sendable {
    /// How much older than "now" every file must be for its layer to be remembered; above the coarsest clock of a file system.
    private static let settleTime: Int64 = 2_000_000_000

    let folder: String
    /// Layers beyond this are removed, the longest unused first.
    var limit = 4 << 30

    private var blobs: String { "\(folder)/layers" }
    private var keys: String { "\(folder)/keys" }

    func path(of digest: Digest) -> String { "\(blobs)/\(digest.hex)" }

    /// The layer of that tree: the one already there, or a new one.
    func layer(of tree: LayerTree) throws -> LayerRecord {
        let key = "\(keys)/\(Self.key(of: tree).hex)"
        if let record = try remembered(key) { return record }
        let started = Self.now()
        let record = try build(tree)
        if Self.isSettled(tree, at: started) { try Folder.replace(key, with: Self.encode(record)) }
        return record
    }

    private func build(_ tree: LayerTree) throws -> LayerRecord {
        try Folder.create(blobs)
        try Folder.create(keys)
        let temporary = "\(blobs)/.new-\(Folder.uniqueName())"
        do {
            let record = try LayerWriter.write(tree, to: temporary)
            try Folder.rename(temporary, to: path(of: record.digest))
            try Folder.synchronize(blobs)
            return record
        } catch {
            _ = try? Folder.remove(temporary)
            throw error
        }
    }

    // MARK: identity

    private static func key(of tree: LayerTree) -> Digest {
        let hash = ContentHash()
        func add(_ text: String) { hash.update(Array("\(text)\0".utf8).span) }
        add("layer 1 gzip \(GzipStream.level) zlib \(unsafe String(cString: zlibVersion()))")
        for (path, entry) in tree.sorted {
            add(path.text)
            switch entry {
            case .folder: add("folder")
            case .link(let target): add("link \(target)")
            case .file(let source, let status):
                add(source)
                add("\(status.size) \(status.modified) \(status.changed) \(status.inode) \(status.device)")
                add("\(status.isExecutable)")
            }
        }
        return hash.finish()
    }

    private static func isSettled(_ tree: LayerTree, at moment: Int64) -> Bool {
        tree.sorted.allSatisfy { _, entry in
            guard case .file(_, let status) = entry else { return true }
            return max(status.changed, status.modified) < moment - settleTime
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: the record

    private static func encode(_ record: LayerRecord) -> [UInt8] {
        Array("\(record.digest) \(record.diffID) \(record.size)\n".utf8)
    }

    private func remembered(_ key: String) throws -> LayerRecord? {
        guard let bytes = try? Folder.contents(of: key) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard parts.count == 3, let digest = Digest(String(parts[0])), let diffID = Digest(String(parts[1])),
            let size = Int(parts[2]), let status = try? FileStatus(of: path(of: digest)), status.size == size
        else { return nil }
        try? Folder.touch(path(of: digest))
        return LayerRecord(digest: digest, diffID: diffID, size: size)
    }

    // MARK: limit

    /// Removes the longest unused layers above the limit, but none that was used in the last hour.
    func prune() throws {
        var files: [(path: String, status: FileStatus)] = []
        for name in try Folder.namesIfPresent(in: blobs) {
            guard let status = try? FileStatus(ofLink: "\(blobs)/\(name)") else { continue }
            files.append((path: "\(blobs)/\(name)", status: status))
        }
        var total = files.reduce(0) { $0 + $1.status.size }
        let newest = Self.now() - 3600 * 1_000_000_000
        for file in files.sorted(by: { $0.status.modified < $1.status.modified }) {
            guard total > limit || file.path.contains("/.new-"), file.status.modified < newest else { continue }
            try Folder.remove(file.path)
            total -= file.status.size
        }
    }
}
