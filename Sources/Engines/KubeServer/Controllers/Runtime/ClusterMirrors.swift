// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry

/// The copies of the cluster that all controllers read.
struct ClusterMirrors: Sendable {
    let namespaces: ObjectMirror
    let nodes: ObjectMirror
    let leases: ObjectMirror
    let serviceAccounts: ObjectMirror
    let rootCertificates: ObjectMirror
    let pods: ObjectMirror
    let replicaSets: ObjectMirror
    let deployments: ObjectMirror
    let statefulSets: ObjectMirror
    let daemonSets: ObjectMirror
    let controllerRevisions: ObjectMirror
    let jobs: ObjectMirror
    let cronJobs: ObjectMirror
    let services: ObjectMirror
    let endpointSlices: ObjectMirror
    let endpoints: ObjectMirror
    let budgets: ObjectMirror
    let autoscalers: ObjectMirror
    let ingresses: ObjectMirror
    let ingressClasses: ObjectMirror
    let claims: ObjectMirror
    let volumes: ObjectMirror
    let storageClasses: ObjectMirror
    let definitions: ObjectMirror

    init(_ make: (ListQuery, @escaping @Sendable (KubeObject) -> KubeObject) -> ObjectMirror) {
        func whole(_ query: ListQuery) -> ObjectMirror { make(query, \.withoutManagedFields) }
        namespaces = whole(ListQuery(.namespaces))
        nodes = whole(ListQuery(.nodes))
        leases = whole(ListQuery(.leases, namespace: "kube-node-lease"))
        serviceAccounts = whole(ListQuery(.serviceAccounts, fieldSelector: "metadata.name=default"))
        rootCertificates = whole(ListQuery(.configMaps, fieldSelector: "metadata.name=kube-root-ca.crt"))
        pods = whole(ListQuery(.pods))
        replicaSets = whole(ListQuery(.replicaSets))
        deployments = whole(ListQuery(.deployments))
        statefulSets = whole(ListQuery(.statefulSets))
        daemonSets = whole(ListQuery(.daemonSets))
        controllerRevisions = whole(ListQuery(.controllerRevisions))
        jobs = whole(ListQuery(.jobs))
        cronJobs = whole(ListQuery(.cronJobs))
        services = whole(ListQuery(.services))
        endpointSlices = whole(ListQuery(.endpointSlices))
        endpoints = whole(ListQuery(.endpoints))
        budgets = whole(ListQuery(.podDisruptionBudgets))
        autoscalers = whole(ListQuery(.horizontalPodAutoscalers))
        ingresses = whole(ListQuery(.ingresses))
        ingressClasses = whole(ListQuery(.ingressClasses))
        claims = whole(ListQuery(.persistentVolumeClaims))
        volumes = whole(ListQuery(.persistentVolumes))
        storageClasses = whole(ListQuery(.storageClasses))
        definitions = whole(ListQuery(.customResourceDefinitions))
    }

    var all: [ObjectMirror] {
        [
            namespaces, nodes, leases, serviceAccounts, rootCertificates, pods, replicaSets, deployments,
            statefulSets, daemonSets, controllerRevisions, jobs,
            cronJobs, services, endpointSlices, endpoints, budgets, autoscalers, ingresses, ingressClasses, claims,
            volumes, storageClasses, definitions,
        ]
    }

    /// The mirror that holds every object of that type, if there is one.
    func mirror(of type: ResourceType) -> ObjectMirror? {
        all.first { $0.query.type == type && $0.query.namespace == nil && $0.query.fieldSelector.isEmpty }
    }
}

extension KubeObject {
    /// Nobody here reads them, and they are the largest part of many objects.
    fileprivate var withoutManagedFields: KubeObject {
        var object = self
        object.json.set(nil, at: ["metadata", "managedFields"])
        return object
    }
}
