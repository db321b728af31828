// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

@Suite("endpoint plan")
struct EndpointPlanTests {
    func service(_ ports: [JSON], spec: JSON = [:], labels: [String: String] = [:]) -> KubeObject {
        var service = KubeObject(.services, namespace: "shop", name: "web", labels: labels)
        service["spec"] = ["selector": ["app": "web"], "ports": .array(ports)]
        for (key, value) in spec.object ?? [:] { service.json.set(value, at: ["spec", key]) }
        return service
    }

    func pod(
        _ name: String,
        ip: String?,
        ready: Bool = true,
        phase: String = "Running",
        leaving: Bool = false,
        port: Int = 8080
    ) -> KubeObject {
        var pod = Sample.pod(name)
        pod.json.set(.string("uid-\(name)"), at: ["metadata", "uid"])
        pod.json.set([["name": "http", "containerPort": JSON(port), "protocol": "TCP"]], at: ["spec", "containers"])
        pod.json.set(
            [["name": "c", "ports": [["name": "http", "containerPort": JSON(port)]]]],
            at: ["spec", "containers"]
        )
        pod.json.set("n1", at: ["spec", "nodeName"])
        if leaving { pod.json.set("2026-01-01T00:00:00Z", at: ["metadata", "deletionTimestamp"]) }
        pod["status"] = [
            "phase": .string(phase), "conditions": [["type": "Ready", "status": ready ? "True" : "False"]],
        ]
        if let ip { pod.json.set(.string(ip), at: ["status", "podIP"]) }
        return pod
    }

    let port: JSON = ["name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"]

    @Test("named target ports are found on each pod, and pods on other ports get a slice of their own")
    func namedPorts() {
        let plan = EndpointPlan(
            service([port]),
            pods: [pod("a", ip: "10.0.0.1"), pod("b", ip: "10.0.0.2", port: 9090), pod("c", ip: "10.0.0.3")]
        )
        #expect(plan.groups.map { $0.ports[0]["port"] } == [8080, 9090])
        #expect(plan.groups.map { $0.endpoints.count } == [2, 1])
        #expect(plan.groups[0].ports == [["name": "web", "port": 8080, "protocol": "TCP"]])
        let first = plan.groups[0].endpoints[0]
        #expect(first["addresses"] == ["10.0.0.1"])
        #expect(first["nodeName"] == "n1")
        #expect(first["targetRef"] == ["kind": "Pod", "namespace": "shop", "name": "a", "uid": "uid-a"])
    }

    @Test("conditions tell ready, serving and terminating apart; finished pods and those without address are out")
    func conditions() {
        let pods = [
            pod("leaving", ip: "10.0.0.1", leaving: true), pod("unready", ip: "10.0.0.2", ready: false),
            pod("new", ip: nil),
            pod("done", ip: "10.0.0.4", phase: "Succeeded"),
        ]
        func states(_ spec: JSON) -> [String: JSON] {
            let endpoints = EndpointPlan(service([port], spec: spec), pods: pods).groups.flatMap(\.endpoints)
            return Dictionary(
                uniqueKeysWithValues: endpoints.map {
                    ($0["targetRef"]?["name"]?.string ?? "", $0["conditions"] ?? [:])
                }
            )
        }
        let plain = states([:])
        #expect(plain.keys.sorted() == ["leaving", "unready"])
        #expect(plain["leaving"] == ["ready": false, "serving": true, "terminating": true])
        #expect(plain["unready"] == ["ready": false, "serving": false, "terminating": false])
        #expect(states(["publishNotReadyAddresses": true])["unready"]?["ready"] == true)
    }

    @Test("a service without pods has one empty slice; slices are kept, changed and removed as pods come and go")
    func changes() throws {
        let empty = EndpointPlan(service([port]), pods: []).changes(from: [])
        #expect(empty.create.count == 1)
        #expect(empty.create[0]["endpoints"] == [])
        #expect(empty.create[0].labels["kubernetes.io/service-name"] == "web")
        #expect(empty.create[0].metadata["generateName"] == "web-")
        var stored = empty.create[0]
        stored.json.set("web-1", at: ["metadata", "name"])

        let one = EndpointPlan(service([port]), pods: [pod("a", ip: "10.0.0.1")])
        let grown = one.changes(from: [stored])
        #expect(grown.create.isEmpty)
        #expect(grown.update.map(\.name) == ["web-1"])
        let settled = one.changes(from: grown.update)
        #expect(settled.create.isEmpty && settled.update.isEmpty && settled.delete.isEmpty)

        let many = (0..<150).map { pod("p\(String($0 + 1000))", ip: "10.0.1.\($0)") }
        let split = EndpointPlan(service([port]), pods: many).changes(from: grown.update)
        #expect(split.create.count + split.update.count == 2)
        var second = split.create[0]
        second.json.set("web-2", at: ["metadata", "name"])
        #expect(one.changes(from: split.update + [second]).delete.count == 1)
    }

