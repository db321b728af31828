// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The roles and bindings that every cluster has from its first start on.
enum DefaultRoles {
    struct Role: Sendable {
        var name: String
        var labels: [String: String] = [:]
        /// Label of the roles it is put together from.
        var aggregates: String?
        var rules: [PolicyRule] = []
    }

    struct Binding: Sendable {
        var role: String
        var users: [String] = []
        var groups: [String] = []
    }

    static let metadataLabels = ["kubernetes.io/bootstrapping": "rbac-defaults"]
    static let autoupdate = "rbac.authorization.kubernetes.io/autoupdate"

    static let bindings: [Binding] = [
        Binding(role: "cluster-admin", groups: ["system:masters"]),
        Binding(role: "system:monitoring", groups: ["system:monitoring"]),
        Binding(role: "system:discovery", groups: ["system:authenticated"]),
        Binding(role: "system:basic-user", groups: ["system:authenticated"]),
        Binding(role: "system:public-info-viewer", groups: ["system:authenticated", "system:unauthenticated"]),
        Binding(role: "system:service-account-issuer-discovery", groups: ["system:serviceaccounts"]),
        Binding(role: "system:node"),
        Binding(role: "system:node-proxier", users: ["system:kube-proxy"]),
    ]

    private static let toAdmin = "rbac.authorization.k8s.io/aggregate-to-admin"
    private static let toEdit = "rbac.authorization.k8s.io/aggregate-to-edit"
    private static let toView = "rbac.authorization.k8s.io/aggregate-to-view"

    static let roles: [Role] = [
        Role(
            name: "cluster-admin",
            rules: [
                PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]),
                PolicyRule(verbs: ["*"], nonResourceURLs: ["*"]),
            ]
        ),
        Role(name: "admin", aggregates: toAdmin),
        Role(name: "edit", labels: [toAdmin: "true"], aggregates: toEdit),
        Role(name: "view", labels: [toEdit: "true"], aggregates: toView),
        Role(name: "system:aggregate-to-admin", labels: [toAdmin: "true"], rules: rules(adminRules)),
        Role(name: "system:aggregate-to-edit", labels: [toEdit: "true"], rules: rules(editRules)),
        Role(name: "system:aggregate-to-view", labels: [toView: "true"], rules: rules(viewRules)),
        Role(
            name: "system:discovery",
            rules: urls("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")
        ),
        Role(name: "system:public-info-viewer", rules: urls("/healthz /livez /readyz /version /version/")),
        Role(
            name: "system:basic-user",
            rules: rules(
                """
                create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
                create authentication.k8s.io selfsubjectreviews
                """
            )
        ),
        Role(
            name: "system:monitoring",
            rules: urls(
                "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz"
            ) + rules("get core nodes/metrics")
        ),
        Role(
            name: "system:auth-delegator",
            rules: rules(
                """
                create authentication.k8s.io tokenreviews
                create authorization.k8s.io subjectaccessreviews
                """
            )
        ),
        Role(
            name: "system:service-account-issuer-discovery",
            rules: urls(
                "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks "
                    + "/openid/v1/jwks/"
            )
        ),
        Role(name: "system:node", rules: rules(nodeRules)),
        Role(
            name: "system:node-problem-detector",
            rules: rules(
                """
                get core nodes
                patch core nodes/status
                create,patch,update core,events.k8s.io events
                """
            )
        ),
        Role(
            name: "system:node-proxier",
            rules: rules(
                """
                list,watch core endpoints,services
                R core nodes
                create,patch,update core,events.k8s.io events
                list,watch networking.k8s.io servicecidrs
                list,watch discovery.k8s.io endpointslices
                """
            )
        ),
        Role(
            name: "system:kubelet-api-admin",
            rules: rules(
                """
                R core nodes
                proxy core nodes
                * core nodes/log,nodes/metrics,nodes/proxy,nodes/stats
                * core nodes/configz,nodes/healthz,nodes/pods
                """
            )
        ),
    ]

    private static func urls(_ list: String) -> [PolicyRule] {
        [PolicyRule(verbs: ["get"], nonResourceURLs: list.split(separator: " ").map(String.init))]
    }

    private static let read = ["get", "list", "watch"]
    private static let write = ["create", "delete", "deletecollection", "patch", "update"]

    /// One rule a line: verbs (`R` read, `W` write, `RW` both), groups, resources, and names where it has them.
    private static func rules(_ text: String) -> [PolicyRule] {
        text.split(separator: "\n").map { line in
            let parts = line.split(separator: " ").map { $0.split(separator: ",").map(String.init) }
            let verbs = parts[0].flatMap { verb in
                switch verb {
                case "R": read
                case "W": write
                case "RW": read + write
                default: [verb]
                }
            }
            return PolicyRule(
                verbs: verbs.sorted(),
                apiGroups: parts[1].map { $0 == "core" ? "" : $0 }.sorted(),
                resources: parts[2].sorted(),
                resourceNames: parts.count > 3 ? parts[3].sorted() : []
            )
        }
    }

    private static let adminRules = """
        create authorization.k8s.io localsubjectaccessreviews
        RW rbac.authorization.k8s.io rolebindings,roles
        """

    private static let editRules = """
        R core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
        impersonate core serviceaccounts
        W core pods,pods/attach,pods/exec,pods/portforward,pods/proxy
        create core pods/eviction
        W core configmaps,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
        create core serviceaccounts/token
        W core,events.k8s.io events
        W apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale
        W autoscaling horizontalpodautoscalers
        W batch cronjobs,jobs
        W extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale
        W policy poddisruptionbudgets
        W networking.k8s.io ingresses,networkpolicies
        RW coordination.k8s.io leases
        W resource.k8s.io resourceclaims,resourceclaimtemplates
        """

    private static let viewRules = """
        R core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
        R core bindings,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
        R core namespaces
        R core,events.k8s.io events
        R discovery.k8s.io endpointslices
        R apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
        R autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
        R batch cronjobs,cronjobs/status,jobs,jobs/status
        R extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
        R policy poddisruptionbudgets,poddisruptionbudgets/status
        R networking.k8s.io ingresses,ingresses/status,networkpolicies
        R resource.k8s.io resourceclaims,resourceclaims/status,resourceclaimtemplates
        """

    private static let nodeRules = """
        create authentication.k8s.io tokenreviews
        create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
        R core services
        create,get,list,watch core nodes
        patch,update core nodes/status
        patch,update core nodes
        create,patch,update core,events.k8s.io events
        R core pods
        create,delete core pods
        patch,update core pods/status
        create core pods/eviction
        R core configmaps,secrets
        get core persistentvolumeclaims,persistentvolumes
        get core endpoints
        create,get,list,watch certificates.k8s.io certificatesigningrequests
        create,delete,get,patch,update coordination.k8s.io leases
        get storage.k8s.io volumeattachments
        create core serviceaccounts/token
        get,patch,update core persistentvolumeclaims/status
        R storage.k8s.io csidrivers
        create,delete,get,patch,update storage.k8s.io csinodes
        R node.k8s.io runtimeclasses
        get resource.k8s.io resourceclaims
        deletecollection resource.k8s.io resourceslices
        get core serviceaccounts
        """
}
