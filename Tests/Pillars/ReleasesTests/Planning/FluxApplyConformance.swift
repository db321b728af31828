// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import TestKit
import Testing

@testable import Releases

/// The manifests of Flux's own tests of server-side apply, against the embedded server: each is applied to an empty cluster,
/// and then found unchanged without a write.
struct FluxApplyConformance {
    @Test func everySampleIsAppliedOnceAndThenLeftAlone() async throws {
        try await ConformanceSuite("flux-ssa", in: "releases/flux-ssa").run { folder in
            try Self.files(in: folder, "").map { ConformanceCase($0, folder.appending(path: $0)) }
        } check: { file in
            try await check(String(contentsOf: file, encoding: .utf8), file.lastPathComponent)
        }
    }

    private static func files(in folder: URL, _ prefix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: prefix).path).sorted()
            .flatMap { name -> [String] in
                let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
                if name.hasSuffix(".yaml") { return [path] }
                return try name.contains(".") ? [] : files(in: folder, path)
            }
    }

    private func check(_ text: String, _ file: String) async throws {
        let calls = InterceptedCluster(try await EmbeddedCluster().api)
        let world = ApplyWorld(calls)
        // Where a sample leaves the namespace to others, or names one of its own.
        for name in ["shop", "flux", "test"] where !text.contains("kind: Namespace") || name != "flux" {
            _ = try await calls.create(KubeObject(.namespaces, name: name), as: .namespaces)
        }
        let manifests = try ManifestReader.parse(text.replacing("%[1]s", with: "flux"), file: file)
        let first = try await world.apply(manifests)
        guard first.count == manifests.count else {
            throw ConformanceMismatch("\(first.count) objects of \(manifests.count)")
        }
        for object in first {
            guard try await calls.find(object.reference) != nil else {
                throw ConformanceMismatch("\(object.reference) is not stored")
            }
        }
        let writes = calls.calls.count { $0.hasPrefix("patch") }
        let again = try await world.plan(manifests)
        try requireEqual(again.map(\.action), again.map { _ in .none }, "the second plan of \(ApplyWorld.words(again))")
        try requireEqual(calls.calls.count { $0.hasPrefix("patch") }, writes, "writes and tries of the second plan")
    }
}
