// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What a layer holds: a tree in which a file has a source on this machine.
struct LayerTree: Sendable {
    enum Entry: Sendable, Hashable {
        case folder
        case file(source: String, FileStatus)
        case link(target: String)
    }

    private var entries: [LayerPath: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }

    /// All entries, parents before children, in the order of their bytes.
    var sorted: [(path: LayerPath, entry: Entry)] {
        entries.sorted { $0.key < $1.key }.map { (path: $0.key, entry: $0.value) }
    }

    subscript(path: LayerPath) -> Entry? { entries[path] }

    /// Adds an entry and the folders above it. A later file or link takes the place of an earlier one; a folder and a file
    /// at one place are an error.
    mutating func add(_ entry: Entry, at path: LayerPath) throws(LayerTreeError) {
        guard !path.isRoot else {
            guard entry == .folder else { throw LayerTreeError(path: path, reason: .rootIsFolder) }
            return
        }
        try add(.folder, at: path.parent)
        switch (entries[path], entry) {
        case (.folder, .folder): break
        case (.folder, _): throw LayerTreeError(path: path, reason: .folderAndFile)
        case (.link, .folder): throw LayerTreeError(path: path, reason: .linkAndFolder)
        case (.file, .folder): throw LayerTreeError(path: path, reason: .folderAndFile)
        default: entries[path] = entry
        }
    }

    /// The source of the file at a path, through links inside the tree.
    func source(at path: LayerPath, hops: Int = 16) -> String? {
        switch entries[path] {
        case .file(let source, _): source
        case .link(let target) where hops > 0:
            source(
                at: LayerPath.normalising(target.hasPrefix("/") ? target : "\(path.parent)/\(target)").path,
                hops: hops - 1
            )
        default: nil
        }
    }

    /// Leaves out folders for which `isKnown` holds, because a layer below has them with their own modes.
    func withoutFolders(where isKnown: (LayerPath) -> Bool) -> LayerTree {
        var tree = self
        for (path, entry) in entries where entry == .folder && isKnown(path) { tree.entries[path] = nil }
        return tree
    }
}

/// Two things that cannot both be at one path of an image.
struct LayerTreeError: Error, CustomStringConvertible {
    enum Reason: String, Sendable {
        case rootIsFolder = "is the image's root folder; name a file in it"
        case folderAndFile = "would be a folder and a file at once"
        case linkAndFolder = "is a symbolic link; nothing can be put below it"
    }

    var path: LayerPath
    var reason: Reason

    var description: String { "'\(path)' in the image \(reason.rawValue)" }
}
