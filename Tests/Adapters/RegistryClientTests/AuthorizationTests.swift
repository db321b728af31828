// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization
import Testing

@testable import RegistryClient

@Suite("proving who one is")
struct AuthorizationTests {
    @Test(
        "challenges are read with any spacing and quoting",
        arguments: [
            (
                #"Bearer realm="https://a/t",service="a",scope="repository:x:pull,push""#, "https://a/t",
                "repository:x:pull,push"
            ),
            (
                #"Bearer realm="https://a/t", service="a", scope="repository:x:pull,push""#, "https://a/t",
                "repository:x:pull,push"
            ),
            (#"bearer Realm = "https://a/t" , scope= x"#, "https://a/t", "x"),
            (#"Bearer realm="https://a/t?x=\"1\"",scope="""#, #"https://a/t?x="1""#, ""),
        ]
    )
    func challenges(_ header: String, _ realm: String, _ scope: String) {
        let challenges = AuthChallenge.parse(header)
        #expect(challenges.count == 1)
        #expect(challenges.first?.scheme == "bearer")
        #expect(challenges.first?.parameters["realm"] == realm)
        #expect(challenges.first?.parameters["scope"] == scope)
    }

    @Test("several challenges in one header are kept apart")
    func severalChallenges() {
        let challenges = AuthChallenge.parse(#"Negotiate, Basic realm="x, y", charset=UTF-8, Bearer realm="z""#)
        #expect(challenges.map(\.scheme) == ["negotiate", "basic", "bearer"])
        #expect(challenges[1].parameters == ["realm": "x, y", "charset": "UTF-8"])
        #expect(challenges[2].parameters == ["realm": "z"])
    }

    @Test("what is malformed ends the reading", arguments: ["", ",", "=", #"Bearer realm="open"#, "\"\"", "Bearer ="])
    func malformed(_ header: String) {
        #expect(AuthChallenge.parse(header).allSatisfy { $0.parameters["realm"] == nil })
    }

    @Test("a token is called 'token' or 'access_token' and lives 60 seconds where nothing is said")
    func tokenAnswers() throws {
        #expect(TokenAnswer(["token": "a"])?.token == "a")
        #expect(TokenAnswer(["access_token": "b", "expires_in": 300])?.life == .seconds(300))
        #expect(TokenAnswer(["token": "a"])?.life == .seconds(60))
        #expect(TokenAnswer(["token": ""]) == nil)
        #expect(TokenAnswer([:]) == nil)
    }

    @Test("a token is used until shortly before it ends, a password for ever")
    func keeping() async {
        let clock = HandClock()
        let cache = AuthorizationCache(clock: clock)
        let key = AuthorizationCache<HandClock>.Key(registry: "r", credentials: "c", scopes: ["s"])
        await cache.keep("Bearer x", for: key, life: .seconds(60))
        clock.advance(by: .seconds(49))
        #expect(await cache.header(for: key) == "Bearer x")
        clock.advance(by: .seconds(2))
        #expect(await cache.header(for: key) == nil)
        await cache.keep("Bearer y", for: key, life: .seconds(4))
        clock.advance(by: .seconds(1))
        #expect(await cache.header(for: key) == "Bearer y")
        clock.advance(by: .seconds(1))
        #expect(await cache.header(for: key) == nil)
        await cache.keep("Basic z", for: key, life: nil)
        clock.advance(by: .seconds(100_000))
        #expect(await cache.header(for: key) == "Basic z")
    }
}

/// A clock that a test moves; nobody sleeps on it.
final class HandClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let time = Mutex(Instant(offset: .zero))

    var now: Instant { time.withLock { $0 } }
    var minimumResolution: Duration { .zero }
    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }

    /// Moves the time instead of waiting for it.
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        time.withLock { $0 = max($0, deadline) }
    }
}
