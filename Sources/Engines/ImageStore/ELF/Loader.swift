// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The dynamic loader a program asks for, as far as it decides where libraries are looked for.
struct Loader: Sendable {
    /// Its path, as `PT_INTERP` names it.
    let path: String
    /// The folders it searches without being told, built into it; never empty.
    let defaultFolders: [String]
    let isMusl: Bool

    /// Reads the default folders out of the loader itself. Debian's, Fedora's and Arch's differ, and an image that has no
    /// `/etc/ld.so.cache` is searched in these alone.
    init(path: String, reading source: some ByteSource) throws(FileError) {
        self.path = path
        isMusl = Folder.lastComponent(of: path).hasPrefix("ld-musl-")
        guard !isMusl else {
            defaultFolders = ["/lib", "/usr/local/lib", "/usr/lib"]
            return
        }
        let found = Self.folders(in: try source.read(at: 0, count: 8 << 20))
        defaultFolders = found.isEmpty ? ["/lib64", "/usr/lib64", "/lib", "/usr/lib"] : found
    }

    /// What `$LIB` stands for: `lib/x86_64-linux-gnu` on Debian, `lib64` on Fedora.
    var library: String { String(defaultFolders[0].drop { $0 == "/" }) }

    /// glibc keeps its table of folders as strings in a row, each with a slash at both ends.
    private static func folders(in bytes: [UInt8]) -> [String] {
        var folders: [String] = []
        for run in bytes.split(separator: 0) where run.count < 128 && run.count > 4 {
            guard run.first == UInt8(ascii: "/"), run.last == UInt8(ascii: "/"),
                run.allSatisfy({ (0x21..<0x7F).contains($0) })
            else { continue }
            let folder = String(decoding: run.dropLast(), as: UTF8.self)
            if folder.contains("lib"), !folders.contains(folder) { folders.append(folder) }
        }
        return folders
    }

    /// musl is its own C library and answers to these names without looking for a file.
    func isBuiltIn(_ library: String) -> Bool {
        if library == Folder.lastComponent(of: path) { return true }
        guard isMusl, library.hasPrefix("lib") else { return false }
        let name = library.dropFirst(3)
        return ["c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."].contains { name.hasPrefix($0) }
    }
}
