// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("the PriorityClass kind")
struct PriorityClassTests {
    private static let path = "/apis/scheduling.k8s.io/v1/priorityclasses"

    private func create(_ test: TestServer, _ name: String, _ members: JSON) async -> APIResponse {
        var object: JSON = [
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": .string(name)],
        ]
        for (key, value) in members.object ?? [:] { object[key] = value }
        return await test.send("POST", Self.path, object)
    }

    private func pod(_ test: TestServer, _ name: String, _ members: JSON = [:]) async -> APIResponse {
        var object: JSON = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name)],
            "spec": ["containers": [["name": "m", "image": "x"]]],
        ]
        for (key, value) in members.object ?? [:] { object.set(value, at: ["spec", key]) }
        return await test.send("POST", "/api/v1/namespaces/default/pods", object)
    }

    @Test("a pod gets the number and the manners of its class, or of the default one")
    func pods() async throws {
        let test = try await TestServer()
        #expect(await create(test, "high", ["value": 1000, "preemptionPolicy": "Never"]).status == 201)
        let named = await pod(test, "a", ["priorityClassName": "high"]).json
        #expect(named[path: "spec", "priority"] == 1000)
        #expect(named[path: "spec", "preemptionPolicy"] == "Never")
        #expect(await pod(test, "b").json[path: "spec", "priority"] == 0)
        #expect(await create(test, "usual", ["value": 5, "globalDefault": true]).status == 201)
        let usual = await pod(test, "c").json
        #expect(usual[path: "spec", "priority"] == 5 && usual[path: "spec", "priorityClassName"] == "usual")
        let critical = await pod(test, "d", ["priorityClassName": "system-node-critical"]).json
        #expect(critical[path: "spec", "priority"] == 2_000_001_000)
        let wrong = await pod(test, "e", ["priorityClassName": "high", "priority": 7])
        #expect(wrong.status == 403)
        #expect(wrong.message.contains("the integer value of priority (7) must not be provided in pod spec"))
        let unknown = await pod(test, "f", ["priorityClassName": "none"])
        #expect(unknown.message == "pods \"f\" is forbidden: no PriorityClass with name none was found")
    }

    @Test("system names and values are kept, values do not change, one class is the default")
    func rules() async throws {
        let test = try await TestServer()
        #expect(
            await create(test, "big", ["value": 1_000_000_001]).message.hasSuffix(
                "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
            )
        )
        #expect(await create(test, "system-mine", ["value": 1]).message.contains("reserved for system use only"))
        #expect(await create(test, "a", ["value": 1, "globalDefault": true]).status == 201)
        let second = await create(test, "b", ["value": 1, "globalDefault": true])
        #expect(
            second.message == "priorityclasses.scheduling.k8s.io \"b\" is forbidden: PriorityClass a is already "
                + "marked as default. Only one default can exist"
        )
        let change = await test.send(
            "PATCH",
            "\(Self.path)/a",
            ["value": 2],
            contentType: "application/merge-patch+json"
        )
        #expect(change.message.hasSuffix("value: Forbidden: may not be changed in an update."))
    }
}
