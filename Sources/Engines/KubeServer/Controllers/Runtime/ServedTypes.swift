// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Which types the cluster serves: those it is built with and those its CustomResourceDefinitions add.
struct ServedTypes: Sendable {
    let builtIn: [ResourceType]
    let definitions: ObjectMirror

    var all: [ResourceType] { builtIn + definitions.objects.compactMap(Self.type) }
    var namespaced: [ResourceType] { all.filter(\.isNamespaced) }

    /// The type by its kind, as owner references name it; any served version of the group will do.
    func type(apiVersion: String, kind: String) -> ResourceType? {
        let group = apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : ""
        return all.first { $0.kind == kind && $0.group == group }
    }

    /// The type an established definition serves, in its stored version.
    static func type(of definition: KubeObject) -> ResourceType? {
        let spec = definition.spec
        guard definition.hasTrueCondition("Established"), let group = spec["group"]?.string,
            let plural = spec["names"]?["plural"]?.string, let kind = spec["names"]?["kind"]?.string
        else { return nil }
        let served = (spec["versions"]?.array ?? []).filter { $0["served"]?.bool == true }
        let version = served.first { $0["storage"]?.bool == true } ?? served.first
        guard let version = version?["name"]?.string else { return nil }
        return ResourceType(
            group: group,
            version: version,
            plural: plural,
            kind: kind,
            isNamespaced: spec["scope"]?.string == "Namespaced"
        )
    }
}

extension ResourceType {
    /// The built-in types that hold objects.
    static let builtIn: [ResourceType] = [
        .namespaces, .nodes, .serviceAccounts, .secrets, .configMaps, .persistentVolumes, .persistentVolumeClaims,
        .pods,
        .services, .events, .storageClasses, .replicaSets, .deployments, .statefulSets,
        .daemonSets, .controllerRevisions, .networkPolicies, .priorityClasses, .jobs, .cronJobs, .endpointSlices,
        .ingresses,
        .ingressClasses, .leases, .resourceQuotas, .limitRanges, .endpoints, .podDisruptionBudgets,
        .horizontalPodAutoscalers,
        .customResourceDefinitions, .roles, .clusterRoles, .roleBindings, .clusterRoleBindings,
    ]

    /// `Binding`: creating one puts a pod on a node.
    static let bindings = ResourceType(
        group: "",
        version: "v1",
        plural: "bindings",
        kind: "Binding",
        isNamespaced: true
    )
}
