// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why a layer cannot be unpacked.
struct LayerError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
