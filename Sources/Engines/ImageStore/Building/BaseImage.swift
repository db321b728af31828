// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The documents of the image below ours.
struct BaseImage {
    var configuration: JSON
    /// Descriptors, in OCI's words.
    var layers: [JSON]
    var diffIDs: [JSON]
    var history: [JSON]

    init(_ image: BuiltImage, architecture: String) throws {
        let manifest = try JSON(parsing: image.manifest.bytes)
        configuration = try JSON(parsing: Folder.contents(of: image.configuration.path))
        layers = (manifest["layers"]?.array ?? []).map { layer in
            var layer = layer
            if let type = layer["mediaType"]?.string { layer["mediaType"] = .string(MediaType.inOCI(type)) }
            return layer
        }
        diffIDs = configuration[path: "rootfs", "diff_ids"]?.array ?? []
        history = configuration["history"]?.array ?? []
        guard layers.count == diffIDs.count, layers.count == image.layers.count else {
            throw PlanError(description: "the base image '\(image.manifest.digest)' names other layers than it has")
        }
        let own = configuration["architecture"]?.string ?? architecture
        guard own == architecture else {
            throw PlanError(description: "the base image is for '\(own)', but the image is for '\(architecture)'")
        }
    }
}
