// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("credentials")
struct CredentialTests {
    /// A clock that stands until it is set.
    private final class HandWall: Sendable {
        private let time = Mutex(Timestamp(seconds: 1_800_000_000))
        var clock: WallClock { WallClock { [self] in time.withLock { $0 } } }
        var now: Timestamp { clock.now }
        func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    private let wall = HandWall()

    private func config(_ change: (inout KubeConfig) -> Void) -> KubeConfig {
        var config = KubeConfig(server: "https://h")
        change(&config)
        return config
    }

    private func plugin(_ path: String, _ version: String = CredentialPlugin.versions[0]) -> CredentialPlugin {
        var plugin = CredentialPlugin(apiVersion: version, command: path)
        plugin.interaction = .never
        return plugin
    }

    private static func answer(_ status: String, version: String = CredentialPlugin.versions[0]) -> String {
        #"{"kind":"ExecCredential","apiVersion":"\#(version)","status":\#(status)}"#
    }

    // MARK: Files

    @Test("a token file is read again after a while, and at once when the cluster refuses the old token")
    func tokenRotation() async throws {
        let folder = try TestFolder()
        let path = try folder.write("token", "one\n")
        let source = CredentialSource(config { $0.user.tokenFile = path }, wall: wall.clock)
        #expect(try await source.current().authorization == "Bearer one")
        try folder.write("token", "two")
        #expect(try await source.current().authorization == "Bearer one")
        wall.advance(.seconds(11))
        #expect(try await source.current().authorization == "Bearer two")
        try folder.write("token", "three")
        #expect(await source.refuse(Credential(authorization: "Bearer two")))
        #expect(try await source.current().authorization == "Bearer three")
        #expect(await !source.refuse(Credential(authorization: "Bearer three")))
    }

    @Test(
        "a token file that goes away in mid-rotation leaves the last token; one that never was is an error with its path"
    )
    func missingTokenFile() async throws {
        let folder = try TestFolder()
        let path = try folder.write("token", "one")
        let source = CredentialSource(config { $0.user.tokenFile = path }, wall: wall.clock)
        _ = try await source.current()
        try FileManager.default.removeItem(atPath: path)
        wall.advance(.seconds(60))
        #expect(try await source.current().authorization == "Bearer one")
        let other = CredentialSource(config { $0.user.tokenFile = path }, wall: wall.clock)
        let failure = await #expect(throws: Failure.self) { try await other.current() }
        #expect(failure?.message.contains(path) == true)
        let beside = CredentialSource(
            config {
                $0.user.tokenFile = path
                $0.user.token = "beside"
            },
            wall: wall.clock
        )
        #expect(try await beside.current().authorization == "Bearer beside")
    }

    @Test("a name and password become basic authentication; a user without anything asks as nobody")
    func basic() async throws {
        let source = CredentialSource(
            config { $0.user.basic = .init(username: "ada", password: "pa:ss") },
            wall: wall.clock
        )
        #expect(try await source.current().authorization == "Basic YWRhOnBhOnNz")
        #expect(try await CredentialSource(config { _ in }, wall: wall.clock).current() == Credential())
    }

    // MARK: Plugins

