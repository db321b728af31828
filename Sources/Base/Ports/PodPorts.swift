// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The ports of one pod, as its own processes see them.
package protocol PodPorts: Sendable {
    /// Connects to a port of the pod's own loopback address. Throws with the words for whoever asked.
    func dial(_ port: Int) async throws -> any PortStream
    /// Returns when the pod has gone from its node, or when the calling task is cancelled.
    func waitUntilGone() async
}

/// One connection into a pod. Letting go of it closes it. Reading and writing have one caller each.
package protocol PortStream: Sendable {
    /// What comes next; `nil` once the other side has closed its half, or when the calling task is cancelled.
    func read() async -> [UInt8]?
    /// Returns when the bytes are handed over; throws when nobody takes them.
    func write(_ bytes: [UInt8]) async throws
    /// Closes our half; the other side may go on.
    func finish()
}
