// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What the API server asks of the node that runs a pod; the kubelet's side of `pods/log`, `exec`, `attach` and `portforward`.
package protocol NodeAgent: Sendable {
    /// Streams a container's log. Throws `notFound` where the container is unknown and `invalidInput`, with the kubelet's
    /// words, where it has not started or has no previous run.
    func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws -> AsyncThrowingStream<
        [UInt8], any Error
    >

    /// A session in a container: a new command, or, where `options` name none, what the container runs itself. Nothing
    /// happens before the session is run. Throws `notFound`, with the kubelet's words, where the container does not run.
    func session(namespace: String, pod: String, uid: String, _ options: SessionOptions) async throws
        -> any ContainerSession

    /// The ports that listen inside a pod. Throws `notFound` where the pod does not run.
    func ports(namespace: String, pod: String, uid: String) async throws -> any PodPorts

    /// What the node and its containers have used; `nil` where nobody counts.
    func usage() async -> NodeUsage?
}
