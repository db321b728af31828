// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What the controllers are told about their cluster.
package struct ControllerConfiguration: Sendable {
    /// Where the API answers, for the `kubernetes` service in `default`.
    package struct Endpoint: Sendable {
        /// The service's own address.
        package var serviceAddress: String
        package var address: String
        package var port: Int

        package init(serviceAddress: String, address: String, port: Int) {
            self.serviceAddress = serviceAddress
            self.address = address
            self.port = port
        }
    }

    package var endpoint: Endpoint?
    /// PEM text for the `kube-root-ca.crt` of each namespace.
    package var rootCertificate: String?
    /// The folder below which claims of the class `local` get theirs; without it no claim is provisioned.
    package var volumeFolder: String?
    /// What an Ingress' status says it is reached by.
    package var ingressAddress: JSON = [["hostname": "localhost", "ip": "127.0.0.1"]]
    /// How long a node may be silent before it counts as not ready.
    package var nodeGrace = Duration.seconds(50)

    package init() {}
}

/// What every controller has at hand.
struct ControllerContext: Sendable {
    let mirrors: ClusterMirrors
    let writer: ClusterWriter
    let events: EventRecorder
    let clock: WallClock
    let configuration: ControllerConfiguration
}
