// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("limit ranges")
struct LimitRangeTests {
    private let path = "/api/v1/namespaces/default/limitranges"

    private func create(_ server: TestServer, _ limits: [JSON], name: String = "lr") async -> APIResponse {
        await server.send("POST", path, ["metadata": ["name": .string(name)], "spec": ["limits": .array(limits)]])
    }

    private func pod(_ resources: [JSON]) -> JSON {
        let containers = resources.enumerated().map { place, resources in
            ["name": .string("c\(place)"), "image": "i", "resources": resources] as JSON
        }
        return ["metadata": ["name": "p"], "spec": ["containers": .array(containers)]]
    }

    private func send(_ server: TestServer, _ pod: JSON) async -> APIResponse {
        await server.send("POST", "/api/v1/namespaces/default/pods", pod)
    }

    @Test func containersGetWhatTheyDoNotAskFor() async throws {
        let server = try await TestServer()
        let made = await create(server, [["type": "Container", "max": ["cpu": "2"], "min": ["memory": "8Mi"]]])
        #expect(made.json[path: "spec", "limits"]?[0]?["defaultRequest"] == ["cpu": "2", "memory": "8Mi"])
        let pod = await send(server, pod([["limits": ["cpu": "1"]], [:]]))
        #expect(pod.status == 201, "\(pod.message)")
        let containers = pod.json[path: "spec", "containers"]?.array ?? []
        #expect(containers.first?["resources"] == ["limits": ["cpu": "1"], "requests": ["cpu": "1", "memory": "8Mi"]])
        #expect(containers.last?["resources"] == ["limits": ["cpu": "2"], "requests": ["cpu": "2", "memory": "8Mi"]])
        #expect(
            pod.json[path: "metadata", "annotations", "kubernetes.io/limit-ranger"]?.string
                == "LimitRanger plugin set: memory request for container c0; cpu, memory request for container c1; "
                + "cpu limit for container c1"
        )
        #expect(pod.json[path: "metadata", "managedFields"]?[0]?["fieldsV1"]?.text.contains("limit-ranger") == false)
    }

    @Test(
        arguments: [
            (
                ["type": "Container", "min": ["cpu": "100m"]], ["requests": ["cpu": "50m"]],
                "minimum cpu usage per Container is 100m, but request is 50m"
            ),
            (
                ["type": "Container", "max": ["cpu": "1"]], ["limits": ["cpu": "2"]],
                "maximum cpu usage per Container is 1, but limit is 2"
            ),
            (
                ["type": "Pod", "max": ["memory": "1Gi"]], [:],
                "maximum memory usage per Pod is 1Gi.  No limit is specified"
            ),
            (
                ["type": "Container", "maxLimitRequestRatio": ["memory": "2"]],
                ["requests": ["memory": "1Gi"], "limits": ["memory": "4Gi"]],
                "memory max limit to request ratio per Container is 2, but provided ratio is 4.000000"
            ),
        ] as [(JSON, JSON, String)]
    )
    func podsBeyondALimitAreRefused(_ limit: JSON, _ resources: JSON, _ why: String) async throws {
        let server = try await TestServer()
        #expect(await create(server, [limit]).status == 201)
        let refused = await send(server, pod([resources]))
        #expect(refused.status == 403)
        #expect(refused.message == "pods \"p\" is forbidden: \(why)")
    }

    @Test func severalObjectionsAreSaidTogether() async throws {
        let server = try await TestServer()
        _ = await create(server, [["type": "Pod", "max": ["cpu": "1", "memory": "1Gi"]]])
        let limits: JSON = ["limits": ["cpu": "1", "memory": "1Gi"]]
        #expect(
            await send(server, pod([limits, limits])).message
                == "pods \"p\" is forbidden: [maximum cpu usage per Pod is 1, but limit is 2, "
                + "maximum memory usage per Pod is 1Gi, but limit is 2Gi]"
        )
    }

    @Test func claimsAreHeldToTheirStorage() async throws {
        let server = try await TestServer()
        _ = await create(server, [["type": "PersistentVolumeClaim", "max": ["storage": "1Gi"]]])
        let claim: JSON = [
            "metadata": ["name": "c"],
            "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "2Gi"]]],
        ]
        let refused = await server.send("POST", "/api/v1/namespaces/default/persistentvolumeclaims", claim)
        #expect(refused.message.hasSuffix("maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"))
    }

    @Test(
        arguments: [
            (
                ["type": "Container", "min": ["cpu": "2"], "max": ["cpu": "1"]],
                "min value 2 is greater than max value 1"
            ),
            (
                ["type": "Container", "default": ["cpu": "1"], "defaultRequest": ["cpu": "2"]],
                "default request value 2 is greater than default limit value 1"
            ),
            (["type": "Pod", "default": ["cpu": "1"]], "may not be specified when `type` is 'Pod'"),
            (["type": "Gadget"], "must be a standard limit type or fully qualified"),
            (["type": "PersistentVolumeClaim"], "either minimum or maximum storage value is required"),
            (["type": "Container", "max": ["disks": "1"]], "must be a standard resource for containers"),
            (["type": "Container", "maxLimitRequestRatio": ["cpu": "500m"]], "ratio 500m is less than 1"),
        ] as [(JSON, String)]
    )
    func whatContradictsItselfIsRefused(_ limit: JSON, _ why: String) async throws {
        let answer = await create(try await TestServer(), [limit])
        #expect(answer.status == 422)
        #expect(answer.message.contains(why), "\(answer.message)")
    }
}
