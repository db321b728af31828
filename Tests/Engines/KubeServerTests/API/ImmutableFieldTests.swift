// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Changes that are refused, with what they would have changed line by line.
@Suite("what may not change")
struct ImmutableFieldTests {
    private func server() async throws -> TestServer {
        try await TestServer {
            $0.requiresServiceAccounts = false
            $0.refusesUnsupportedPods = false
        }
    }

    private func patch(_ test: TestServer, _ path: String, _ body: JSON) async -> APIResponse {
        await test.send("PATCH", path, body, contentType: "application/merge-patch+json")
    }

    @Test func aPodsSpecShowsTheLinesThatDiffer() async throws {
        let test = try await server()
        let pods = "/api/v1/namespaces/default/pods"
        let made = await test.send(
            "POST",
            pods,
            ["metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i"]]]]
        )
        #expect(made.status == 201)
        let answer = await patch(test, "\(pods)/p", ["spec": ["hostname": "h", "hostNetwork": true]])
        #expect(answer.status == 422)
        let lines = answer.message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            lines[0].hasPrefix(
                #"Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than `spec."#
            )
        )
        #expect(lines.contains(#"-  "HostNetwork": false,"#) && lines.contains(#"+  "HostNetwork": true,"#))
        #expect(lines.contains(#"- "Hostname": "","#) && lines.contains(#"+ "Hostname": "h","#))
        let heads = lines.filter { $0.hasPrefix("@@") }
        #expect(heads.count == 2)
        #expect(lines.last == "")
    }

    @Test func aPodsTolerationsAndImagesMayGrowAndChange() async throws {
        let test = try await server()
        let pods = "/api/v1/namespaces/default/pods"
        let spec: JSON = [
            "containers": [["name": "c", "image": "i"]], "tolerations": [["key": "k", "operator": "Exists"]],
        ]
        var pod = await test.send("POST", pods, ["metadata": ["name": "p"], "spec": spec]).json
        var tolerations = pod[path: "spec", "tolerations"]?.array ?? []
        tolerations.append(["key": "more", "operator": "Exists"])
        pod.set(.array(tolerations), at: ["spec", "tolerations"])
        pod.set([["name": "c", "image": "j"]], at: ["spec", "containers"])
        pod.set(nil, at: ["metadata", "resourceVersion"])
        #expect(await test.send("PUT", "\(pods)/p", pod).status == 200)
        pod.set([], at: ["spec", "tolerations"])
        let answer = await test.send("PUT", "\(pods)/p", pod)
        #expect(
            answer.message
                == #"Pod "p" is invalid: spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"#
        )
    }

    @Test func aClaimGrowsOnceItIsBoundAndItsClassAllows() async throws {
        let test = try await server()
        let claims = "/api/v1/namespaces/default/persistentvolumeclaims"
        for (name, grows) in [("fixed", false), ("growing", true)] {
            let type: JSON = [
                "metadata": ["name": .string(name)], "provisioner": "x.io/y", "allowVolumeExpansion": .bool(grows),
            ]
            _ = await test.send("POST", "/apis/storage.k8s.io/v1/storageclasses", type)
            let spec: JSON = [
                "accessModes": ["ReadWriteOnce"], "storageClassName": .string(name),
                "resources": ["requests": ["storage": "1Gi"]],
            ]
            _ = await test.send("POST", claims, ["metadata": ["name": .string(name)], "spec": spec])
        }
        func grow(_ name: String, _ size: JSON) async -> APIResponse {
            await patch(test, "\(claims)/\(name)", ["spec": ["resources": ["requests": ["storage": size]]]])
        }
        let unbound = await grow("growing", "2Gi")
        #expect(unbound.status == 422)
        #expect(unbound.message.contains(#"-   "storage": "1Gi"\#n+   "storage": "2Gi""#), "\(unbound.message)")
        for name in ["fixed", "growing"] {
            let status: JSON = ["status": ["phase": "Bound", "capacity": ["storage": "1Gi"]]]
            _ = await patch(test, "\(claims)/\(name)/status", status)
        }
        #expect(await grow("growing", "2Gi").status == 200)
        #expect(await grow("growing", "512Mi").message.hasSuffix("field can not be less than status.capacity"))
        let refused = await grow("fixed", "2Gi")
        #expect(refused.status == 403)
        #expect(refused.message.hasSuffix("and the storageclass that provisions the pvc must support resize"))
    }

    @Test func aVolumesSourceAndAClasssFieldsStay() async throws {
        let test = try await server()
        let spec: JSON = [
            "capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"], "nfs": ["server": "s", "path": "/x"],
        ]
        _ = await test.send("POST", "/api/v1/persistentvolumes", ["metadata": ["name": "v"], "spec": spec])
        let moved = await patch(test, "/api/v1/persistentvolumes/v", ["spec": ["nfs": ["path": "/y"]]])
        #expect(moved.message.contains(#"-  "Path": "/x",\#n+  "Path": "/y","#), "\(moved.message)")
        let classes = "/apis/storage.k8s.io/v1/storageclasses"
        _ = await test.send("POST", classes, ["metadata": ["name": "c"], "provisioner": "x.io/y"])
        let changed = await patch(test, "\(classes)/c", ["provisioner": "x.io/z"])
        #expect(
            changed.message
                == #"StorageClass.storage.k8s.io "c" is invalid: provisioner: Invalid value: "x.io/z": field is immutable"#
        )
    }

    @Test func aJobsTemplateIsQuotedAsTheServerHoldsIt() async throws {
        let test = try await server()
        let jobs = "/apis/batch/v1/namespaces/default/jobs"
        let pod: JSON = ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]]
        _ = await test.send("POST", jobs, ["metadata": ["name": "j"], "spec": ["template": ["spec": pod]]])
        let answer = await patch(
            test,
            "\(jobs)/j",
            ["spec": ["template": ["spec": ["containers": [["name": "c", "image": "other"]]]]]]
        )
        #expect(answer.message.contains(#"spec.template: Invalid value: {"labels":{"#), "\(answer.message)")
        #expect(
            answer.message.contains(
                #""Spec":{"Volumes":null,"InitContainers":null,"Containers":[{"Name":"c","Image":"other""#
            )
        )
    }
}

@Suite("unified differences")
struct UnifiedDiffTests {
    @Test func linesAroundAChangeAreShownAndNearChangesShareAHunk() {
        let left = (1...20).map(String.init)
        var right = left
        right[4] = "five"
        right[9] = "ten"
        right.remove(at: 18)
        let wanted = """
            @@ -2,12 +2,12 @@
             2
             3
             4
            -5
            +five
             6
             7
             8
             9
            -10
            +ten
             11
             12
             13
            @@ -16,5 +16,4 @@
             16
             17
             18
            -19
             20

            """
        #expect(UnifiedDiff(left, right).text == wanted)
    }

    @Test func whatIsAddedToNothingBeginsAtLineZero() {
        #expect(UnifiedDiff([], ["a"]).text == "@@ -0,0 +1 @@\n+a\n")
        #expect(UnifiedDiff(["a"], ["a"]).text.isEmpty)
    }
}
