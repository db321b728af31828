// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The resources that are served without any CustomResourceDefinition, in the order of discovery.
enum BuiltInResources {
    static func all(_ configuration: KubernetesServer.Configuration) -> [Resource] {
        core(configuration) + apps(configuration) + [
            resource(.eventsV1, EventStrategy(isNewer: true), EventColumns(), short: ["ev"], fields: newEventFields) {
                $0.prefix = "/registry/events/"
                $0.storageHash = StorageVersionHash.text(group: "", version: "v1", kind: "Event")
            }
        ] + others(configuration) + (configuration.servesMetrics ? metrics : [])
    }

    private static func resource(
        _ type: ResourceType,
        _ strategy: any KindStrategy,
        _ columns: any TableColumns,
        short: [String] = [],
        categories: [String] = [],
        status: Bool = false,
        fields: SelectableFields = SelectableFields(),
        _ adjust: (inout Resource) -> Void = { _ in }
    ) -> Resource {
        var resource = Resource(type, strategy: strategy, columns: columns)
        resource.shortNames = short
        resource.categories = categories
        resource.fields = fields
        adjust(&resource)
        if status {
            resource.subresources.append(
                .init(name: "status", kind: type.kind, verbs: Resource.Subresource.readWrite)
            )
        }
        return resource
    }

    private static let eventFields = SelectableFields.paths([
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "type",
    ]).with("source") { event in
        let component = SelectableFields.text(event[path: "source", "component"])
        return component.isEmpty ? SelectableFields.text(event["reportingComponent"]) : component
    }

    /// The newer group names what an event is about `regarding`.
    private static let newEventFields: SelectableFields = {
        var result = eventFields
        for name in result.fields.keys where name.hasPrefix("involvedObject.") {
            result.fields["regarding." + name.dropFirst("involvedObject.".count)] = result.fields.removeValue(
                forKey: name
            )
        }
        for (name, old) in [("reportingController", "reportingComponent")] {
            result.fields[name] = result.fields.removeValue(forKey: old)
        }
        result.fields["source"] = nil
        return result
    }()

    private static let podFields = SelectableFields.paths([
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
        "status.podIP", "status.nominatedNodeName",
    ]).with("spec.hostNetwork") { $0[path: "spec", "hostNetwork"]?.bool == true ? "true" : "false" }