    @Test("a headless service says so, and passes host names on")
    func headless() {
        var named = pod("a", ip: "10.0.0.1")
        named.json.set("a", at: ["spec", "hostname"])
        named.json.set("web", at: ["spec", "subdomain"])
        let plan = EndpointPlan(service([], spec: ["clusterIP": "None"], labels: ["team": "x"]), pods: [named])
        let slice = plan.changes(from: []).create[0]
        #expect(slice.labels["service.kubernetes.io/headless"] == "")
        #expect(slice.labels["team"] == "x")
        #expect(slice["endpoints"]?[0]?["hostname"] == "a")
        #expect(slice["ports"] == [])
    }
}

@Suite("services and the edge", .timeLimit(.minutes(5)))
struct ServiceControllerTests {
    @Test("a service lists its pods as they become ready; the API has a service; an Ingress has an address")
    func services() async throws {
        var configuration = ControllerConfiguration()
        configuration.endpoint = .init(serviceAddress: "10.96.0.1", address: "10.1.0.1", port: 6443)
        configuration.rootCertificate = "PEM"
        let cluster = ControlledCluster(configuration: configuration)
        try await cluster.run { cluster in
            var service = KubeObject(.services, namespace: "shop", name: "web")
            service["spec"] = [
                "selector": ["app": "web"], "ports": [["name": "http", "port": 80, "targetPort": 8080]],
            ]
            _ = try await cluster.api.create(service, as: .services)
            _ = try await cluster.api.create(Sample.deployment("web", replicas: 2), as: .deployments)
            let slices = try await cluster.wait(.endpointSlices) { all in
                all.contains { slice in
                    let ready = (slice["endpoints"]?.array ?? []).filter { $0["conditions"]?["ready"] == true }
                    return slice.labels["kubernetes.io/service-name"] == "web" && ready.count == 2
                }
            }
            #expect(slices.contains { $0.controller?["kind"] == "Service" })

            _ = try await cluster.wait(.endpointSlices, "kubernetes") {
                $0["endpoints"]?[0]?["addresses"] == ["10.1.0.1"]
            }
            let api = try #require(cluster.api.all(.services).first { $0.name == "kubernetes" })
            #expect(api.spec["clusterIP"] == "10.96.0.1")
            #expect(api.spec["ports"]?[0]?["targetPort"] == 6443)

            _ = try await cluster.api.create(KubeObject(.ingresses, namespace: "shop", name: "web"), as: .ingresses)
            let ingress = try await cluster.wait(.ingresses, "web") { $0["status"] != nil }
            #expect(ingress.status["loadBalancer"]?["ingress"] == [["hostname": "localhost", "ip": "127.0.0.1"]])
            let classes = try await cluster.wait(.ingressClasses) { $0.contains { $0.name == "ballast" } }
            #expect(classes.first?.spec["controller"] == "ballast.dev/edge")
            let reference = ObjectReference(.ingresses, namespace: "shop", name: "web")
            _ = try await cluster.api.patch(reference, .merge, ["spec": ["ingressClassName": "nginx"]])
            _ = try await cluster.wait(.ingresses, "web") { $0.status["loadBalancer"] == [:] }
            var other = KubeObject(.ingressClasses, name: "nginx")
            other["spec"] = ["controller": "ballast.dev/edge"]
            _ = try await cluster.api.create(other, as: .ingressClasses)
            _ = try await cluster.wait(.ingresses, "web") { $0.status["loadBalancer"]?["ingress"] != nil }
        }
    }

    @Test("own namespaces exist from the start, each with its account and certificate; a removed account returns")
    func namespaces() async throws {
        var configuration = ControllerConfiguration()
        configuration.rootCertificate = "PEM"
        let cluster = ControlledCluster(configuration: configuration)
        try await cluster.run { cluster in
            _ = try await cluster.wait(.namespaces) { Set($0.map(\.name)).isSuperset(of: NamespaceController.own) }
            _ = try await cluster.wait(.serviceAccounts) { $0.count == NamespaceController.own.count }
            let certificates = try await cluster.wait(.configMaps) { $0.count == NamespaceController.own.count }
            #expect(certificates.allSatisfy { $0["data"] == ["ca.crt": "PEM"] })
            try await cluster.api.delete(ObjectReference(.serviceAccounts, namespace: "default", name: "default"))
            _ = try await cluster.wait(.serviceAccounts) { $0.count == NamespaceController.own.count }
        }
    }
}
