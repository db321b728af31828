// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Testing

@testable import ImageStore

@Suite("the cache of layers")
struct LayerCacheTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func tree(_ source: String) throws -> LayerTree {
        var tree = LayerTree()
        try tree.add(.file(source: source, FileStatus(of: source)), at: LayerPath("bin/app"))
        return tree
    }

    @Test("an unchanged layer is not read again")
    func hit() throws {
        let cache = LayerCache(folder: scratch.path)
        let old = try tree(find("env"))  // a file of the system, older than the cache is careful about
        let first = try cache.layer(of: old)
        let marker = [UInt8](repeating: 7, count: first.size)
        try Folder.replace(cache.path(of: first.digest), with: marker)
        #expect(try cache.layer(of: old) == first)
        #expect(try Folder.contents(of: cache.path(of: first.digest)) == marker, "the layer was built again")
    }

    @Test("a layer whose file has gone is built again")
    func missingBlob() throws {
        let cache = LayerCache(folder: scratch.path)
        let old = try tree(find("env"))
        let first = try cache.layer(of: old)
        try Folder.remove(cache.path(of: first.digest))
        #expect(try cache.layer(of: old) == first)
        #expect(try FileStatus(of: cache.path(of: first.digest)).size == first.size)
    }

    @Test("a file that changed a moment ago is never answered from memory, even with its old size and time")
    func freshFilesAreNotRemembered() throws {
        let cache = LayerCache(folder: "\(scratch.path)/cache")
        let file = try scratch.write("app", "one")
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        let first = try cache.layer(of: tree(file))
        try scratch.write("app", "two")
        try FileManager.default.setAttributes(
            [.modificationDate: attributes[.modificationDate] ?? Date()],
            ofItemAtPath: file
        )
        #expect(try cache.layer(of: tree(file)).digest != first.digest)
        #expect(try Folder.names(in: "\(scratch.path)/cache/keys") == [])
    }

    @Test("a file that changes while it is read is an error, and leaves nothing behind")
    func changedUnderneath() throws {
        let cache = LayerCache(folder: "\(scratch.path)/cache")
        let file = try scratch.write("app", "one")
        let tree = try tree(file)
        try scratch.write("app", "longer")
        #expect(throws: SourceChanged.self) { try cache.layer(of: tree) }
        try scratch.write("app", "1")
        #expect(throws: SourceChanged.self) { try cache.layer(of: tree) }
        #expect(try Folder.names(in: "\(scratch.path)/cache/layers") == [])
    }

    @Test("above its limit the cache drops what was unused the longest, and nothing of the last hour")
    func limit() throws {
        var cache = LayerCache(folder: scratch.path)
        cache.limit = 250
        let folder = "\(scratch.path)/layers"
        for (place, age) in [9000.0, 8000, 7000, 60].enumerated() {
            try scratch.write("layers/\(place)", String(repeating: "x", count: 100))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)],
                ofItemAtPath: "\(folder)/\(place)"
            )
        }
        try cache.prune()
        #expect(try Folder.names(in: folder).sorted() == ["2", "3"])
        cache.limit = 0
        try cache.prune()
        #expect(try Folder.names(in: folder) == ["3"])
    }
}
