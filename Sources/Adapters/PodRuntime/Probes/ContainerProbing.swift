// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Keeps one container's probes going until it is cancelled.
struct ContainerProbing: Sendable {
    let services: PodServices
    let pod: PodSpec
    let spec: ContainerSpec
    let container: RunningContainer
    let address: String
    let report: @Sendable (ProbeKind, _ succeeds: Bool) -> Void

    func run() async {}
}
