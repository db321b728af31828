// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports

@testable import ImageStore

extension BuiltImage {
    /// Unpacks all layers over each other with the system's own tar.
    func unpack(into folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for layer in layers { try succeed("tar", ["-xzf", layer.path, "-C", folder]) }
    }

    /// The paths in one layer, as the system's own tar lists them.
    func names(inLayer place: Int) throws -> [String] {
        try succeed("tar", ["-tzf", layers[place].path]).split(separator: "\n").map(String.init)
    }

    /// What went into the layers, by the history in the configuration.
    func purposes() throws -> [String] {
        let configuration = try JSON(parsing: Folder.contents(of: configuration.path))
        return (configuration["history"]?.array ?? []).compactMap { $0["created_by"]?.string }
    }
}

func plan(_ files: [ImagePlan.File], architecture: String = machineArchitecture) -> ImagePlan {
    ImagePlan(files: files, entrypoint: ["/bin/app"], architecture: architecture)
}

#if arch(x86_64)
    let machineArchitecture = "amd64"
    let otherArchitecture = "arm64"
#else
    let machineArchitecture = "arm64"
    let otherArchitecture = "amd64"
#endif
