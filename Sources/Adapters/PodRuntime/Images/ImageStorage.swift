// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// Where images lie on disk: `layers/<digest>/`, `manifests/<digest>`, `configurations/<digest>`, `names.json`.
///
/// What has its final name is complete and proven: everything is made in `temporary/` and renamed.
struct ImageStorage {
    let folder: String

    init(folder: String) throws {
        self.folder = folder
        for part in ["layers", "manifests", "configurations"] {
            try Folder.make("\(folder)/\(part)", mode: 0o700, parents: 0o700)
        }
        // Left by a process that was killed while it unpacked.
        try Folder.remove("\(folder)/temporary")
        try Folder.make("\(folder)/temporary", mode: 0o700, parents: 0o700)
    }

    var namesPath: String { "\(folder)/names.json" }
    func layer(_ digest: Digest) -> String { "\(folder)/layers/\(digest.hex)" }
    func manifest(_ digest: Digest) -> String { "\(folder)/manifests/\(digest.hex)" }
    func configuration(_ digest: Digest) -> String { "\(folder)/configurations/\(digest.hex)" }

    func hasLayer(_ digest: Digest) -> Bool { Folder.exists(layer(digest)) }

    /// An empty folder for a layer in the making. Files in a layer are its image's business, so only root may pass.
    func makeTemporary() throws -> String {
        let path = "\(folder)/temporary/\(UInt64.random(in: 0 ... .max))"
        try Folder.make(path)
        return path
    }

    /// Gives a finished layer its name; if another was faster, this one goes.
    func install(_ temporary: String, as digest: Digest) throws {
        guard unsafe rename(temporary, layer(digest)) != 0 else { return syncFolder() }
        guard hasLayer(digest) else { throw LayerError.system("cannot keep the layer '\(digest)'") }
        try Folder.remove(temporary)
    }

    private func syncFolder() {
        let descriptor = unsafe open("\(folder)/layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
