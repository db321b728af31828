// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A kind of object in the Kubernetes API: group, version, plural name and kind.
package struct ResourceType: Sendable, Hashable, CustomStringConvertible {
    /// Empty for the core group.
    package var group: String
    package var version: String
    /// The plural, lower-case name in paths, such as `deployments`.
    package var plural: String
    package var kind: String
    package var isNamespaced: Bool

    package init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// `v1` or `apps/v1`.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// `pods` or `deployments.apps`.
    package var description: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// The path of the collection: `/api/v1/namespaces/shop/pods`.
    package func path(namespace: String? = nil) -> String {
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        guard isNamespaced, let namespace else { return "\(root)/\(plural)" }
        return "\(root)/namespaces/\(namespace)/\(plural)"
    }
}

extension ResourceType {
    private static func core(_ plural: String, _ kind: String, isNamespaced: Bool = true) -> ResourceType {
        ResourceType(group: "", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    private static func named(
        _ group: String,
        _ plural: String,
        _ kind: String,
        version: String = "v1",
        isNamespaced: Bool = true
    ) -> ResourceType {
        ResourceType(group: group, version: version, plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    package static let namespaces = core("namespaces", "Namespace", isNamespaced: false)
    package static let nodes = core("nodes", "Node", isNamespaced: false)
    package static let serviceAccounts = core("serviceaccounts", "ServiceAccount")
    package static let secrets = core("secrets", "Secret")
    package static let configMaps = core("configmaps", "ConfigMap")
    package static let persistentVolumes = core("persistentvolumes", "PersistentVolume", isNamespaced: false)
    package static let persistentVolumeClaims = core("persistentvolumeclaims", "PersistentVolumeClaim")
    package static let pods = core("pods", "Pod")
    package static let services = core("services", "Service")
    package static let events = core("events", "Event")
    package static let storageClasses = named("storage.k8s.io", "storageclasses", "StorageClass", isNamespaced: false)
    package static let replicaSets = named("apps", "replicasets", "ReplicaSet")
    package static let deployments = named("apps", "deployments", "Deployment")
    package static let statefulSets = named("apps", "statefulsets", "StatefulSet")
    package static let daemonSets = named("apps", "daemonsets", "DaemonSet")
    package static let controllerRevisions = named("apps", "controllerrevisions", "ControllerRevision")
    package static let jobs = named("batch", "jobs", "Job")
    package static let cronJobs = named("batch", "cronjobs", "CronJob")
    package static let endpointSlices = named("discovery.k8s.io", "endpointslices", "EndpointSlice")
    package static let ingresses = named("networking.k8s.io", "ingresses", "Ingress")
    package static let ingressClasses = named(
        "networking.k8s.io",
        "ingressclasses",
        "IngressClass",
        isNamespaced: false
    )
    package static let leases = named("coordination.k8s.io", "leases", "Lease")
    package static let customResourceDefinitions = named(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        isNamespaced: false
    )
    package static let apps = named("ballast.dev", "apps", "App", version: "v1alpha1")
    package static let releases = named("ballast.dev", "releases", "Release", version: "v1alpha1")
    package static let clusters = named("ballast.dev", "clusters", "Cluster", version: "v1alpha1", isNamespaced: false)
    package static let selfSubjectReviews = named(
        "authentication.k8s.io",
        "selfsubjectreviews",
        "SelfSubjectReview",
        isNamespaced: false
    )
    package static let selfSubjectAccessReviews = named(
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        isNamespaced: false
    )
    package static let inventories = named("ballast.dev", "inventories", "Inventory", version: "v1alpha1")
}

/// One object's address.
package struct ObjectReference: Sendable, Hashable, CustomStringConvertible {
    package var type: ResourceType
    /// `nil` for cluster-scoped objects.
    package var namespace: String?
    package var name: String

    package init(_ type: ResourceType, namespace: String? = nil, name: String) {
        self.type = type
        self.namespace = type.isNamespaced ? namespace : nil
        self.name = name
    }

    package var path: String { "\(type.path(namespace: namespace))/\(name)" }
    package var description: String { "\(type)/\(namespace.map { "\($0)/" } ?? "")\(name)" }
    /// For people: `deployment shop/web`.
    package var words: String { "\(type.kind.lowercased()) \(namespace.map { "\($0)/" } ?? "")\(name)" }
}
