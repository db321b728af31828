// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// A folder whose files change all at once: each name is a link through `..data`, which is replaced by one rename.
///
/// The layout is the one that programs which watch their configuration in Kubernetes know.
struct AtomicFolder: Sendable {
    let path: String

    /// Makes the folder show exactly `content`; `false` where it did already.
    @discardableResult
    func replace(by content: ProjectedFiles, owner group: Int?) throws(Failure) -> Bool {
        let old = currentFolder
        if let old, matches(content, old) { return false }
        let name = "..\(stamp)"
        try Folder.make("\(path)/\(name)")
        for (file, value) in content.files.sorted(by: { $0.key < $1.key }) {
            let target = "\(path)/\(name)/\(file)"
            if let slash = target.lastIndex(of: "/") { try Folder.make(String(target[..<slash])) }
            // Members of the volume's group can read what its owner can.
            let mode = group == nil ? value.mode : value.mode | ((value.mode & 0o600) >> 3)
            try FileText.write(value.bytes, to: target, mode: mode_t(mode))
            if let group { try own(target, group) }
        }
        try point("..data", to: name)
        let visible = Set(content.files.keys.map { String($0.prefix { $0 != "/" }) })
        for entry in visible.sorted() where !Folder.exists("\(path)/\(entry)") {
            try point(entry, to: "..data/\(entry)")
        }
        for entry in Folder.names(in: path) where !entry.hasPrefix("..") && !visible.contains(entry) {
            unsafe unlink("\(path)/\(entry)")
        }
        if let old { try Folder.remove("\(path)/\(old)") }
        return true
    }

    private var currentFolder: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = unsafe readlink("\(path)/..data", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private func matches(_ content: ProjectedFiles, _ folder: String) -> Bool {
        guard Self.files(below: "\(path)/\(folder)") == Set(content.files.keys) else { return false }
        return content.files.allSatisfy { file, value in
            (try? FileText.bytes("\(path)/\(folder)/\(file)", limit: 4 << 20)) == value.bytes
        }
    }

    private static func files(below folder: String, prefix: String = "") -> Set<String> {
        var found: Set<String> = []
        for name in Folder.names(in: folder) {
            var status = stat()
            guard unsafe lstat("\(folder)/\(name)", &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                found.formUnion(files(below: "\(folder)/\(name)", prefix: "\(prefix)\(name)/"))
            } else {
                found.insert(prefix + name)
            }
        }
        return found
    }

    private func point(_ name: String, to target: String) throws(Failure) {
        let temporary = "\(path)/..tmp-\(UInt32.random(in: .min ... .max))"
        guard unsafe symlink(target, temporary) == 0, unsafe rename(temporary, "\(path)/\(name)") == 0 else {
            throw Failure(.fault, "'\(path)/\(name)' cannot be linked", cause: Errno(errno))
        }
    }

    private func own(_ target: String, _ group: Int) throws(Failure) {
        guard unsafe chown(target, uid_t.max, gid_t(group)) == 0 else {
            throw Failure(.fault, "'\(target)' cannot be given to group \(group)", cause: Errno(errno))
        }
    }

    private var stamp: String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
