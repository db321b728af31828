// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One object that a release wants in a cluster.
struct DesiredObject: Sendable {
    var object: KubeObject
    var type: ResourceType
    /// `ballast.yaml`, or the place of its manifest.
    var place: String
    /// Its kind is defined by an object of the same release.
    var isOfNewKind = false

    var reference: ObjectReference { ObjectReference(type, namespace: object.namespace, name: object.name) }
    var stage: ApplyStage { ApplyStage(type) }
}

/// The order in which objects are applied; those of one stage go at once.
enum ApplyStage: Int, Sendable, Comparable, CaseIterable {
    case namespaces, definitions, roles, bindings, configuration, others, network, workloads, edge

    static func < (left: ApplyStage, right: ApplyStage) -> Bool { left.rawValue < right.rawValue }

    /// What `before` jobs may rely on.
    var isBeforeJobs: Bool { self < .workloads }

    init(_ type: ResourceType) {
        self =
            switch (type.group, type.kind) {
            case ("", "Namespace"): .namespaces
            case ("apiextensions.k8s.io", _): .definitions
            case ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "Role"): .roles
            case ("", "ServiceAccount"), ("storage.k8s.io", _), ("scheduling.k8s.io", _), ("node.k8s.io", _),
                ("networking.k8s.io", "IngressClass"), ("", "PersistentVolume"):
                .roles
            case ("rbac.authorization.k8s.io", _): .bindings
            case ("", "Secret"), ("", "ConfigMap"), ("", "ResourceQuota"), ("", "LimitRange"),
                ("", "PersistentVolumeClaim"), ("policy", "PodDisruptionBudget"),
                ("networking.k8s.io", "NetworkPolicy"):
                .configuration
            case ("", "Service"), ("", "Endpoints"), ("discovery.k8s.io", _): .network
            case ("", "Pod"), ("", "ReplicationController"), ("apps", _), ("batch", _): .workloads
            case ("networking.k8s.io", _), ("autoscaling", _), ("apiregistration.k8s.io", _),
                ("admissionregistration.k8s.io", _), ("gateway.networking.k8s.io", _):
                .edge
            default: .others
            }
    }
}