    private static func core(_ configuration: KubernetesServer.Configuration) -> [Resource] {
        [
            transient(.bindings),
            resource(.configMaps, ConfigMapStrategy(), ConfigMapColumns(), short: ["cm"]),
            resource(.endpoints, EndpointsStrategy(), EndpointsColumns(), short: ["ep"]) {
                $0.deprecation = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
            },
            resource(.events, EventStrategy(), EventColumns(), short: ["ev"], fields: eventFields),
            resource(.limitRanges, LimitRangeStrategy(), CreatedAtColumns(), short: ["limits"]),
            resource(
                .namespaces,
                NamespaceStrategy(),
                NamespaceColumns(),
                short: ["ns"],
                status: true,
                fields: .paths(["status.phase"])
            ) {
                $0.verbs.removeAll { $0 == "deletecollection" }
                $0.subresources = [.init(name: "finalize", kind: "Namespace", verbs: ["update"])]
            },
            resource(
                .nodes,
                NodeStrategy(),
                NodeColumns(),
                short: ["no"],
                status: true,
                fields: SelectableFields.paths([]).with("spec.unschedulable") {
                    $0[path: "spec", "unschedulable"]?.bool == true ? "true" : "false"
                }
            ),
            resource(
                .persistentVolumeClaims,
                ClaimStrategy(),
                ClaimColumns(),
                short: ["pvc"],
                status: true
            ),
            resource(.persistentVolumes, VolumeStrategy(), VolumeColumns(), short: ["pv"], status: true),
            resource(
                .pods,
                PodStrategy(refusesUnsupported: configuration.refusesUnsupportedPods),
                PodColumns(),
                short: ["po"],
                categories: ["all"],
                status: true,
                fields: podFields
            ) {
                $0.subresources = [
                    .init(name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"]),
                    .init(name: "binding", kind: "Binding", verbs: ["create"]),
                    .init(name: "eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"]),
                    .init(name: "exec", kind: "PodExecOptions", verbs: ["create", "get"]),
                    .init(name: "log", kind: "Pod", verbs: ["get"]),
                    .init(name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"]),
                ]
            },
            resource(.resourceQuotas, ResourceQuotaStrategy(), ResourceQuotaColumns(), short: ["quota"], status: true),
            resource(.secrets, SecretStrategy(), SecretColumns(), fields: .paths(["type"])),
            resource(.serviceAccounts, ServiceAccountStrategy(), ServiceAccountColumns(), short: ["sa"]) {
                $0.subresources = [
                    .init(
                        name: "token",
                        kind: "TokenRequest",
                        group: "authentication.k8s.io",
                        version: "v1",
                        verbs: ["create"]
                    )
                ]
            },
            resource(
                .services,
                ServiceStrategy(refusesUDP: configuration.refusesUDPServices),
                ServiceColumns(),
                short: ["svc"],
                categories: ["all"],
                status: true,
                fields: .paths(["spec.clusterIP", "spec.type"])
            ),
        ]
    }

    private static func apps(_ configuration: KubernetesServer.Configuration) -> [Resource] {
        let isStrict = configuration.refusesUnsupportedPods
        func scaled(_ resource: inout Resource) {
            resource.scale = .workload
            resource.subresources = [
                .init(
                    name: "scale",
                    kind: "Scale",
                    group: "autoscaling",
                    version: "v1",
                    verbs: Resource.Subresource.readWrite
                )
            ]
        }
        return [
            resource(.controllerRevisions, ControllerRevisionStrategy(), ControllerRevisionColumns()),
            resource(
                .daemonSets,
                DaemonSetStrategy(warnsOfRefusals: isStrict),
                DaemonSetColumns(),
                short: ["ds"],
                categories: ["all"],
                status: true
            ),
            resource(
                .deployments,
                DeploymentStrategy(warnsOfRefusals: isStrict),
                DeploymentColumns(),
                short: ["deploy"],
                categories: ["all"],
                status: true,
                scaled
            ),
            resource(
                .replicaSets,
                ReplicaSetStrategy(warnsOfRefusals: isStrict),
                ReplicaSetColumns(),
                short: ["rs"],
                categories: ["all"],
                status: true,
                scaled
            ),
            resource(
                .statefulSets,
                StatefulSetStrategy(warnsOfRefusals: isStrict),
                StatefulSetColumns(),
                short: ["sts"],
                categories: ["all"],
                status: true,
                scaled
            ),
        ]
    }

    /// What is only created, and never stored.
    private static func transient(_ type: ResourceType) -> Resource {
        resource(type, PlainStrategy(), ServiceAccountColumns()) {
            $0.verbs = ["create"]
            $0.storageHash = ""
        }
    }

    /// One store, shown in two versions.
    private static func autoscaler(_ type: ResourceType) -> Resource {
        let stored = ResourceType.horizontalPodAutoscalers
        return resource(
            type,
            AutoscalerStrategy(),
            AutoscalerColumns(),
            short: ["hpa"],
            categories: ["all"],
            status: true
        ) {
            $0.storageHash = StorageVersionHash.text(group: stored.group, version: stored.version, kind: stored.kind)
        }
    }

    /// What is measured, and neither stored nor written.
    private static var metrics: [Resource] {
        [ResourceType.podMetrics, .nodeMetrics].map { type in
            resource(type, PlainStrategy(), CreatedAtColumns()) {
                $0.verbs = ["get", "list"]
                $0.prefix = "\(UsageBook.prefix)\(type.plural)/"
                $0.singular = ""
                $0.storageHash = ""
            }
        }
    }

    private static func others(_ configuration: KubernetesServer.Configuration) -> [Resource] {
        ResourceType.reviews.map(transient) + [
            autoscaler(.horizontalPodAutoscalers), autoscaler(.horizontalPodAutoscalersV1),
            resource(
                .jobs,
                JobStrategy(warnsOfRefusals: configuration.refusesUnsupportedPods),
                JobColumns(),
                categories: ["all"],
                status: true,
                fields: .paths(["status.successful"]).refusing {
                    "field label \(FieldErrors.quoted($0)) not supported for Job"
                }
            ),
            resource(
                .cronJobs,
                CronJobStrategy(warnsOfRefusals: configuration.refusesUnsupportedPods),
                CronJobColumns(),
                short: ["cj"],
                categories: ["all"],
                status: true
            ),
            resource(.ingresses, IngressStrategy(), IngressColumns(), short: ["ing"], status: true),
            resource(
                .networkPolicies,
                NetworkPolicyStrategy(warnsOfLimits: configuration.refusesUnsupportedPods),
                NetworkPolicyColumns(),
                short: ["netpol"]
            ),
            resource(.ingressClasses, IngressClassStrategy(), IngressClassColumns()),
            resource(.podDisruptionBudgets, BudgetStrategy(), BudgetColumns(), short: ["pdb"], status: true),
            resource(.clusterRoleBindings, BindingStrategy(isNamespaced: false), BindingColumns()),
            resource(.clusterRoles, RoleStrategy(isNamespaced: false), DefinitionColumns()),
            resource(.roleBindings, BindingStrategy(isNamespaced: true), BindingColumns()),
            resource(.roles, RoleStrategy(isNamespaced: true), DefinitionColumns()),
            resource(.storageClasses, StorageClassStrategy(), StorageClassColumns(), short: ["sc"]),
            resource(
                .customResourceDefinitions,
                DefinitionStrategy(),
                DefinitionColumns(),
                short: ["crd", "crds"],
                categories: ["api-extensions"],
                status: true
            ),
            resource(.priorityClasses, PriorityClassStrategy(), PriorityClassColumns(), short: ["pc"]),
            resource(.leases, LeaseStrategy(), LeaseColumns()),
            resource(.endpointSlices, EndpointSliceStrategy(), EndpointSliceColumns()),
        ]
    }
}

extension ResourceType {
    /// The same events as in the core group, under the newer name.
    static let eventsV1 = ResourceType(
        group: "events.k8s.io",
        version: "v1",
        plural: "events",
        kind: "Event",
        isNamespaced: true
    )
}

extension SelectableFields {
    func refusing(_ words: @escaping @Sendable (String) -> String) -> SelectableFields {
        var result = self
        result.refusal = words
        return result
    }

    func with(_ field: String, _ value: @escaping @Sendable (JSON) -> String) -> SelectableFields {
        var result = self
        result.fields[field] = value
        return result
    }
}
