// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import TestKit
import Testing

@testable import Releases

@Suite("what a file asks for", .timeLimit(.minutes(5)))
struct ReleasePlanTests {
    private func refusal(_ file: AppFile) -> String {
        do {
            _ = try ReleasePlan(file)
            return ""
        } catch {
            return "\(error)"
        }
    }

    private func file(_ text: String) throws -> AppFile {
        let head = "apiVersion: ballast.dev/v1alpha1\nkind: App\nmetadata: { name: cart, namespace: shop }\nspec:\n"
        return try AppFile.read(head + text, path: "/f", shownAs: "f")
    }

    @Test func everythingThatIsNotSupportedYetIsSaidAtOnceWithItsPlace() throws {
        let found = refusal(
            try file(
                """
                  test:
                    - { name: unit, run: "true", image: swift:6 }
                  image:
                    pullHost: not/a host
                    build: { containerfile: Containerfile }
                  deploy:
                    clusters: [[local], [prod]]
                    ports: [{ name: http, port: 80 }]
                    before: [{ name: migrate, run: [/bin/true] }]
                  routes:
                    - { hosts: [a], auth: jwt }
                """
            )
        )
        let places = found.split(separator: "\n").map { $0.split(separator: ": ").prefix(2).joined(separator: ": ") }
        #expect(
            places == [
                "/f:6: spec.test[0].image", "/f:8: spec.image.pullHost",
                "/f:15: spec.routes[0].auth",
            ]
        )
    }

    @Test func anImageNeedsABuildAndABaseThatIsOne() throws {
        #expect(refusal(try file("  image: {}\n  deploy: {}\n")).hasPrefix("/f:5: spec.image.build: is missing"))
        let debian = "  image: { build: { from: 'Debian 12', files: [{ from: a, to: /a }] } }\n  deploy: {}\n"
        #expect(refusal(try file(debian)).hasPrefix("/f:5: spec.image.build.from: 'Debian 12' is no image"))
    }

    @Test func whatIsPushedToOneInstanceOfAlibabasRegistryIsPulledFromTheSame() throws {
        func image(_ repository: String, _ pullHost: String = "") -> String {
            let pull = pullHost.isEmpty ? "" : "pullHost: \(pullHost), "
            return
                "  image: { repository: \(repository), \(pull)build: { files: [{ from: a, to: /a }] } }\n  deploy: {}\n"
        }
        let open = "acme-registry.cn-shanghai.cr.aliyuncs.com/shop/cart"
        _ = try ReleasePlan(try file(image(open, "acme-registry-vpc.cn-shanghai.cr.aliyuncs.com")))
        #expect(
            refusal(try file(image(open, "acme-registry-vpc.cn-beijing.cr.aliyuncs.com"))).contains(
                "is another instance than the repository's; its own is 'acme-registry-vpc.cn-shanghai.cr.aliyuncs.com'"
            )
        )
        let inside = try ReleasePlan(try file(image("registry-vpc.cn-shanghai.aliyuncs.com/shop/cart")))
        #expect(inside.notes.first?.contains("elsewhere push to 'registry.cn-shanghai.aliyuncs.com'") == true)
    }

    @Test func aContainerfileSaysItselfWhatRuns() {
        let text = "  image: { build: { containerfile: ./C, from: debian, entrypoint: [/a] } }\n  deploy: {}\n"
        #expect { try file(text) } throws: { error in
            "\(error)".contains("spec.image.build.from: has no effect beside 'containerfile'")
                && "\(error)".contains("spec.image.build.entrypoint")
        }
    }

    @Test func nothingOfThatIsTriedBeforeItIsRefused() async throws {
        let world = World()
        let runner = ScriptedRunner()
        let error = await world.failure(of: world.releaser(runner), try World.file(", manifests: [./k8s]"))
        #expect(error.contains("spec.deploy.manifests"))
        #expect(runner.commands.isEmpty && world.cluster.calls.isEmpty)
    }

    @Test func keysThatActLaterAreNamed() throws {
        let plan = try ReleasePlan(
            try file(
                """
                  image: { build: { files: [{ from: a, to: /a }] } }
                  deploy: { ports: [{ name: http, port: 80 }], verify: { for: 60s } }
                  metrics: { port: http }
                  logs: { format: json }
                  docs: ./docs
                  routes:
                    - { hosts: [a], auth: none, rateLimit: 100/s }
                    - { hosts: [b], timeout: 5s }
                  access: [{ from: web }]
                """
            )
        )
        #expect(
            plan.notes == [
                "spec.metrics is stored, and takes effect with the monitoring pillar",
                "spec.logs is stored, and takes effect with the logs pillar",
                "spec.docs is stored, and takes effect with the runbooks pillar",
                "spec.routes[0].rateLimit and spec.routes[1].timeout are stored, and take effect with the traffic pillar",
                "spec.access is stored, but not enforced before the traffic pillar is there: every pod may call 'cart'",
            ]
        )
    }

    @Test func theLocalOverridesDecideWhatTheClusterGets() async throws {
        let world = World()
        let file = try World.file(", overrides: { local: { replicas: 1, env: { A: b } } }")
        try await world.running { _ = try await $0.releaser().release(file) }
        #expect(world.cluster.all(.deployments).first?.spec["replicas"] == 1)
        #expect(world.cluster.all(.apps).first?.spec["deploy"]?["replicas"] == 2)
    }

    // MARK: The login

    private func secret(_ data: JSON) -> KubeObject {
        var secret = KubeObject(.secrets, namespace: "shop", name: "login")
        secret["data"] = .object(
            (data.object ?? [:]).mapValues { .string(Base64.encode(Array(($0.string ?? "").utf8))) }
        )
        return secret
    }

    @Test func aMissingLoginIsFoundBeforeTheTests() async throws {
        let world = World()
        let runner = ScriptedRunner()
        let file = try World.file(image: ", repository: registry.internal/shop/cart, credentials: { secretRef: login }")
        let error = await world.failure(of: world.releaser(runner), file)
        #expect(
            error.hasPrefix(
                "the Secret 'login' of spec.image.credentials exists neither in 'shop' nor in 'ballast-system'; create it with 'kubectl -n shop create secret docker-registry login --docker-server=registry.internal"
            )
        )
        #expect(runner.commands.isEmpty && world.releases.isEmpty)
    }

    @Test func theNodesLoginIsKeyedByTheHostTheyPullFrom() async throws {
        let world = World()
        _ = try await world.cluster.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        _ = try await world.cluster.create(secret(["username": "bot", "password": "s3:cret"]), as: .secrets)
        let file = try World.file(
            image:
                ", repository: registry.internal/shop/cart, pullHost: 'registry-vpc.internal:5443', credentials: { secretRef: login }"
        )
        let record = try await world.running { try await $0.releaser().release(file) }
        #expect(world.registries.pushes == ["registry.internal/shop/cart:1 by bot"])
        #expect(record.image?.hasPrefix("registry-vpc.internal:5443/shop/cart@sha256:") == true)
        let pull = try #require(
            world.cluster.all(.secrets).first { $0.name == "ballast-pull-login.registry-vpc.internal-5443" }
        )
        let document = pull["data"]?[".dockerconfigjson"]?.string.flatMap { Base64.decode($0) } ?? []
        let auths = try JSON(parsing: String(decoding: document, as: UTF8.self))["auths"]
        #expect(auths?.object?.keys == ["registry-vpc.internal:5443"])
        let auth = auths?["registry-vpc.internal:5443"]?["auth"]?.string ?? ""
        #expect(Base64.decode(auth).map { String(decoding: $0, as: UTF8.self) } == "bot:s3:cret")
        let pod = world.cluster.all(.deployments).first?[path: "spec", "template", "spec"]
        #expect(pod?["imagePullSecrets"] == [["name": "ballast-pull-login.registry-vpc.internal-5443"]])
        #expect(!record.changes.contains { $0.contains("s3") } && !world.progress.lines.contains { $0.contains("s3") })
    }

    @Test(arguments: [
        ("registry.internal/shop/cart", "most"), ("registry.internal/other", "host"), ("nginx", "hub"),
    ])
    func theLongestMatchingKeyOfADockerLoginCounts(_ image: String, _ user: String) throws {
        let config: JSON = [
            "auths": [
                "registry.internal": ["username": "host", "password": "p"],
                "https://registry.internal/shop": ["username": "most", "password": "p"],
                "https://index.docker.io/v1/": ["auth": .string(Base64.encode(Array("hub:p:q".utf8)))],
            ]
        ]
        let reference = try #require(ImageReference(image))
        let login = try PullSecret.login(from: secret([".dockerconfigjson": .string(config.text)]), for: reference)
        #expect(login.username == user)
        #expect(login.password == (user == "hub" ? "p:q" : "p"))
    }

    @Test func aLoginForAnotherRegistryNamesTheOnesItHas() throws {
        let config = #"{"auths":{"registry.internal.evil.com":{"auth":"YTpi"}}}"#
        let reference = try #require(ImageReference("registry.internal/a"))
        let error = #expect(throws: Failure.self) {
            try PullSecret.login(from: secret([".dockerconfigjson": .string(config)]), for: reference)
        }
        #expect(
            error?.message
                == "the Secret 'login' has no login for 'registry.internal'; it has: registry.internal.evil.com"
        )
    }
}
