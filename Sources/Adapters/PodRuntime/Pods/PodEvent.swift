// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Something worth an `Event` object beside the pod, in the kubelet's words.
struct PodEvent: Sendable, Equatable {
    enum Kind: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    var kind: Kind
    var reason: String
    var message: String
    /// Which part of the pod is meant: `spec.containers{web}`.
    var fieldPath: String?

    init(_ kind: Kind, _ reason: String, _ message: String, container: ContainerSpec? = nil) {
        self.kind = kind
        self.reason = reason
        self.message = message
        fieldPath = container.map { "spec.\($0.role == .regular ? "containers" : "initContainers"){\($0.name)}" }
    }
}
