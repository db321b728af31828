// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CommandLine
import Foundation
import KubernetesClient
import Model
import Ports
import TestKit
import Testing

@testable import Assembly

@Suite("which cluster is home")
struct HomeTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "home-\(UUID().uuidString)").path

    private func withFolder(_ work: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try work()
    }

    private func kubeconfig(_ name: String) throws -> String {
        let path = "\(folder)/\(name).yaml"
        try """
        { apiVersion: v1, kind: Config, current-context: \(name),
          contexts: [{ name: \(name), context: { cluster: c } }, { name: other, context: { cluster: d } }],
          clusters: [{ name: c, cluster: { server: "https://\(name)" } }, { name: d, cluster: { server: "https://d" } }] }
        """.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func choice(named: Bool = false, kubeconfig: String? = nil, context: String? = nil) -> HomeChoice {
        var choice = HomeChoice(dataFolder: "\(folder)/data")
        choice.isFolderNamed = named
        choice.kubeconfig = kubeconfig
        choice.context = context
        return choice
    }

    @Test func aNamedOneCounts() throws {
        try withFolder {
            let config = try kubeconfig("prod")
            #expect(try Home.find(choice(kubeconfig: config), environment: [:]).config.server == "https://prod")
            let other = try Home.find(choice(kubeconfig: config, context: "other"), environment: [:])
            #expect(other.config.server == "https://d" && !other.isMachine)
            #expect(other.words == "the home cluster is https://d, the context 'other'")
            let byContext = try Home.find(choice(context: "other"), environment: ["KUBECONFIG": config])
            #expect(byContext.config.server == "https://d")
        }
    }

    @Test func aJobsKubeconfigCountsWhereNoUpEverRan() throws {
        try withFolder {
            let environment = ["KUBECONFIG": try kubeconfig("ci")]
            #expect(try Home.find(choice(), environment: environment).config.server == "https://ci")
            // Who names a folder means the `up` on it.
            #expect(throws: Failure.self) { try Home.find(choice(named: true), environment: environment) }
            // An `up` that is down is no reason to release into another cluster.
            try FileManager.default.createDirectory(atPath: "\(folder)/data", withIntermediateDirectories: true)
            try Data("{}".utf8).write(to: URL(filePath: "\(folder)/data/machine.json"))
            let failure = #expect(throws: Failure.self) { try Home.find(choice(), environment: environment) }
            #expect(failure?.message.contains("no 'ballast up' runs on it") == true)
        }
    }

    @Test func nothingIsGuessed() throws {
        try withFolder {
            let failure = #expect(throws: Failure.self) { try Home.find(choice(), environment: ["HOME": folder]) }
            #expect(failure?.message.contains("a real home cluster with --context") == true)
        }
    }
}

@Suite("Ballast's resources in a home cluster")
struct HomeResourcesTests {
    private let fake = FakeCluster()
    private var resources: HomeResources { HomeResources(cluster: fake) }

    private func stored(_ name: String) -> KubeObject? {
        fake.all(.customResourceDefinitions).first { $0.name == name }
    }

    @Test func theyAreMadeOnceAndRenewedButNeverTakenBack() async throws {
        try await resources.install()
        #expect(fake.all(.customResourceDefinitions).count == 4)
        let reference = ObjectReference(.customResourceDefinitions, name: "apps.ballast.dev")
        let made = try #require(stored(reference.name))
        try await resources.install()
        #expect(stored(reference.name)?.resourceVersion == made.resourceVersion)

        func leave(_ revision: String) async throws {
            let old: JSON = [
                "metadata": ["annotations": ["ballast.dev/definition": .string(revision)]],
                "spec": ["versions": [["name": "v1alpha1"]]],
            ]
            _ = try await fake.patch(reference, .merge, old)
            try await resources.install()
        }
        try await leave("0")
        #expect(stored(reference.name)?.spec["versions"] == made.spec["versions"])
        try await leave("99")
        #expect(stored(reference.name)?.spec["versions"] == [["name": "v1alpha1"]])
    }

    @Test func whoMayNotAddThemIsToldWhatHasToBeRun() async throws {
        fake.setFault { _ in throw Failure(.denied, "customresourcedefinitions is forbidden") }
        let failure = await #expect(throws: Failure.self) { try await resources.prepare("https://prod") }
        #expect(failure?.code == .denied)
        #expect(failure?.message.contains("ballast schema --definitions | kubectl apply") == true)
        // Where they are, nobody needs the right.
        let kinds = [ResourceType.apps, .releases, .clusters, .inventories].map { KindCatalog.Entry(type: $0) }
        try await HomeResources(cluster: fake, schema: FixedSchema(KindCatalog(kinds))).prepare("https://prod")
    }
}
