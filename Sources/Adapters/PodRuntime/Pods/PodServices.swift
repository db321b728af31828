// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry

/// Where a pod's root file systems come from.
protocol PodImages: Sendable {
    /// Brings the image here; `willPull` is called before the registry is asked. Throws `ImageFailure`.
    func prepare(
        _ image: String,
        credentials: [RegistryCredentials],
        pullPolicy: ImagePullPolicy,
        willPull: @Sendable () async -> Void
    ) async throws -> PreparedImage
    func mountRootfs(_ image: PreparedImage, at folder: String) async throws -> String
    func unmountRootfs(at folder: String) async throws
    /// The images on this machine.
    func heldImages() async -> [HeldImage]
    /// Removes an image; `false` where it may be in use.
    func remove(_ image: HeldImage) async throws -> Bool
}

extension ImageLayers: PodImages {}

/// Where a pod's address comes from.
protocol PodNetworking: Sendable {
    /// Connects the pod, or finds it connected.
    func connect(_ uid: String) async throws -> PodConnection
    /// Disconnects it; one that is not connected is no failure.
    func disconnect(_ uid: String) async throws
    /// The text of a pod's `/etc/resolv.conf`.
    func resolverText(for pod: PodSpec) -> String
}

struct PodConnection: Sendable, Hashable {
    var address: String
    /// The path of the network namespace; `nil`: each container has an empty one of its own.
    var namespace: String?
}

/// What the workers of all pods share.
struct PodServices: Sendable {
    let configuration: PodRuntimeConfiguration
    /// Short and unique to the data folder; part of the names of control groups.
    let instance: String
    /// The node's address as pods and status name it.
    let hostAddress: String
    let folders: NodeFolders
    let api: any ClusterAPI
    let images: any PodImages
    let network: any PodNetworking
    let drain: any EndpointDrain
    let runc: Runc
    let controlGroups: ControlGroups
    let machine: MachineFacts
    let events: EventRecorder
    let tokens: ServiceAccountTokens
    let clock: any Clock<Duration>
    let wall: WallClock
    let telemetry: Telemetry

    /// The control group above those of all pods.
    var controlGroup: String { "/ballast-\(instance)" }
}
