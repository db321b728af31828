// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import Testing

@testable import PodRuntime

@Suite("pull secrets")
struct PullSecretTests {
    private func secret(_ auths: JSON, key: String = ".dockerconfigjson") -> KubeObject {
        let config: JSON = key == ".dockercfg" ? auths : ["auths": auths]
        var object = KubeObject(.secrets, namespace: "shop", name: "pull")
        object["data"] = JSON([key: Data(config.bytes).base64EncodedString()])
        return object
    }

    private func users(_ auths: JSON, _ image: String) throws -> [String] {
        let secret = try #require(PullSecret(secret(auths)))
        return secret.credentials(for: try #require(ImageReference(image))).map(\.username)
    }

    @Test func theLongestFittingAddressComesFirst() throws {
        let auths: JSON = [
            "r.test": ["username": "host", "password": "1"], "r.test/shop": ["username": "path", "password": "2"],
            "r.test:5000": ["username": "port", "password": "3"], "*.test": ["username": "any", "password": "4"],
            "https://index.docker.io/v1/": ["auth": .string(Data("docker:a:b".utf8).base64EncodedString())],
        ]
        #expect(try users(auths, "r.test/shop/cart") == ["path", "any", "host"])
        #expect(try users(auths, "r.test/other") == ["any", "host"])
        #expect(try users(auths, "r.test:5000/shop/cart") == ["port"])
        #expect(try users(auths, "a.b.test/x") == [])
        #expect(try users(auths, "nginx") == ["docker"])
        let docker = try #require(PullSecret(secret(auths)))
        #expect(docker.credentials(for: try #require(ImageReference("nginx"))).first?.password == "a:b")
    }

    @Test func theOlderFormIsRead() throws {
        let old = try #require(PullSecret(secret(["r.test": ["username": "u", "password": "p"]], key: ".dockercfg")))
        #expect(old.credentials(for: try #require(ImageReference("r.test/a"))).map(\.username) == ["u"])
    }

    @Test func otherSecretsAreNone() {
        var damaged = KubeObject(.secrets, namespace: "shop", name: "x")
        #expect(PullSecret(damaged) == nil)
        damaged["data"] = [".dockerconfigjson": "bm8="]
        #expect(PullSecret(damaged) == nil)
    }
}
