// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Where the layers of a base image have folders and symbolic links, so that what we put on top lands where a path leads.
///
/// Without it a file for `/lib/x` on an image whose `/lib` is a link to `usr/lib` would hide everything behind that link, and a
/// folder entry would change the modes of a folder that is there.
struct BaseLayout: Sendable {
    private var folders: Set<LayerPath> = []
    private var links: [LayerPath: String] = [:]

    private static let hopLimit = 40

    init() {}

    /// Reads the layers, lowest first. Throws where one is in a form that zlib cannot read.
    init(_ layers: [BlobFile]) throws {
        for layer in layers { apply(try Self.members(of: layer)) }
    }

    private static func members(of layer: BlobFile) throws -> [TarIndex.Member] {
        let file = try OpenFile.reading(layer.path)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var index = TarIndex()
        let gzip = InflateStream()
        var offset = 0
        var isGzip = false
        while true {
            let count = try file.read(into: &buffer, at: offset)
            guard count > 0 else { break }
            if offset == 0 { isGzip = try Self.isGzip(buffer, layer) }
            offset += count
            let piece = buffer
            if isGzip {
                try gzip.write(piece.span.extracting(first: count)) { try index.feed($0) }
            } else {
                try index.feed(piece.span.extracting(first: count))
            }
        }
        guard !isGzip || gzip.isAtEnd else {
            throw PlanError(description: "the base image's layer '\(layer.digest)' ends early")
        }
        return index.members
    }

    private static func isGzip(_ start: [UInt8], _ layer: BlobFile) throws -> Bool {
        guard !start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) else {
            throw PlanError(
                description:
                    "the base image's layer '\(layer.digest)' is compressed with zstd; use a base with gzip layers"
            )
        }
        return start.starts(with: [0x1F, 0x8B])
    }

    private mutating func apply(_ members: [TarIndex.Member]) {
        // Whiteouts speak of the layers below, wherever they stand in their own.
        for member in members where member.path.lastComponent.hasPrefix(".wh.") {
            let name = String(member.path.lastComponent.dropFirst(4))
            let isOpaque = name == ".wh..opq"
            remove(isOpaque ? member.path.parent : member.path.parent.appending(name), keepingItself: isOpaque)
        }
        for member in members where !member.path.lastComponent.hasPrefix(".wh.") { add(member) }
    }

    private mutating func add(_ member: TarIndex.Member) {
        if let target = member.link {
            remove(member.path, keepingItself: false)
            links[member.path] = target
        } else if member.isFolder {
            links[member.path] = nil
            folders.insert(member.path)
        } else {
            remove(member.path, keepingItself: false)
        }
        // Not every archive has entries for the folders above.
        var above = member.path.parent
        while !above.isRoot, links[above] == nil, folders.insert(above).inserted { above = above.parent }
    }

    private mutating func remove(_ path: LayerPath, keepingItself: Bool) {
        guard folders.contains(path) || links[path] != nil else { return }
        let below = path.text + "/"
        folders = folders.filter { !$0.text.utf8.starts(with: below.utf8) && (keepingItself || $0 != path) }
        links = links.filter { !$0.key.text.utf8.starts(with: below.utf8) && (keepingItself || $0.key != path) }
    }

    // MARK: answers

    func hasFolder(_ path: LayerPath) -> Bool { folders.contains(path) }

    /// The folder that a path leads to through the base's links.
    func resolve(_ path: LayerPath) throws -> LayerPath {
        var pending = path.components.reversed().map(String.init)
        var reached = LayerPath("")
        var hops = 0
        while let component = pending.popLast() {
            guard component != "." else { continue }
            guard component != ".." else {
                reached = reached.parent
                continue
            }
            let next = reached.appending(component)
            guard let target = links[next] else {
                reached = next
                continue
            }
            hops += 1
            guard hops <= Self.hopLimit else {
                throw PlanError(description: "'\(path)' runs in circles through the base image's links")
            }
            if target.hasPrefix("/") { reached = LayerPath("") }
            pending += target.split(separator: "/").reversed().map(String.init)
        }
        return reached
    }

    /// The tree as it has to be written on top of the base: behind its links, without the folders it has.
    func placing(_ tree: LayerTree) throws -> LayerTree {
        guard !folders.isEmpty || !links.isEmpty else { return tree }
        var placed = LayerTree()
        for (path, entry) in tree.sorted {
            let isFolder = entry == .folder
            let place = isFolder ? try resolve(path) : try resolve(path.parent).appending(path.lastComponent)
            try placed.add(entry, at: place)
        }
        return placed.withoutFolders(where: hasFolder)
    }
}
