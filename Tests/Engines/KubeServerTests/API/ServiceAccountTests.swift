// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

@Suite("service accounts of pods", .timeLimit(.minutes(5)))
struct ServiceAccountTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let accounts = "/api/v1/namespaces/default/serviceaccounts"

    private static func pod(_ name: String, _ spec: JSON = [:]) -> JSON {
        var pod: JSON = [
            "metadata": ["name": .string(name)], "spec": ["containers": [["name": "main", "image": "a:1"]]],
        ]
        for (key, value) in spec.object ?? [:] { pod.set(value, at: ["spec", key]) }
        return pod
    }

    @Test("a pod that names no account acts as 'default', under both names of the field")
    func defaults() async throws {
        let test = try await TestServer()
        let spec = await test.send("POST", Self.pods, Self.pod("a")).json["spec"]
        #expect(spec?["serviceAccountName"] == "default")
        #expect(spec?["serviceAccount"] == "default")
        #expect(spec?["volumes"] == nil, "no token is mounted while none is issued")
        _ = await test.send("POST", Self.accounts, ["metadata": ["name": "robot"]])
        let named = await test.send("POST", Self.pods, Self.pod("b", ["serviceAccount": "robot"])).json["spec"]
        #expect(named?["serviceAccountName"] == "robot")
    }

    @Test("a pod whose account is missing is refused in the real server's words")
    func missing() async throws {
        let test = try await TestServer()
        var pod = Self.pod("a", ["serviceAccountName": "ghost"])
        let refused = await test.send("POST", Self.pods, pod)
        #expect(refused.status == 403)
        #expect(refused.json["reason"] == "Forbidden")
        #expect(
            refused.message
                == "pods \"a\" is forbidden: error looking up service account default/ghost: serviceaccount \"ghost\" not found"
        )
        pod["metadata"] = ["generateName": "web-"]
        let generated = await test.send("POST", Self.pods, pod)
        #expect(
            generated.message.hasPrefix("pods \"web-\" is forbidden: error looking up service account default/ghost")
        )
    }

    @Test("pull secrets of the account go to pods that name none of their own")
    func pullSecrets() async throws {
        let test = try await TestServer()
        let secrets: JSON = ["imagePullSecrets": [["name": "one"], ["name": "two"]]]
        _ = await test.send(
            "PATCH",
            "\(Self.accounts)/default",
            secrets,
            contentType: "application/merge-patch+json"
        )
        let given = await test.send("POST", Self.pods, Self.pod("a")).json["spec"]
        #expect(given?["imagePullSecrets"] == secrets["imagePullSecrets"])
        let own: JSON = ["imagePullSecrets": [["name": "mine"]]]
        let kept = await test.send("POST", Self.pods, Self.pod("b", own)).json["spec"]
        #expect(kept?["imagePullSecrets"] == own["imagePullSecrets"])
    }

    @Test("a pod in a new namespace waits for the account that its controller makes")
    func waits() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", "/api/v1/namespaces", ["metadata": ["name": "new"]])
        let pods = "/api/v1/namespaces/new/pods"
        async let answer = test.send("POST", pods, Self.pod("a"))
        try await test.addServiceAccount("new")
        #expect(await answer.status == 201)
    }

    @Test("a pod waits for its default account only so long")
    func gives() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", "/api/v1/namespaces", ["metadata": ["name": "new"]])
        let refused = await test.send("POST", "/api/v1/namespaces/new/pods", Self.pod("a"))
        #expect(refused.status == 403)
        #expect(refused.message.hasSuffix("service account new/default: serviceaccount \"default\" not found"))
    }

    @Test("an account that limits its secrets keeps pods from using others")
    func mountable() async throws {
        let test = try await TestServer()
        let account: JSON = [
            "metadata": ["name": "strict", "annotations": ["kubernetes.io/enforce-mountable-secrets": "true"]],
            "secrets": [["name": "mine"]],
        ]
        _ = await test.send("POST", Self.accounts, account)
        func spec(_ secret: String) -> JSON {
            ["serviceAccountName": "strict", "volumes": [["name": "v", "secret": ["secretName": .string(secret)]]]]
        }
        let refused = await test.send("POST", Self.pods, Self.pod("a", spec("other")))
        #expect(refused.status == 403)
        #expect(
            refused.message.hasSuffix(
                "volume with secret.secretName=\"other\" is not allowed because service account strict does not reference "
                    + "that secret"
            )
        )
        #expect(await test.send("POST", Self.pods, Self.pod("b", spec("mine"))).status == 201)
    }

    @Test("where tokens are issued, each container gets one, unless the pod or its account says no")
    func tokens() async throws {
        let test = try await TestServer { $0.mountsServiceAccountTokens = true }
        let spec = await test.send("POST", Self.pods, Self.pod("a")).json["spec"]
        let volume = spec?["volumes"]?[0]
        let name = volume?["name"]?.string ?? ""
        #expect(name.hasPrefix("kube-api-access-") && name.utf8.count == 21)
        let sources = volume?[path: "projected", "sources"]
        #expect(sources?[0]?["serviceAccountToken"] == ["expirationSeconds": 3607, "path": "token"])
        #expect(sources?[1]?["configMap"]?["name"] == "kube-root-ca.crt")
        #expect(sources?[2]?["downwardAPI"]?["items"]?[0]?["path"] == "namespace")
        let mount = spec?["containers"]?[0]?["volumeMounts"]?[0]
        #expect(mount?["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount")
        #expect(mount?["name"]?.string == name)
        let without = await test.send("POST", Self.pods, Self.pod("b", ["automountServiceAccountToken": false])).json
        #expect(without[path: "spec", "volumes"] == nil)
    }
}