    @Test("a real plugin is run with its arguments and environment, is told about the cluster, and its token is used")
    func realPlugin() async throws {
        let folder = try TestFolder()
        let script = try folder.write(
            "login",
            """
            #!/bin/sh
            printf '%s' "$KUBERNETES_EXEC_INFO" > "\(folder.path)/told"
            printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s-%s-%s"}}' "$1" "$EXTRA" "$HOME"
            """,
            isProgram: true
        )
        var plugin = plugin(script)
        plugin.arguments = ["first arg"]
        plugin.environment = ["EXTRA": "more", "HOME": "/there"]
        plugin.providesClusterInfo = true
        let config = config {
            $0.user.plugin = plugin
            $0.authority = .text("CA")
            $0.serverName = "kube"
            $0.pluginConfiguration = ["arn": "x"]
        }
        #expect(
            try await CredentialSource(config, wall: wall.clock).current().authorization
                == "Bearer first arg-more-/there"
        )
        let told = try JSON(parsing: try String(contentsOfFile: "\(folder.path)/told", encoding: .utf8))
        #expect(
            told == [
                "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
                "spec": [
                    "interactive": false,
                    "cluster": [
                        "server": "https://h", "tls-server-name": "kube", "certificate-authority-data": "Q0E=",
                        "config": ["arn": "x"],
                    ],
                ],
            ]
        )
    }

    @Test("a plugin that fails is quoted with its last words, one that is not there with its hint")
    func failingPlugin() async throws {
        let folder = try TestFolder()
        let script = try folder.write(
            "login",
            "#!/bin/sh\necho first >&2\necho 'please log in' >&2\nexit 3\n",
            isProgram: true
        )
        let failing = CredentialSource(config { $0.user.plugin = plugin(script) }, wall: wall.clock)
        let failure = try #require(await #expect(throws: Failure.self) { try await failing.current() })
        #expect(failure.code == .denied)
        #expect(
            failure.message.hasPrefix("the credential plugin '\(script)' failed (")
                && failure.message.hasSuffix("please log in")
        )
        var absent = plugin("\(folder.path)/none")
        absent.installHint = "install it\nfrom there"
        let missing = CredentialSource(config { $0.user.plugin = absent }, wall: wall.clock)
        let other = try #require(await #expect(throws: Failure.self) { try await missing.current() })
        #expect(other.message == "the credential plugin '\(folder.path)/none' cannot be run; install it from there")
    }

    /// A source whose plugin answers from a list, and how often it was asked.
    private func scripted(_ answers: [String]) -> (CredentialSource, Counter) {
        let counter = Counter()
        let source = CredentialSource(config { $0.user.plugin = plugin("p") }, wall: wall.clock) { _, _ in
            Array(answers[min(counter.next(), answers.count - 1)].utf8)
        }
        return (source, counter)
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count - 1
            }
        }
    }

    @Test("a plugin's answer is kept until shortly before it expires, and asked anew when the cluster refuses it")
    func expiry() async throws {
        let expires = (wall.now + .seconds(60)).description
        let (source, counter) = scripted([
            Self.answer(#"{"token":"one","expirationTimestamp":"\#(expires)"}"#), Self.answer(#"{"token":"two"}"#),
            Self.answer(#"{"token":"three"}"#),
        ])
        for _ in 0..<3 { #expect(try await source.current().authorization == "Bearer one") }
        #expect(counter.value == 1)
        wall.advance(.seconds(56))
        #expect(try await source.current().authorization == "Bearer two")
        wall.advance(.seconds(86400))
        #expect(try await source.current().authorization == "Bearer two")
        #expect(await source.refuse(Credential(authorization: "Bearer two")))
        #expect(try await source.current().authorization == "Bearer three")
        #expect(counter.value == 3)
    }

    @Test("many requests at once ask the plugin once")
    func sharing() async throws {
        let (source, counter) = scripted([Self.answer(#"{"token":"one"}"#)])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await source.current() } }
            try await group.waitForAll()
        }
        #expect(counter.value == 1)
    }

    @Test("of many requests whose token is refused only the first asks the plugin again")
    func refusedTogether() async throws {
        let (source, counter) = scripted([Self.answer(#"{"token":"one"}"#), Self.answer(#"{"token":"two"}"#)])
        let old = try await source.current()
        for _ in 0..<5 {
            #expect(await source.refuse(old))
            #expect(try await source.current().authorization == "Bearer two")
        }
        #expect(counter.value == 2)
    }

    @Test("who gives up waiting ends the plugin, and who still waits starts it again")
    func cancelledPlugin() async throws {
        let counter = Counter()
        let begun = AsyncStream.makeStream(of: Void.self)
        let source = CredentialSource(config { $0.user.plugin = plugin("p") }, wall: wall.clock) { _, _ in
            if counter.next() == 0 {
                begun.continuation.finish()
                try await Task.sleep(for: .seconds(600))
            }
            return Array(Self.answer(#"{"token":"one"}"#).utf8)
        }
        let hasty = Task { try await source.current() }
        for await _ in begun.stream {}
        let patient = Task { try await source.current() }
        hasty.cancel()
        await #expect(throws: CancellationError.self) { try await hasty.value }
        #expect(try await patient.value.authorization == "Bearer one")
        #expect(counter.value == 2)
    }

    @Test("a real plugin that hangs ends with the request that waits for it")
    func hangingPlugin() async throws {
        let folder = try TestFolder()
        let script = try folder.write("login", "#!/bin/sh\necho $$ > \"$0.pid\"\nsleep 600 & wait\n", isProgram: true)
        let source = CredentialSource(config { $0.user.plugin = plugin(script) }, wall: wall.clock)
        let asking = Task { try await source.current() }
        while (try? String(contentsOfFile: script + ".pid", encoding: .utf8))?.hasSuffix("\n") != true {
            await Task.yield()
        }
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        let text = try String(contentsOfFile: script + ".pid", encoding: .utf8)
        let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(pid, 0) == -1)
    }

    @Test("a plugin may hand out a client certificate; a token in the kubeconfig goes before the plugin")
    func otherCredentials() async throws {
        let (source, _) = scripted([Self.answer(#"{"clientCertificateData":"C","clientKeyData":"K"}"#)])
        #expect(try await source.current() == Credential(identity: .init(certificate: "C", key: "K")))
        let fixed = config {
            $0.user.plugin = plugin("p")
            $0.user.token = "mine"
        }
        let other = CredentialSource(fixed, wall: wall.clock) { _, _ in throw Failure(.fault, "must not run") }
        #expect(try await other.current().authorization == "Bearer mine")
    }

    @Test(
        "an answer that is none is refused with the reason",
        arguments: [
            ("", "printed no JSON object"), ("[]", "printed no JSON object"),
            (#"{"kind":"Pod"}"#, "printed no 'ExecCredential'"),
            (
                answer(#"{"token":"t"}"#, version: CredentialPlugin.versions[1]),
                "answers in version 'client.authentication.k8s.io/v1beta1'"
            ),
            (#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}"#, "printed no 'status'"),
            (answer("{}"), "gave neither a token nor a client certificate"),
            (answer(#"{"token":""}"#), "gave neither a token nor a client certificate"),
            (answer(#"{"clientKeyData":"K"}"#), "gave only one of"),
            (answer(#"{"token":"t","expirationTimestamp":"soon"}"#), "gave the expiry 'soon', which is no time"),
        ]
    )
    func garbage(_ output: String, _ words: String) async throws {
        let (source, _) = scripted([output])
        let failure = try #require(await #expect(throws: Failure.self) { try await source.current() })
        #expect(failure.message.hasPrefix("the credential plugin 'p' \(words)"), "\(failure.message)")
    }
}
