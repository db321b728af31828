// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// What the real server answers to the same objects of other kinds.
@Suite("rules for kinds")
struct KindRuleTests {
    private func server() async throws -> TestServer {
        try await TestServer {
            $0.requiresServiceAccounts = false
            $0.refusesUnsupportedPods = false
            $0.refusesUDPServices = false
        }
    }

    private static let space = "/namespaces/default/"
    private static let template =
        #""template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}"#

    @Test(
        "an object that says too much or too little is refused in the real words",
        arguments: [
            (
                "/api/v1\(space)services", #"{"ports":[{"port":80}],"clusterIPs":["10.96.0.9"]}"#,
                #"spec.clusterIPs: Invalid value: ["10.96.0.9"]: must be empty when `clusterIP` is not specified"#
            ),
            (
                "/api/v1\(space)services", #"{"ports":[{"port":80}],"ipFamilyPolicy":"RequireDualStack"}"#,
                #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
            ),
            (
                "/api/v1\(space)services", #"{"ports":[{"name":"a","port":80},{"name":"b","port":80}]}"#,
                #"spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#
            ),
            (
                "/api/v1/persistentvolumes",
                #"{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"csi":{"driver":"d"}}"#,
                "spec.csi.volumeHandle: Required value"
            ),
            (
                "/api/v1/persistentvolumes",
                #"{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"local":{"path":"/x"}}"#,
                "spec.nodeAffinity: Required value: Local volume requires node affinity"
            ),
            (
                "/api/v1/nodes", #"{"taints":[{"key":"a","effect":"NoSchedule"},{"key":"a","effect":"NoSchedule"}]}"#,
                #"metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: "#
                    + "taints must be unique by key and effect pair"
            ),
            (
                "/api/v1/namespaces", #"{"finalizers":["odd"]}"#,
                #"spec.finalizers: Invalid value: "odd": name is neither a standard finalizer name nor is it fully qualified"#
            ),
            (
                "/apis/networking.k8s.io/v1\(space)ingresses",
                #"{"rules":[{"http":{"paths":[{"path":"/","pathType":"Prefix","backend":{}}]}}]}"#,
                #"spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required"#
            ),
            (
                "/apis/networking.k8s.io/v1\(space)networkpolicies",
                #"{"podSelector":{},"ingress":[{"ports":[{"port":80,"endPort":70}]}]}"#,
                "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"
            ),
            (
                "/apis/policy/v1\(space)poddisruptionbudgets", #"{"minAvailable":1,"maxUnavailable":1}"#,
                #"spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: "#
                    + "minAvailable and maxUnavailable cannot be both set"
            ),
            (
                "/apis/batch/v1\(space)jobs", #"{"managedBy":"x",\#(template)}"#,
                #"spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")"#
            ),
            (
                "/apis/batch/v1\(space)jobs", #"{"successPolicy":{"rules":[{}]},\#(template)}"#,
                #"spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":null}]}: "#
                    + "requires indexed completion mode"
            ),
            (
                "/apis/autoscaling/v2\(space)horizontalpodautoscalers",
                #"{"maxReplicas":2,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"},"metrics":"#
                    + #"[{"type":"External","external":{"metric":{"name":"a/b"},"target":{"type":"Value","value":"1"}}}]}"#,
                #"spec.metrics[0].external.metric.name: Invalid value: "a/b": may not contain '/'"#
            ),
        ]
    )
    func refusals(_ path: String, _ spec: String, _ problem: String) async throws {
        let body = #"{"metadata":{"name":"x"},"spec":\#(spec)}"#
        let answer = await (try server()).send("POST", path, bytes: Array(body.utf8))
        #expect(answer.status == 422)
        #expect(answer.message.hasSuffix(#""x" is invalid: \#(problem)"#), "\(answer.message)")
    }

