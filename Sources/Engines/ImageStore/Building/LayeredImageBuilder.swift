// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
package import Model
package import Ports

/// Builds images in-process: tar, gzip and JSON, no daemon, no privileges.
///
/// Layers and documents are kept in a folder, which is also the cache of layers whose input did not change. One folder may
/// serve several processes at once.
package struct LayeredImageBuilder: ImageBuilder {
    private let cache: LayerCache
    private let created: Timestamp
    /// Where absolute library paths start; empty but in tests.
    private let root: String

    /// - Parameter created: what the image says of its age: `SOURCE_DATE_EPOCH`, or 1970 where that is not set.
    package init(folder: String, created: Timestamp = Timestamp(seconds: 0)) {
        self.init(folder: folder, created: created, root: "")
    }

    init(folder: String, created: Timestamp = Timestamp(seconds: 0), root: String) {
        cache = LayerCache(folder: folder)
        self.created = created
        self.root = root
    }

    @concurrent
    package func build(_ plan: ImagePlan) async throws -> BuiltImage {
        do {
            return try await assemble(plan)
        } catch let error as FileError {
            let isOurs = error.path.hasPrefix(cache.folder)
            if isOurs, error.isOutOfSpace {
                let place = "the disk of '\(cache.folder)', where layers are kept, is full"
                throw Failure(
                    .fault,
                    "the image cannot be built: \(place); free some space and release again",
                    cause: error
                )
            }
            throw Failure(isOurs ? .fault : .invalidInput, "the image cannot be built", cause: error)
        } catch let error
            where error is PlanError || error is LibraryError || error is LayerTreeError
            || error is ELFError || error is InflateError || error is SourceChanged || error is JSONError
        {
            throw Failure(.invalidInput, "the image cannot be built", cause: error)
        }
    }

    private func assemble(_ plan: ImagePlan) async throws -> BuiltImage {
        let base = try plan.base.map { try BaseImage($0, architecture: plan.architecture) }
        let layout = try BaseLayout(plan.base?.layers ?? [])
        var layers = try ImageContents(of: plan, root: root).layers
        for place in layers.indices { layers[place].tree = try layout.placing(layers[place].tree) }
        let records = try await write(layers.map(\.tree))
        let documents = ImageDocuments(plan: plan, created: created, base: base)
        let labelled = zip(records, layers).map { (record: $0, purpose: $1.purpose) }
        let configuration = try store(documents.configuration(labelled).bytes)
        let manifest = documents.manifest(configuration, records)
        try cache.prune()
        let blobs = records.map { BlobFile(digest: $0.digest, size: $0.size, path: cache.path(of: $0.digest)) }
        return BuiltImage(layers: (plan.base?.layers ?? []) + blobs, configuration: configuration, manifest: manifest)
    }

    /// Layers are compressed side by side; what limits them is the number of threads of the pool.
    private func write(_ trees: [LayerTree]) async throws -> [LayerRecord] {
        try await withThrowingTaskGroup(of: (Int, LayerRecord).self) { group in
            for (place, tree) in trees.enumerated() {
                group.addTask { (place, try cache.layer(of: tree)) }
            }
            var records: [Int: LayerRecord] = [:]
            for try await (place, record) in group { records[place] = record }
            return trees.indices.compactMap { records[$0] }
        }
    }

    private func store(_ bytes: [UInt8]) throws -> BlobFile {
        let digest = ContentHash.digest(of: bytes)
        let path = cache.path(of: digest)
        try Folder.create(Folder.parent(of: path))
        try Folder.replace(path, with: bytes)
        return BlobFile(digest: digest, size: bytes.count, path: path)
    }
}
