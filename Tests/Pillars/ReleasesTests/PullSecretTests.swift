// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import Releases

@Suite("pull secrets", .timeLimit(.minutes(1)))
struct PullSecretTests {
    private static let image = ", repository: registry.internal/shop/cart, credentials: { secretRef: login }"

    private static func credential(_ password: String) -> KubeObject {
        var secret = KubeObject(.secrets, namespace: "shop", name: "login")
        secret["data"] = [
            "username": .string(Base64.encode(Array("bot".utf8))),
            "password": .string(Base64.encode(Array(password.utf8))),
        ]
        return secret
    }

    private static func password(_ world: World) -> String {
        let secret = world.cluster.all(.secrets).first { $0.name == "ballast-pull-login.registry.internal" }
        let text = secret?["data"]?[".dockerconfigjson"]?.string.flatMap { Base64.decode($0) } ?? []
        let json = try? JSON(parsing: String(decoding: text, as: UTF8.self))
        return json?["auths"]?["registry.internal"]?["password"]?.string ?? ""
    }

    @Test func aRenewedCredentialReachesTheNamespacesItIsUsedIn() async throws {
        let world = World()
        _ = try await world.cluster.create(KubeObject(.namespaces, name: "shop"), as: .namespaces)
        _ = try await world.cluster.create(Self.credential("one"), as: .secrets)
        let said = Mutex<[String]>([])
        let keeper = PullSecretKeeper(
            home: world.cluster,
            clusters: { _ in world.cluster },
            clock: world.time.wall,
            report: { line in said.withLock { $0.append(line) } }
        )
        let file = try World.file(image: Self.image)
        _ = try await world.running { try await $0.releaser().release(file) }
        #expect(Self.password(world) == "one")
        await keeper.refresh()
        #expect(said.withLock(\.self).isEmpty, "what is fresh is left alone")
        let reference = ObjectReference(.secrets, namespace: "shop", name: "login")
        var next = Self.credential("two")
        let end = world.time.wall.now + .seconds(300)
        next.json.set(.string(end.description), at: ["metadata", "annotations", PullSecretKeeper.expiry])
        _ = try await world.cluster.patch(reference, .merge, next.json)
        await keeper.refresh()
        #expect(Self.password(world) == "two")
        #expect(
            said.withLock(\.self) == [
                "the credentials 'shop/login' of 'cart' end in 5 min and are not renewed yet",
                "renewed secret shop/ballast-pull-login.registry.internal in 'local'",
            ]
        )
        _ = try await world.running { try await $0.releaser().release(file) }
        #expect(world.releases.last?.changes == [], "\(world.releases.last?.changes ?? [])")
    }
}
