// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// An image that is on this machine.
package struct HeldImage: Sendable, Hashable {
    package var manifest: Digest
    /// What its names resolved to: the manifest, or an index above it.
    package var digests: Set<Digest>
    package var names: Set<String>
    /// Of its layers as they were pulled, in bytes.
    package var size: Int
    /// How often it had been asked for when it was looked up; who asked since then may be about to mount it.
    var uses: Int
}

extension ImageLayers {
    /// All images that have a name here.
    package func heldImages() -> [HeldImage] {
        Dictionary(grouping: names.entries, by: \.value.manifest).map { manifest, entries in
            let layers = (try? stored(manifest))?.layers ?? []
            return HeldImage(
                manifest: manifest,
                digests: Set(entries.map(\.value.digest)),
                names: Set(entries.map(\.key)),
                size: layers.reduce(0) { $0 + $1.size },
                uses: uses[manifest, default: 0]
            )
        }
    }

    /// Removes an image and the layers that no other one needs; `false` where it may be in use: it was asked for since it
    /// was looked up, a container has one of its layers mounted, or something is being pulled.
    package func remove(_ image: HeldImage) throws -> Bool {
        guard pulls == 0, unpacking.isEmpty, uses[image.manifest, default: 0] == image.uses else { return false }
        let layers = Set((try? stored(image.manifest))?.layers.map(\.digest) ?? [])
        guard mounted.values.allSatisfy({ layers.isDisjoint(with: $0) }) else { return false }
        try names.keepOnly { _, entry in entry.manifest != image.manifest }
        try removeUnneeded()
        return true
    }

    private func removeUnneeded() throws {
        var needed = Set(mounted.values.flatMap { $0 }.map(\.hex))
        for entry in names.entries.values {
            guard let image = try? stored(entry.manifest) else { continue }
            needed.insert(entry.manifest.hex)
            needed.insert(image.configuration.hex)
            needed.formUnion(image.layers.map(\.digest.hex))
        }
        for part in ["manifests", "configurations", "layers"] {
            for name in Folder.names(in: "\(storage.folder)/\(part)") where !needed.contains(name) {
                let path = "\(storage.folder)/\(part)/\(name)"
                try Folder.remove(path)
            }
        }
    }
}
