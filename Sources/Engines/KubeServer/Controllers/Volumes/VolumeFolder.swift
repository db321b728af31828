// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model

/// The folders behind volumes of the class `local`, all directly below one folder.
struct VolumeFolder: Sendable {
    let root: String

    /// Where a volume's folder is.
    func path(of volume: String) -> String { "\(root)/\(volume)" }

    /// Makes the volume's folder; any user of a container may write there.
    func create(_ volume: String) throws {
        let path = path(of: volume)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
    }

    /// Removes the folder and all that is in it; links in it are removed, not followed. Only a path that `create` would have
    /// made is accepted.
    func remove(_ path: String, of volume: String) throws {
        guard path == self.path(of: volume), !volume.contains("/"), !volume.hasPrefix(".") else {
            throw Failure(.denied, "the path '\(path)' is not the folder of volume '\(volume)'; remove it by hand")
        }
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }
}
