// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The rules of the kinds that Kubernetes itself brings.
enum KindHealth {
    typealias Rule = @Sendable (KubeObject, Health.Surroundings) -> Health

    /// `Deployment.apps`, and `Pod.` for the core.
    static func key(of object: KubeObject) -> String { "\(object.kind).\(object.group)" }

    static func isBuiltIn(_ object: KubeObject) -> Bool { rules[key(of: object)] != nil }

    static let rules: [String: Rule] = [
        "Deployment.apps": { object, _ in WorkloadHealth.deployment(object) },
        "Deployment.extensions": { object, _ in WorkloadHealth.deployment(object) },
        "StatefulSet.apps": { object, _ in WorkloadHealth.statefulSet(object) },
        "DaemonSet.apps": { object, _ in WorkloadHealth.daemonSet(object) },
        "DaemonSet.extensions": { object, _ in WorkloadHealth.daemonSet(object) },
        "ReplicaSet.apps": { object, _ in WorkloadHealth.replicaSet(object) },
        "ReplicaSet.extensions": { object, _ in WorkloadHealth.replicaSet(object) },
        "ReplicationController.": { object, _ in WorkloadHealth.replicaSet(object) },
        "Pod.": { object, around in PodHealth.of(object, at: around.now) },
        "Job.batch": { object, _ in JobHealth.job(object) },
        "CronJob.batch": { object, _ in JobHealth.cronJob(object) },
        "PersistentVolumeClaim.": { object, around in VolumeHealth.claim(object, around) },
        "PersistentVolume.": { object, _ in VolumeHealth.volume(object) },
        "Service.": { object, _ in NetworkHealth.service(object) },
        "Ingress.networking.k8s.io": { object, _ in NetworkHealth.ingress(object) },
        "Ingress.extensions": { object, _ in NetworkHealth.ingress(object) },
        "HorizontalPodAutoscaler.autoscaling": { object, _ in AutoscalerHealth.of(object) },
        "PodDisruptionBudget.policy": { object, _ in DefinitionHealth.disruptionBudget(object) },
        "CustomResourceDefinition.apiextensions.k8s.io": { object, _ in DefinitionHealth.customResource(object) },
        "APIService.apiregistration.k8s.io": { object, _ in DefinitionHealth.apiService(object) },
        "Namespace.": { object, _ in DefinitionHealth.namespace(object) },
        "Node.": { object, _ in DefinitionHealth.node(object) },
    ]

    /// Kinds that are what they are once they are stored: nobody reports on them, so nobody waits for them.
    static let settledWhenStored: Set<String> = [
        "ConfigMap.", "Secret.", "ServiceAccount.", "LimitRange.", "PodTemplate.", "Endpoints.", "Event.",
        "Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io",
        "ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io",
        "NetworkPolicy.networking.k8s.io", "IngressClass.networking.k8s.io", "StorageClass.storage.k8s.io",
        "CSIDriver.storage.k8s.io", "PriorityClass.scheduling.k8s.io", "RuntimeClass.node.k8s.io",
        "Lease.coordination.k8s.io", "EndpointSlice.discovery.k8s.io", "ControllerRevision.apps",
        "MutatingWebhookConfiguration.admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration.admissionregistration.k8s.io", "CronJob.batch",
    ]
}
