// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

struct ReviewTests {
    private static let access = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    @Test("who has a certificate may do everything, and is told so; nothing is stored")
    func mayDoEverything() async throws {
        let test = try await TestServer()
        let revision = test.log.revision
        let spec: JSON = ["resourceAttributes": ["verb": "delete", "resource": "pods", "namespace": "default"]]
        let answer = await test.send("POST", Self.access, ["spec": spec])
        #expect(answer.status == 201)
        #expect(answer.json["kind"] == "SelfSubjectAccessReview")
        #expect(answer.json["spec"] == spec)
        #expect(answer.json["status"] == ["allowed": true])
        #expect(test.log.revision == revision)
        #expect(await test.send("GET", Self.access).status == 405)
        #expect(await test.send("POST", Self.access, ["spec": spec], user: nil).status == 403)
    }

    @Test("a question about nothing, or about two things, is refused")
    func malformed() async throws {
        let test = try await TestServer()
        let nothing = await test.send("POST", Self.access, ["spec": [:]])
        #expect(nothing.status == 422)
        #expect(
            nothing.message.contains("exactly one of nonResourceAttributes or resourceAttributes must be specified")
        )
        let both: JSON = [
            "resourceAttributes": ["verb": "get"], "nonResourceAttributes": ["path": "/", "verb": "get"],
        ]
        #expect(await test.send("POST", Self.access, ["spec": both]).status == 422)
    }

    @Test("the sender is told who he is")
    func whoAmI() async throws {
        let test = try await TestServer()
        let answer = await test.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", [:])
        #expect(answer.status == 201)
        #expect(
            answer.json[path: "status", "userInfo"]
                == ["username": "admin", "groups": ["system:masters", "system:authenticated"]]
        )
    }

    @Test("an evicted pod goes as a deleted one does")
    func eviction() async throws {
        let test = try await TestServer()
        let pods = "/api/v1/namespaces/default/pods"
        let pod: JSON = [
            "metadata": ["name": "a"], "spec": ["nodeName": "n1", "containers": [["name": "main", "image": "a:1"]]],
        ]
        _ = await test.send("POST", pods, pod)
        let eviction: JSON = [
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": "a", "namespace": "default"],
        ]
        #expect(await test.send("POST", "\(pods)/a/eviction", eviction).status == 201)
        let left = await test.send("GET", "\(pods)/a").json
        #expect(left[path: "metadata", "deletionTimestamp"]?.string != nil)
        let list = await test.send("GET", "/api/v1").json["resources"]?.array ?? []
        let entry = list.first { $0["name"] == "pods/eviction" }
        #expect(entry?["group"] == "policy" && entry?["version"] == "v1" && entry?["kind"] == "Eviction")
        #expect(await test.send("POST", "\(pods)/ghost/eviction", ["metadata": ["name": "ghost"]]).status == 404)
    }
}
