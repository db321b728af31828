// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import TestKit
import Testing

@testable import RegistryClient

/// Suite `docker-config`: jib's samples of Docker's configuration, every login and helper in them.
///
/// What a sample must give is read from the sample itself: each key is asked for by its host, so a sample we never saw is
/// checked as well. What the order among several matching keys must be stands in `order`.
struct DockerConfigConformance {
    struct Sample: Sendable {
        var name: String
        var bytes: [UInt8]
    }

    @Test func everySampleIsRead() async throws {
        try await ConformanceSuite("docker-config", in: "releases/jib-json").run { folder in
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            return try names.filter { $0.contains("dockerconfig") || $0.contains("dockercfg") }.map { name in
                let data = try Data(contentsOf: folder.appending(path: name))
                return ConformanceCase("jib/\(name)", Sample(name: name, bytes: Array(data)))
            }
        } check: { sample in
            let config = try DockerConfig(parsing: sample.bytes)
            try Self.checkMembers(of: config, JSON(parsing: sample.bytes))
            for (host, address) in Self.order[sample.name] ?? [:] {
                let found = config.entry(for: host)?.address ?? config.ownHelper(for: host)?.server
                try requireEqual(found ?? "none", address, "the key for '\(host)'")
            }
            for (host, user) in Self.users[sample.name] ?? [:] {
                let login = try config.entry(for: host)?.login()
                try requireEqual(
                    login.map { $0.identityToken ?? "\($0.username):\($0.password)" } ?? "none",
                    user,
                    host
                )
            }
        }
    }

    /// Every key, asked for by its host alone, leads to a key of that host, and to its own words where it is the only one.
    private static func checkMembers(of config: DockerConfig, _ json: JSON) throws {
        let auths = json["auths"]?.object ?? (json["credHelpers"] == nil ? json.object : nil) ?? [:]
        for (key, value) in auths {
            let host = host(of: key)
            guard let entry = config.entry(for: host) else { throw ConformanceMismatch("no entry for '\(host)'") }
            try requireEqual(Self.host(of: entry.address), host, "the host of the entry for '\(host)'")
            guard auths.filter({ Self.host(of: $0.key) == host }).count == 1 else { continue }
            try requireEqual(entry.auth ?? "", value["auth"]?.string ?? "", "auth of '\(key)'")
            try requireEqual(entry.identityToken ?? "", value["identitytoken"]?.string ?? "", "token of '\(key)'")
        }
        for (key, value) in json["credHelpers"]?.object ?? [:] {
            guard let helper = config.ownHelper(for: host(of: key)) else {
                throw ConformanceMismatch("no helper for '\(key)'")
            }
            try requireEqual(helper.name, value.string ?? "", "the helper for '\(key)'")
        }
        if let store = json["credsStore"]?.string {
            try requireEqual(config.helper(for: "nobody.knows")?.name ?? "none", store, "the store of all")
        }
        // A part of somebody's name is somebody else.
        for host in ["example", "registr", "xample.com", "my-registry.example.org"] {
            if let entry = config.entry(for: host) { throw ConformanceMismatch("'\(entry.address)' fits '\(host)'") }
            if let helper = config.ownHelper(for: host) {
                throw ConformanceMismatch("'\(helper.server)' fits '\(host)'")
            }
        }
    }

    private static func host(of key: String) -> String {
        String(key.replacing("https://", with: "").prefix { $0 != "/" })
    }

    private static let order: [String: [String: String]] = [
        "dockerconfig_extra_matches.json": [
            "my-registry": "my-registry", "cool-registry": "https://cool-registry",
            "awesome-registry": "awesome-registry/v9/", "dull-registry": "https://dull-registry/v3/",
        ],
        "dockerconfig_index_docker_io_v1.json": [
            "docker.io": "index.docker.io/v1/", "registry-1.docker.io": "index.docker.io/v1/",
            "index.docker.io": "index.docker.io/v1/", "registry.hub.docker.com": "index.docker.io/v1/",
        ],
        "dockerconfig.json": ["docker.io": "index.docker.io", "another registry": "another registry"],
    ]

    private static let users: [String: [String: String]] = [
        "dockerconfig.json": [
            "some registry": "some:auth", "some other registry": "some:other:auth",
            "auth and userpw registry": "some:auth", "userpw registry": "someuser:somepw", "no auth field": "none",
        ],
        "dockerconfig_identity_token.json": ["some registry": "cool identity token"],
        "legacy_dockercfg": ["some registry": "some:other:auth", "example.com": "user:pass"],
    ]
}
