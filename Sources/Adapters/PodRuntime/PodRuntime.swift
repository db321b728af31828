// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
package import Ports
import Telemetry

/// Runs the pods that the cluster assigns to this node: the kubelet's part, with runc below it.
package struct PodRuntime: Sendable {
    private let services: PodServices
    private let node: PodNode

    /// What the API server asks of this node.
    package var agent: any NodeAgent { node }

    init(services: PodServices) {
        self.services = services
        node = PodNode(services)
    }

    /// Runs pods until cancelled; then stops them all, within a bound, and undoes every mount.
    package func run() async throws {
    }
}
