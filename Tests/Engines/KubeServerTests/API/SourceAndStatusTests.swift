// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// What claims are filled from, where balancers listen, and what objects say of themselves.
@Suite("sources and statuses")
struct SourceAndStatusTests {
    private static let space = "/api/v1/namespaces/default"
    private static let merge = "application/merge-patch+json"

    private func server() async throws -> TestServer { try await TestServer { $0.requiresServiceAccounts = false } }

    @Test func aClaimsSourceHasTwoNames() async throws {
        let test = try await server()
        let claim: JSON = ["kind": "PersistentVolumeClaim", "name": "y"]
        let other: JSON = ["apiGroup": "a.b", "kind": "X", "name": "y"]
        let foreign: JSON = ["kind": "X", "name": "y"]
        for (given, source, older, newer) in [
            ("dataSource", claim, "y", "y"), ("dataSourceRef", other, "y", "y"), ("dataSource", foreign, nil, nil),
        ] as [(String, JSON, String?, String?)] {
            var spec: JSON = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
            spec[given] = source
            let object: JSON = ["metadata": ["name": "c"], "spec": spec]
            let answer = await test.send("POST", "\(Self.space)/persistentvolumeclaims?dryRun=All", object)
            #expect(answer.status == 201, "\(answer.message)")
            #expect(answer.json[path: "spec", "dataSource", "name"]?.string == older)
            #expect(answer.json[path: "spec", "dataSourceRef", "name"]?.string == newer)
        }
    }

    @Test func onlyBalancersListenSomewhere() async throws {
        let test = try await server()
        for (name, type) in [("plain", "ClusterIP"), ("balanced", "LoadBalancer")] {
            let spec: JSON = ["type": .string(type), "ports": [["port": 80]]]
            let object: JSON = ["metadata": ["name": .string(name)], "spec": spec]
            #expect(await test.send("POST", "\(Self.space)/services", object).status == 201)
        }
        func listen(_ name: String, _ entries: JSON) async -> APIResponse {
            let change: JSON = ["status": ["loadBalancer": ["ingress": entries]]]
            return await test.send("PATCH", "\(Self.space)/services/\(name)/status", change, contentType: Self.merge)
        }
        let at = #"Service "balanced" is invalid: status.loadBalancer.ingress[0]"#
        #expect(
            await listen("plain", [["ip": "10.0.0.1"]]).message
                == #"Service "plain" is invalid: status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"#
        )
        #expect(await listen("balanced", [["ip": "nowhere"]]).message.hasPrefix("\(at).ip: Invalid value"))
        #expect(
            await listen("balanced", [["ip": "10.0.0.1", "ipMode": "Odd"]]).message
                == #"\#(at).ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP""#
        )
        #expect(await listen("balanced", [["ip": "10.0.0.1"]]).status == 200)
    }

    @Test func aListOfAnyVersionIsWhole() async throws {
        let test = try await server()
        let path = "\(Self.space)/secrets"
        for name in ["a", "b", "c"] { _ = await test.send("POST", path, ["metadata": ["name": .string(name)]]) }
        for (query, count) in [("limit=2", 2), ("limit=2&resourceVersion=0", 3)] {
            #expect(await test.send("GET", "\(path)?\(query)").json["items"]?.array?.count == count)
        }
    }

    @Test func customResourcesAndWhatTheyHoldSayWhatTheyAre() async throws {
        let test = try await server()
        let inner: JSON = [
            "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
        ]
        let schema: JSON = ["type": "object", "properties": ["inner": inner]]
        let version: JSON = ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]
        let spec: JSON = [
            "group": "x.example.com", "scope": "Namespaced", "names": ["plural": "boxes", "kind": "Box"],
            "versions": [version],
        ]
        let definition: JSON = ["metadata": ["name": "boxes.x.example.com"], "spec": spec]
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        #expect(await test.send("POST", definitions, definition).status == 201)
        let boxes = "/apis/x.example.com/v1/namespaces/default/boxes"
        var box: JSON = ["apiVersion": "x.example.com/v1", "metadata": ["name": "b"], "inner": ["spec": [:]]]
        let nameless = await test.send("POST", boxes, box)
        #expect(nameless.status == 400)
        #expect(
            nameless.message.hasPrefix(
                "the object provided is unrecognized (must be of type Box): Object 'Kind' is missing in '{"
            )
        )
        box["kind"] = "Box"
        let refused = await test.send("POST", boxes, box)
        #expect(
            refused.message
                == #"Box.x.example.com "b" is invalid: [inner.apiVersion: Required value, inner.kind: Required value]"#
        )
        box["inner"] = ["apiVersion": "v1", "kind": "Any"]
        #expect(await test.send("POST", boxes, box).status == 201)
    }

    @Test func labelsOfAJobAreObjectedToOnce() async throws {
        let test = try await server()
        let template: JSON = ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]]]
        func job(_ name: String) -> JSON { ["metadata": ["name": .string(name)], "spec": ["template": template]] }
        let jobs = "/apis/batch/v1/namespaces/default/jobs"
        let long = await test.send("POST", jobs, job(String(repeating: "x", count: 64)))
        #expect(long.status == 422 && !long.message.contains("metadata.labels"))
        let good = await test.send("POST", jobs, job("short"))
        #expect(good.json[path: "metadata", "labels", "job-name"] == "short")
    }
}
