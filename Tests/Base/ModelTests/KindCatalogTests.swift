// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import Model

@Suite("kind catalog")
struct KindCatalogTests {
    let catalog = KindCatalog.standard

    func named(_ name: String) -> [String] { catalog.resources(named: name).map { "\($0.apiVersion) \($0.plural)" } }

    @Test(
        "a person's names lead to one resource",
        arguments: [
            ("deployments", "apps/v1 deployments"), ("deployment", "apps/v1 deployments"),
            ("Deployment", "apps/v1 deployments"), ("deploy", "apps/v1 deployments"),
            ("deployments.apps", "apps/v1 deployments"), ("deploy.v1.apps", "apps/v1 deployments"),
            ("events", "v1 events"), ("events.events.k8s.io", "events.k8s.io/v1 events"), ("po", "v1 pods"),
            ("hpa", "autoscaling/v2 horizontalpodautoscalers"),
            ("hpa.v1.autoscaling", "autoscaling/v1 horizontalpodautoscalers"),
            ("ingresses.networking.k8s.io", "networking.k8s.io/v1 ingresses"),
            ("crds", "apiextensions.k8s.io/v1 customresourcedefinitions"),
        ]
    )
    func names(_ name: String, _ expected: String) { #expect(named(name) == [expected]) }

    @Test("a category means all its resources, each in its preferred version")
    func category() {
        #expect(
            named("all") == [
                "v1 pods", "v1 replicationcontrollers", "v1 services", "apps/v1 daemonsets", "apps/v1 deployments",
                "apps/v1 replicasets", "apps/v1 statefulsets", "autoscaling/v2 horizontalpodautoscalers",
                "batch/v1 cronjobs", "batch/v1 jobs",
            ]
        )
    }

    @Test("nothing is called by a name of another group or version")
    func foreign() {
        #expect(named("deployments.v2.apps").isEmpty)
        #expect(named("pods.apps").isEmpty)
        #expect(named("").isEmpty)
    }

    @Test("a manifest's kind is found with its scope; another version's is not")
    func kinds() {
        #expect(catalog.resource(apiVersion: "v1", kind: "Namespace") == .namespaces)
        #expect(catalog.resource(apiVersion: "apps/v1", kind: "Deployment") == .deployments)
        #expect(catalog.resource(apiVersion: "apps/v1beta1", kind: "Deployment") == nil)
        #expect(catalog.resource(apiVersion: "v1", kind: "Deployment") == nil)
    }

    @Test(
        "a miss says what is there instead",
        arguments: [
            ("apps/v1", "Deploymnet", "; did you mean 'Deployment'?"),
            ("extensions/v1beta1", "Ingress", "; it serves it as 'networking.k8s.io/v1'"),
            ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "; it serves it as 'autoscaling/v2'"),
            ("cert-manager.io/v1", "Certificate", "; is the CustomResourceDefinition of 'cert-manager.io' installed?"),
        ]
    )
    func misses(_ apiVersion: String, _ kind: String, _ tail: String) {
        let text = catalog.miss(apiVersion: apiVersion, kind: kind)
        #expect(text == "the cluster serves no kind '\(kind)' in '\(apiVersion)'" + tail)
    }

    @Test("a group whose server is away is named as such")
    func awayGroup() {
        let catalog = KindCatalog(KindCatalog.standard.entries, missing: ["metrics.k8s.io/v1beta1"])
        let text = catalog.miss(apiVersion: "metrics.k8s.io/v1beta1", kind: "PodMetrics")
        #expect(text.hasSuffix("the server behind 'metrics.k8s.io/v1beta1' does not answer"))
    }
}
