// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Ports
import Synchronization
import TestKit
import Testing

@testable import KubernetesClient

@Suite("discovery")
struct DiscoveryTests {
    /// What a kube-apiserver 1.36 answered, by path and whether the aggregated form was asked for.
    private static let recorded: [String: JSON]? = {
        let file = ConformanceSettings.ofThisProcess.root.appending(path: "releases/k8s-transcripts/discovery.json")
        guard let text = try? String(contentsOf: file, encoding: .utf8), let json = try? JSON(parsing: text) else {
            return nil
        }
        var answers: [String: JSON] = [:]
        for step in json.array ?? json["steps"]?.array ?? [] {
            guard let request = step["request"], let path = request["path"]?.string, let response = step["response"]
            else {
                continue
            }
            let isAggregated = request["accept"]?.string?.contains("apidiscovery") == true
            answers[isAggregated ? "\(path) aggregated" : path] = response
        }
        return answers
    }()

    private func withSchema(
        _ answer: @escaping @Sendable (WireRequest) -> (Int, String),
        _ work: (any ClusterSchema, WireServer) async throws -> Void
    ) async throws {
        let server = try WireServer { request, wire in
            let (status, body) = answer(request)
            wire.answer(status, body)
            return true
        }
        let client = try KubernetesClient(KubeConfig(server: server.url))
        do {
            try await work(client.schema, server)
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }

    @Test(
        "a real server's aggregated answer is read in two requests and agrees with the kinds we know",
        .enabled(if: recorded != nil)
    )
    func aggregated() async throws {
        let recorded = try #require(Self.recorded)
        try await withSchema { request in
            let isAggregated = request.header("accept")?.contains("as=APIGroupDiscoveryList") == true
            guard isAggregated, let body = recorded["\(request.target) aggregated"] else { return (406, "{}") }
            return (200, body.text)
        } _: { schema, server in
            let catalog = try await schema.catalog(isFresh: false)
            let standard = KindCatalog.standard
            for entry in standard.entries {
                let found = catalog.entry(apiVersion: entry.type.apiVersion, kind: entry.type.kind)
                // What the recorded server did not switch on.
                guard let found else { continue }
                #expect(found.type == entry.type && found.shortNames == entry.shortNames)
            }
            #expect(try await schema.resource(apiVersion: "apps/v1", kind: "Deployment") == .deployments)
            #expect(try await schema.resources(named: "deploy") == [.deployments])
            #expect(catalog.entry(apiVersion: "apps/v1", kind: "Deployment")?.subresources == ["scale", "status"])
            #expect(server.requests.count == 2)
        }
    }

    @Test("an old server is asked group by group, to the same end", .enabled(if: recorded != nil))
    func legacy() async throws {
        let recorded = try #require(Self.recorded)
        try await withSchema { request in
            guard let body = recorded[request.target] else {
                return (503, #"{"kind":"Status","code":503,"message":"away"}"#)
            }
            return (200, body.text)
        } _: { schema, _ in
            let catalog = try await schema.catalog(isFresh: false)
            let document = try #require(recorded["/api aggregated"])
            let core = try #require(DiscoveryDocuments.aggregated([document]))
            for entry in core.entries {
                let found = try #require(catalog.entry(apiVersion: "v1", kind: entry.type.kind))
                #expect(found.type == entry.type && found.singular == entry.singular)
                #expect(found.shortNames == entry.shortNames && found.categories == entry.categories)
                #expect(
                    Set(found.verbs) == Set(entry.verbs) && found.subresources.sorted() == entry.subresources.sorted()
                )
            }
            #expect(try await schema.resource(apiVersion: "apps/v1", kind: "StatefulSet") == .statefulSets)
            // Only these two groups were recorded, so the others are away; that hides nothing else.
            #expect(catalog.missing.contains("batch/v1"))
            let failure = await #expect(throws: Failure.self) {
                try await schema.resource(apiVersion: "batch/v1", kind: "Job")
            }
            #expect(failure?.message.hasSuffix("the server behind 'batch/v1' does not answer") == true)
        }
    }

    @Test("a kind that is new is found by asking again; one that stays unknown is asked for once more only")
    func misses() async throws {
        let isInstalled = Mutex(false)
        try await withSchema { request in
            let widgets =
                #"{"metadata":{"name":"example.org"},"versions":[{"version":"v1","resources":[{"resource":"widgets","responseKind":{"group":"example.org","version":"v1","kind":"Widget"},"scope":"Cluster","singularResource":"widget","verbs":["get"]}]}]}"#
            let items = isInstalled.withLock { $0 } && request.target == "/apis" ? widgets : ""
            return (200, #"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[\#(items)]}"#)
        } _: { schema, server in
            let failure = await #expect(throws: Failure.self) {
                try await schema.resource(apiVersion: "example.org/v1", kind: "Widget")
            }
            #expect(failure?.code == .notFound)
            #expect(failure?.message.hasSuffix("is the CustomResourceDefinition of 'example.org' installed?") == true)
            isInstalled.withLock { $0 = true }
            let type = try await schema.resource(apiVersion: "example.org/v1", kind: "Widget")
            #expect(type.plural == "widgets" && !type.isNamespaced)
            let count = server.requests.count
            _ = try await schema.resources(named: "widget")
            #expect(server.requests.count == count)
        }
    }
}
