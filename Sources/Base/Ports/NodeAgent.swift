// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What the API server asks of the node that runs a pod; the kubelet's side of `pods/log`.
package protocol NodeAgent: Sendable {
    /// Streams a container's log. Throws `notFound` where the container is unknown and `invalidInput`, with the kubelet's
    /// words, where it has not started or has no previous run.
    func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws -> AsyncThrowingStream<
        [UInt8], any Error
    >

    /// What the node and its containers have used; `nil` where nobody counts.
    func usage() async -> NodeUsage?
}
