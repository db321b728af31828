// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

struct TokenTests {
    private static let account = "/api/v1/namespaces/default/serviceaccounts/default"

    private func server() async throws -> TestServer {
        try await TestServer(signer: HashSigner()) { $0.settlesDefaultRoles = true }
    }

    private func token(_ test: TestServer, _ spec: JSON = [:]) async throws -> String {
        let answer = await test.send("POST", "\(Self.account)/token", ["spec": spec])
        return try #require(answer.json[path: "status", "token"]?.string, "\(answer.message)")
    }

    private func whoAmI(_ test: TestServer, _ token: String) async -> APIResponse {
        await test.send(
            "POST",
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            bytes: Array("{}".utf8),
            user: nil,
            bearer: token
        )
    }

    private func pod(_ test: TestServer) async -> String {
        let pod: JSON = [
            "metadata": ["name": "p"], "spec": ["nodeName": "n", "containers": [["name": "main", "image": "a:1"]]],
        ]
        let made = await test.send("POST", "/api/v1/namespaces/default/pods", pod)
        return made.json[path: "metadata", "uid"]?.string ?? ""
    }

    @Test("an account's token speaks for the account until it ends, or the account is another one")
    func life() async throws {
        let test = try await server()
        let token = try await token(test)
        let answer = await whoAmI(test, token)
        #expect(answer.status == 201)
        let user = answer.json[path: "status", "userInfo"] ?? [:]
        #expect(user["username"] == "system:serviceaccount:default:default")
        #expect(
            user["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
        )
        test.now.value = test.now.value + .seconds(3600 + 59)
        #expect(await whoAmI(test, token).status == 201)
        test.now.value = test.now.value + .seconds(2)
        #expect(await whoAmI(test, token).json == KubeStatus.unauthorized.json)
    }

    @Test("a token that was changed, or is for somebody else's server, is refused and not taken as none")
    func forgery() async throws {
        let test = try await server()
        let token = try await token(test)
        #expect(await whoAmI(test, "\(token)x").status == 401)
        var parts = token.split(separator: ".").map(String.init)
        let claims = try #require(WebToken(token)?.claims)
        var other = claims
        other["sub"] = "system:serviceaccount:kube-system:default"
        parts[1] = WebToken.encoded(other.bytes)
        #expect(await whoAmI(test, parts.joined(separator: ".")).status == 401)
        let foreign = try await self.token(test, ["audiences": ["vault"]])
        #expect(await whoAmI(test, foreign).status == 401)
        let bad = await test.send("GET", "/version", bytes: [], user: nil, bearer: "junk")
        #expect(bad.status == 401)
    }

    @Test("a token goes with the pod it is bound to, and with the account")
    func binding() async throws {
        let test = try await server()
        let uid = await pod(test)
        let reference: JSON = ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": .string(uid)]
        let bound = try await token(test, ["boundObjectRef": reference])
        let extra = await whoAmI(test, bound).json[path: "status", "userInfo", "extra"] ?? [:]
        #expect(extra["authentication.kubernetes.io/pod-name"] == ["p"])
        #expect(extra["authentication.kubernetes.io/node-name"] == ["n"])
        _ = await test.send("DELETE", "/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0")
        #expect(await whoAmI(test, bound).status == 401)
        _ = await pod(test)
        #expect(await whoAmI(test, bound).status == 401)
        let free = try await token(test)
        _ = await test.send("DELETE", Self.account)
        #expect(await whoAmI(test, free).status == 401)
    }

    @Test("requests for tokens are checked")
    func requests() async throws {
        let test = try await server()
        func refusal(_ body: JSON) async -> String { await test.send("POST", "\(Self.account)/token", body).message }
        #expect(
            await refusal(["spec": ["expirationSeconds": 60]])
                == "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may "
                + "not specify a duration less than 10 minutes"
        )
        #expect(await refusal(["metadata": ["name": "x"]]).contains("must match the service account name if specified"))
        let map: JSON = ["apiVersion": "v1", "kind": "ConfigMap", "name": "m"]
        #expect(
            await refusal(["spec": ["boundObjectRef": map]])
                == "cannot bind token to object of type /v1, Kind=ConfigMap"
        )
        let ghost: JSON = ["apiVersion": "v1", "kind": "Pod", "name": "ghost"]
        #expect(await refusal(["spec": ["boundObjectRef": ghost]]) == "pods \"ghost\" not found")
        _ = await pod(test)
        let other: JSON = ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1"]
        #expect(await refusal(["spec": ["boundObjectRef": other]]).contains("does not match the UID in record"))
        let missing = await test.send("POST", "/api/v1/namespaces/default/serviceaccounts/no/token", [:])
        #expect(missing.status == 404)
    }

    @Test("the token that a pod is given lives on for clients that read it once")
    func injected() async throws {
        let test = try await server()
        _ = await pod(test)
        let reference: JSON = ["apiVersion": "v1", "kind": "Pod", "name": "p"]
        let text = try await token(test, ["expirationSeconds": 3607, "boundObjectRef": reference])
        let claims = try #require(WebToken(text)?.claims)
        let start = try #require(claims["iat"]?.int)
        #expect(claims["exp"]?.int == start + 31_536_000)
        #expect(claims[path: "kubernetes.io", "warnafter"]?.int == start + 3607)
    }

    @Test("a review says whose a token is, and for which audiences")
    func review() async throws {
        let test = try await server()
        func review(_ spec: JSON) async -> JSON {
            await test.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", ["spec": spec]).json["status"] ?? [:]
        }
        let foreign = try await token(test, ["audiences": ["vault"]])
        let good = await review(["token": .string(foreign), "audiences": ["vault", "x"]])
        #expect(good["authenticated"] == true && good["audiences"] == ["vault"])
        let wrong = await review(["token": .string(foreign)])
        #expect(wrong["authenticated"] == nil)
        #expect(wrong["error"]?.string?.hasPrefix("token audiences [\"vault\"] is invalid for the target") == true)
    }
}