    @Test func whatTheServerCannotTellFromNothingIsLeftOut() async throws {
        let spec =
            #"{"hostNetwork":false,"subdomain":"","containers":[{"name":"c","image":"i","tty":false,"#
            + #""env":[{"name":"E","value":""}],"securityContext":{"privileged":false}}],"automountServiceAccountToken":false}"#
        let answer = await (try server()).send(
            "POST",
            "/api/v1/namespaces/default/pods",
            bytes: Array(#"{"metadata":{"name":"x","generateName":""},"spec":\#(spec)}"#.utf8)
        )
        let pod = answer.json
        #expect(pod[path: "spec", "hostNetwork"] == nil && pod[path: "spec", "subdomain"] == nil)
        #expect(pod[path: "metadata", "generateName"] == nil)
        let container = pod[path: "spec", "containers"]?[0] ?? [:]
        #expect(container["tty"] == nil && container["env"] == [["name": "E"]])
        // What is a pointer there says something even where it is zero.
        #expect(container[path: "securityContext", "privileged"] == false)
        #expect(pod[path: "spec", "automountServiceAccountToken"] == false)
    }

    @Test func aListThatMayNotBeLeftOutIsPrintedAsNullWhereItIsEmpty() async throws {
        let test = try await server()
        let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
        let given = await test.send("POST", roles, ["metadata": ["name": "given"], "rules": []])
        #expect(given.json["rules"] == JSON.null)
        let fields = given.json[path: "metadata", "managedFields"]?[0]?["fieldsV1"]
        #expect(fields == ["f:rules": [:]])
        let without = await test.send("POST", roles, ["metadata": ["name": "without"]])
        #expect(without.json["rules"] == JSON.null)
        #expect(without.json[path: "metadata", "managedFields"] == nil)
    }

    @Test func momentsOfLeasesHaveSixDigits() async throws {
        let test = try await server()
        let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
        for (text, rest, element) in [
            ("2026-01-01T00:00:00Z", "Z", ".000000"), ("2026-01-01T00:00:00.123456789Z", "789Z", "Z07:00"),
        ] {
            let answer = await test.send(
                "POST",
                leases,
                ["metadata": ["name": "l"], "spec": ["renewTime": .string(text)]]
            )
            #expect(answer.status == 400)
            #expect(answer.message.hasSuffix(#"cannot parse "\#(rest)" as "\#(element)""#), "\(answer.message)")
        }
        let good: JSON = ["metadata": ["name": "l"], "spec": ["renewTime": "2026-01-01T00:00:00.000001Z"]]
        #expect(await test.send("POST", leases, good).status == 201)
    }

    @Test func eventsOfTheNewerGroupSayWhoReportsWhat() async throws {
        let test = try await server()
        let events = "/apis/events.k8s.io/v1/namespaces/default/events"
        let bare: JSON = ["metadata": ["name": "e"], "regarding": ["namespace": "default"]]
        let refused = await test.send("POST", events, bare)
        #expect(
            refused.message
                == #"Event "e" is invalid: [eventTime: Required value, type: Invalid value: "": has invalid value: ]"#
        )
        var whole = bare
        for (member, value) in [
            ("eventTime", "2026-01-01T00:00:00.000000Z"), ("type", "Normal"), ("reason", "R"), ("action", "A"),
            ("reportingController", "x.io/c"), ("reportingInstance", "c-1"),
        ] {
            whole[member] = .string(value)
        }
        let made = await test.send("POST", events, whole)
        #expect(made.status == 201)
        let fields = made.json[path: "metadata", "managedFields"]?[0]
        #expect(fields?["apiVersion"] == "events.k8s.io/v1")
        #expect(fields?[path: "fieldsV1", "f:reportingController"] == [:])
    }

    @Test func aBalancerThatKeepsTrafficLocalGetsAPortForHealthChecks() async throws {
        let test = try await server()
        let spec: JSON = ["type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [["port": 80]]]
        let answer = await test.send(
            "POST",
            "/api/v1/namespaces/default/services",
            ["metadata": ["name": "s"], "spec": spec]
        )
        let port = answer.json[path: "spec", "healthCheckNodePort"]?.int ?? 0
        #expect((30_000...32_767).contains(port))
        let other = answer.json[path: "spec", "ports"]?[0]?["nodePort"]?.int
        #expect(other != port)
    }
}
