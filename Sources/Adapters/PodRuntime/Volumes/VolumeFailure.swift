// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Why a volume cannot be mounted, in the kubelet's words.
struct VolumeFailure: Error, Hashable, CustomStringConvertible {
    var volume: String
    var message: String

    var description: String { "MountVolume.SetUp failed for volume \"\(volume)\" : \(message)" }
}
