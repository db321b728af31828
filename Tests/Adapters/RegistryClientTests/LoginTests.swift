// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import Testing

@testable import RegistryClient

/// Credential helpers are real programs here: scripts in a folder of their own.
@Suite("logins of the person at the terminal")
struct LoginTests {
    private final class Home {
        let path = FileManager.default.temporaryDirectory.path + "/ballast-home-" + UUID().uuidString

        init(_ config: String, helpers: [String: String] = [:]) throws {
            try write(".docker/config.json", config)
            for (name, script) in helpers {
                try write("bin/docker-credential-\(name)", "#!/bin/sh\n\(script)\n")
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o755],
                    ofItemAtPath: "\(path)/bin/docker-credential-\(name)"
                )
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String) throws {
            let file = URL(filePath: "\(path)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }

        func logins(_ more: [String: String] = [:]) -> DockerLogins {
            DockerLogins(environment: ["HOME": path, "PATH": "\(path)/bin:/usr/bin:/bin"].merging(more) { $1 })
        }
    }

    @Test("a helper is asked by its word and the key it is listed under")
    func helper() async throws {
        let home = try Home(
            #"{"credHelpers": {"r.io": "own"}, "auths": {"q.io": {"auth": "YTpi"}}}"#,
            helpers: ["own": #"read -r server; echo "{\"Username\":\"$1\",\"Secret\":\"for $server\"}""#]
        )
        let found = try await home.logins().login(for: "r.io", repository: "shop/cart")
        #expect(found?.0.username == "get" && found?.0.password == "for r.io")
        #expect(found?.origin == "docker-credential-own")
        #expect(try await home.logins().login(for: "q.io", repository: "x")?.0.password == "b")
        #expect(try await home.logins().login(for: "s.io", repository: "x") == nil)
    }

    @Test("an identity token is told by its user's name, and nothing found goes on to what is written")
    func tokensAndNothing() async throws {
        let home = try Home(
            #"{"credHelpers": {"id.io": "id", "no.io": "none"}, "credsStore": "none", "auths": {"no.io": {"auth": "YTpi"}}}"#,
            helpers: [
                "id": #"echo '{"Username":"<token>","Secret":"refresh"}'"#,
                "none": "echo credentials not found in native keychain; exit 1",
            ]
        )
        #expect(try await home.logins().login(for: "id.io", repository: "x")?.0.identityToken == "refresh")
        #expect(try await home.logins().login(for: "no.io", repository: "x")?.0.password == "b")
        #expect(try await home.logins().login(for: "other.io", repository: "x") == nil)
    }

    @Test(
        "a helper that is missing, fails or talks nonsense is named",
        arguments: [
            ("missing", "'docker-credential-missing' is not on PATH"),
            ("failing", "'docker-credential-failing' failed for 'r.io': session expired"),
            ("nonsense", "'docker-credential-nonsense' answered for 'r.io' without a 'Secret'"),
            ("../../bin/sh", "is not on PATH"),
        ]
    )
    func troubles(_ name: String, _ words: String) async throws {
        let home = try Home(
            "{\"credHelpers\": {\"r.io\": \"\(name)\"}}",
            helpers: ["failing": "echo session expired >&2; exit 3", "nonsense": "echo hello"]
        )
        await #expect {
            try await home.logins().login(for: "r.io", repository: "x")
        } throws: {
            "\($0)".contains(words) && "\($0)".contains(".docker/config.json")
        }
    }

    @Test("a helper that hangs is given up")
    func hanging() async throws {
        let home = try Home("{}", helpers: ["hang": "exec sleep 60"])
        let helper = CredentialHelper(name: "hang", path: "\(home.path)/bin:/usr/bin:/bin", patience: .milliseconds(50))
        await #expect {
            try await helper.login(for: "r.io")
        } throws: { ($0 as? Failure)?.code == .deadlineExceeded }
    }

    @Test("files named by the environment come first, and a damaged one is named")
    func files() async throws {
        let home = try Home(#"{"auths": {"r.io": {"auth": "aG9tZTp4"}}}"#)
        try home.write("own/config.json", #"{"auths": {"r.io": {"auth": "b3duOng="}}}"#)
        try home.write("auth.json", #"{"auths": {"r.io/team": {"auth": "dGVhbTp4"}}}"#)
        let logins = home.logins(["DOCKER_CONFIG": "\(home.path)/own", "REGISTRY_AUTH_FILE": "\(home.path)/auth.json"])
        #expect(try await logins.login(for: "r.io", repository: "team/a")?.0.username == "team")
        #expect(try await logins.login(for: "r.io", repository: "a")?.0.username == "own")
        #expect(try await home.logins().login(for: "r.io", repository: "a")?.0.username == "home")
        try home.write("auth.json", "{")
        await #expect {
            try await logins.login(for: "r.io", repository: "a")
        } throws: { "\($0)".contains("auth.json' is no JSON") }
    }
}
