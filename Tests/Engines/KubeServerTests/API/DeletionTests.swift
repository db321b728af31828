// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

struct DeletionTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private func pod(_ node: String?) -> JSON {
        var spec: JSON = ["containers": [["name": "c", "image": "x"]], "terminationGracePeriodSeconds": 7]
        if let node { spec["nodeName"] = .string(node) }
        return ["metadata": ["name": "p"], "spec": spec]
    }

    @Test("a pod on a node is marked, and gone once the node says so")
    func podsStopGracefully() async throws {
        let test = try await TestServer()
        let made = await test.send("POST", Self.pods, pod("n")).json
        let marked = await test.send("DELETE", "\(Self.pods)/p").json
        #expect(marked[path: "metadata", "deletionGracePeriodSeconds"] == 7)
        #expect(await test.send("GET", "\(Self.pods)/p").status == 200)
        let uid = made[path: "metadata", "uid"] ?? ""
        let last: JSON = ["gracePeriodSeconds": 0, "preconditions": ["uid": uid]]
        #expect(await test.send("DELETE", "\(Self.pods)/p", last).status == 200)
        #expect(await test.send("GET", "\(Self.pods)/p").status == 404)
    }

    @Test("an object with a finalizer lingers until it is removed, and watchers see both")
    func finalizersHold() async throws {
        let test = try await TestServer()
        let maps = "/api/v1/namespaces/default/configmaps"
        _ = await test.send("POST", maps, ["metadata": ["name": "a", "finalizers": ["x.io/hold"]]])
        let start = test.log.revision
        _ = await test.send("DELETE", "\(maps)/a")
        let patch: JSON = ["metadata": ["finalizers": .null]]
        _ = await test.send("PATCH", "\(maps)/a", patch, contentType: "application/merge-patch+json")
        var kinds: [LogEvent.Kind] = []
        for await event in try test.log.watch(prefix: "/registry/configmaps/", after: start) {
            kinds.append(event.kind)
            if event.kind == .deleted { break }
        }
        #expect(kinds == [.updated, .deleted])
    }

    @Test("a namespace goes through Terminating and needs its finalizer removed")
    func namespacesTerminate() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", "/api/v1/namespaces", ["metadata": ["name": "n"]])
        let gone = await test.send("DELETE", "/api/v1/namespaces/n").json
        #expect(gone[path: "status", "phase"] == "Terminating")
        let refused = await test.send("POST", "/api/v1/namespaces/n/configmaps", ["metadata": ["name": "a"]])
        #expect(refused.status == 403)
        let finalize = await test.send(
            "PUT",
            "/api/v1/namespaces/n/finalize",
            ["metadata": ["name": "n"], "spec": ["finalizers": []]]
        )
        #expect(finalize.status == 200)
        #expect(await test.send("GET", "/api/v1/namespaces/n").status == 404)
    }

    @Test("namespaces that a cluster cannot do without may not be deleted")
    func immortalNamespaces() async throws {
        let test = try await TestServer()
        let answer = await test.send("DELETE", "/api/v1/namespaces/default")
        #expect(answer.status == 403)
        #expect(answer.message == "namespaces \"default\" is forbidden: this namespace may not be deleted")
    }

    @Test("a grace period beyond all measure is shortened, not fatal")
    func hugeGracePeriods() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", Self.pods, pod("n"))
        let answer = await test.send("DELETE", "\(Self.pods)/p?gracePeriodSeconds=9223372036854775807")
        #expect(answer.status == 200)
        #expect(answer.json[path: "metadata", "deletionTimestamp"]?.string != nil)
    }

    @Test("jobs leave their pods alone by default, and say so")
    func jobsOrphan() async throws {
        let test = try await TestServer()
        let jobs = "/apis/batch/v1/namespaces/default/jobs"
        let template: JSON = ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "x"]]]]
        _ = await test.send("POST", jobs, ["metadata": ["name": "j"], "spec": ["template": template]])
        let answer = await test.send("DELETE", "\(jobs)/j")
        #expect(answer.json[path: "metadata", "finalizers"] == ["orphan"])
        #expect(answer.warnings.first?.hasPrefix("child pods are preserved by default") == true)
    }

    @Test("a collection is removed in one namespace, never in all of them at once")
    func collectionsOfOneNamespace() async throws {
        let test = try await TestServer()
        let maps = "/api/v1/namespaces/default/configmaps"
        _ = await test.send("POST", maps, ["metadata": ["name": "a"]])
        #expect(await test.send("DELETE", "/api/v1/configmaps").status == 405)
        #expect(await test.send("GET", "\(maps)/a").status == 200)
        #expect(await test.send("DELETE", maps).status == 200)
        #expect(await test.send("GET", "\(maps)/a").status == 404)
    }

    @Test("events go an hour after something was last added to them")
    func eventsExpire() async throws {
        let test = try await TestServer()
        let events = "/api/v1/namespaces/default/events"
        func event(_ name: JSON, _ last: JSON) -> JSON {
            [
                "metadata": ["name": name], "reason": "R", "message": "m", "type": "Normal",
                "involvedObject": ["kind": "Pod", "namespace": "default", "name": "p"], "lastTimestamp": last,
            ]
        }
        let start = test.now.value
        #expect(await test.send("POST", events, event("early", .string(start.description))).status == 201)
        let later = start + .seconds(1800)
        #expect(await test.send("POST", events, event("late", .string(later.description))).status == 201)
        test.now.value = start + .seconds(3599)
        await test.server.expireEvents()
        #expect(await test.send("GET", events).json["items"]?.array?.count == 2)
        test.now.value = start + .seconds(3600)
        await test.server.expireEvents()
        let left = await test.send("GET", events).json["items"]?.array ?? []
        #expect(left.map { $0[path: "metadata", "name"] } == ["late"])
    }

    @Test("a definition's objects go with it, and its resources are no longer served")
    func definitionsTakeTheirObjects() async throws {
        let test = try await TestServer()
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        #expect(await test.send("POST", definitions, Self.definition).status == 201)
        let things = "/apis/x.io/v1/namespaces/default/things"
        #expect(
            await test.send("POST", things, ["apiVersion": "x.io/v1", "kind": "Thing", "metadata": ["name": "a"]])
                .status == 201
        )
        // A server over the same log serves them too.
        let again = try KubernetesServer(log: test.log, clock: WallClock { Timestamp(seconds: 1_800_000_000) })
        #expect(again.catalog.snapshot.resource(group: "x.io", version: "v1", plural: "things") != nil)
        #expect(await test.send("DELETE", "\(definitions)/things.x.io").status == 200)
        #expect(await test.send("GET", things).status == 404)
        #expect(await test.send("GET", "\(definitions)/things.x.io").status == 404)
        #expect(try test.log.list(prefix: "/registry/x.io/").items.isEmpty)
    }

    @Test("a definition waits for an object that a finalizer holds, which stays served; none comes anew")
    func definitionsWaitForFinalizers() async throws {
        let test = try await TestServer()
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        _ = await test.send("POST", definitions, Self.definition)
        let (things, one) = (Self.things, "\(Self.things)/one")
        func thing(_ name: JSON, _ finalizers: JSON) -> JSON {
            ["apiVersion": "x.io/v1", "kind": "Thing", "metadata": ["name": name, "finalizers": finalizers]]
        }
        #expect(await test.send("POST", things, thing("one", ["x.io/hold"])).status == 201)
        #expect(await test.send("POST", things, thing("two", [])).status == 201)
        _ = await test.send("DELETE", "\(definitions)/things.x.io")

        let leaving = await test.send("GET", "\(definitions)/things.x.io").json
        #expect(leaving[path: "metadata", "finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"])
        #expect(await test.send("GET", one).json[path: "metadata", "deletionTimestamp"] != nil)
        #expect(await test.send("GET", "\(things)/two").status == 404)
        let late = await test.send("POST", things, thing("three", []))
        #expect(late.status == 405)
        #expect(late.message == "create not allowed while custom resource definition is terminating")

        let release: JSON = ["metadata": ["finalizers": .null]]
        _ = await test.send("PATCH", one, release, contentType: "application/merge-patch+json")
        #expect(await test.send("GET", "\(definitions)/things.x.io").status == 404)
        #expect(await test.send("GET", one).status == 404)
        #expect(await test.send("POST", definitions, Self.definition).status == 201)
        #expect(await test.send("GET", things).json["items"] == [])
    }

    @Test("a definition that waits for a name gets it when the other goes")
    func namesBecomeFree() async throws {
        let test = try await TestServer()
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        _ = await test.send("POST", definitions, Self.definition)
        var second = Self.definition
        second.set("others.x.io", at: ["metadata", "name"])
        second.set("others", at: ["spec", "names", "plural"])
        #expect(await test.send("POST", definitions, second).status == 201)
        #expect(await test.send("GET", Self.things.replacing("things", with: "others")).status == 404)
        _ = await test.send("DELETE", "\(definitions)/things.x.io")
        #expect(await test.send("GET", Self.things.replacing("things", with: "others")).status == 200)
    }

    private static let things = "/apis/x.io/v1/namespaces/default/things"

    static let definition: JSON = [
        "metadata": ["name": "things.x.io"],
        "spec": [
            "group": "x.io", "scope": "Namespaced", "names": ["plural": "things", "kind": "Thing"],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true,
                    "schema": [
                        "openAPIV3Schema": [
                            "type": "object",
                            "properties": ["spec": ["type": "object", "properties": ["size": ["type": "integer"]]]],
                        ]
                    ],
                ]
            ],
        ],
    ]
}
