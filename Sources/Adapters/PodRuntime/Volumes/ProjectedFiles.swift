// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The files of a volume that shows objects: content and mode by relative path.
struct ProjectedFiles: Sendable, Equatable {
    struct File: Sendable, Equatable {
        var bytes: [UInt8]
        var mode: Int
    }

    private(set) var files: [String: File] = [:]

    mutating func add(_ path: String, _ bytes: [UInt8], mode: Int) throws(VolumePathError) {
        guard Self.isSafe(path) else { throw VolumePathError(path: path) }
        files[path] = File(bytes: bytes, mode: mode)
    }

    /// Relative, inside the volume, and no name that the volume itself uses.
    static func isSafe(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return !path.isEmpty && !parts.contains("..") && !parts.contains("") && !path.hasPrefix("..")
    }
}

struct VolumePathError: Error, Hashable {
    var path: String
}
