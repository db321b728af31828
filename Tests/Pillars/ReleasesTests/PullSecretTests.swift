// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import Releases

@Suite("pull secrets", .timeLimit(.minutes(5)))
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

    @Test func troubleThatGoesOnIsSaidOnce() async throws {
        let world = World()
        let file = try World.file(", clusters: [local, prod-a]", image: Self.image)
        _ = try await world.cluster.create(file.app.object, as: .apps)
        _ = try await world.cluster.create(Self.credential("one"), as: .secrets)
        let said = Mutex<[String]>([])
        let rounds = Atomic(0)
        let keeper = PullSecretKeeper(
            home: world.cluster,
            clusters: { name in
                guard name != .local else { return world.cluster }
                rounds.add(1, ordering: .relaxed)
                // In between it answers for a while.
                guard rounds.load(ordering: .relaxed) != 4 else { return world.cluster }
                throw Failure(.unavailable, "away")
            },
            clock: world.time.wall,
            sleeper: VirtualTime { _ in true },
            report: { line in said.withLock { $0.append(line) } }
        )
        let running = Task { await keeper.run() }
        while rounds.load(ordering: .relaxed) < 8, !Task.isCancelled { await VirtualTime.breathe() }
        running.cancel()
        await running.value
        let line = "the pull secret of 'shop/cart' in 'prod-a' is not renewed: away"
        #expect(said.withLock(\.self) == [line, line])
    }

    // MARK: What a credential may look like

    private static func login(_ key: String, _ document: String) throws -> RegistryCredentials {
        var secret = KubeObject(.secrets, namespace: "shop", name: "login")
        secret["data"] = [key: .string(Base64.encode(Array(document.utf8)))]
        let image = try #require(ImageReference("registry.internal/shop/cart"))
        return try PullSecret.login(from: secret, for: image)
    }

    private static func auth(_ text: String) -> String { Base64.encode(Array(text.utf8)) }

    @Test func authCountsBeforeNameAndPasswordAsItDoesForNodes() throws {
        let both =
            #"{"auths":{"registry.internal":{"username":"old","password":"old","auth":"\#(Self.auth("bot:new:1"))"}}}"#
        #expect(try Self.login(".dockerconfigjson", both) == RegistryCredentials(username: "bot", password: "new:1"))
        let plain = #"{"auths":{"https://registry.internal/v2/":{"username":"bot","password":"p"}}}"#
        #expect(try Self.login(".dockerconfigjson", plain) == RegistryCredentials(username: "bot", password: "p"))
        let unpadded = Self.auth("bot:pass").filter { $0 != "=" }
        let bare = #"{"auths":{"*.internal":{"auth":"\#(unpadded)"}}}"#
        #expect(try Self.login(".dockerconfigjson", bare) == RegistryCredentials(username: "bot", password: "pass"))
    }

    @Test func theOlderDocumentIsReadAndTheNearestEntryCounts() throws {
        let old = #"""
            {"registry.internal":{"auth":"\#(Self.auth("any:1"))"},"registry.internal/shop":{"auth":"\#(Self.auth("shop:2"))"},
             "registry.internal/sho":{"auth":"\#(Self.auth("wrong:3"))"},"registry.internal:5000":{"auth":"\#(Self.auth("port:4"))"}}
            """#
        #expect(try Self.login(".dockercfg", old) == RegistryCredentials(username: "shop", password: "2"))
        #expect(
            try Self.login(".dockerconfigjson", #"{"auths":\#(old)}"#)
                == RegistryCredentials(username: "shop", password: "2")
        )
    }

    @Test func aTokenThatNodesCannotUseIsRefusedWithWhatToDo() throws {
        let token = #"{"auths":{"registry.internal":{"identitytoken":"refresh"}}}"#
        let refused = #expect(throws: Failure.self) { try Self.login(".dockerconfigjson", token) }
        #expect(
            refused?.message
                == "the login for 'registry.internal' in the Secret 'login' is a token, with which nodes cannot pull; put a user's name and password there, or those of a robot account"
        )
        // Azure's takes it as a password, and says so by this user.
        let user = "00000000-0000-0000-0000-000000000000"
        let azure = #"{"auths":{"registry.internal":{"auth":"\#(Self.auth("\(user):"))","identitytoken":"refresh"}}}"#
        let login = try Self.login(".dockerconfigjson", azure)
        #expect(login.username == user && login.password == "refresh" && login.identityToken == "refresh")
    }

    @Test(arguments: [
        (
            #"{"auths":{"other.internal":{"auth":"YTpi"}}}"#,
            "has no login for 'registry.internal'; it has: other.internal"
        ),
        (
            #"{"auths":{"registry.internal":{"auth":"!!"}}}"#,
            "cannot be read: the 'auth' for 'registry.internal' is no base64"
        ),
        (#"{"auths":{"registry.internal":{}}}"#, "is incomplete"), ("{", "nor a readable '.dockerconfigjson'"),
    ])
    func whatIsNoLoginIsSaid(_ document: String, _ words: String) throws {
        let refused = #expect(throws: Failure.self) { try Self.login(".dockerconfigjson", document) }
        #expect(refused?.code == .invalidInput && refused?.message.contains(words) == true, "\(refused?.message ?? "")")
        #expect(refused?.message.contains("'login'") == true)
    }
}
