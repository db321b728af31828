// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Testing

@testable import EnvoyProxy

/// `Tests/Corpus/EnvoyProxy/<case>.json` holds objects; `<case>.expected.json` the plan they must become.
@Suite("plans for Envoy")
struct PlanCorpusTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Corpus/EnvoyProxy").path

    static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".json") && !$0.hasSuffix(".expected.json") }.map { String($0.dropLast(5)) }.sorted()

    static let configuration = {
        var configuration = EnvoyConfiguration(program: "/bin/envoy", folder: "/data/envoy", logFolder: "/data/logs")
        configuration.hostServices = [.init(namespace: "default", name: "kubernetes", address: "127.0.0.1", port: 6443)]
        configuration.nodeAddress = "10.2.0.1"
        configuration.podSubnet = "10.2.0.0/24"
        return configuration
    }()

    private func plan(_ name: String, reversed: Bool = false) throws -> ProxyPlan {
        let json = try JSON(parsing: try #require(FileManager.default.contents(atPath: "\(Self.folder)/\(name).json")))
        func objects(_ key: String) -> [KubeObject] {
            let all = (json[key]?.array ?? []).map { KubeObject($0) }
            return reversed ? all.reversed() : all
        }
        var input = ProxyInput(
            services: objects("services"),
            slices: objects("slices"),
            ingresses: objects("ingresses"),
            ingressClasses: objects("ingressClasses")
        )
        input.ownAddresses = Set((json["ownAddresses"]?.array ?? []).compactMap(\.string))
        return input.plan(Self.configuration)
    }

    private func json(_ plan: ProxyPlan) -> JSON {
        [
            "clusters": .object(JSONObject(plan.clusters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })),
            "listeners": .object(JSONObject(plan.listeners.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })),
            "routes": plan.routes,
            "warnings": .array(
                plan.warnings.map { "\($0.subject)/\($0.namespace)/\($0.name) \($0.reason): \($0.message)" }
            ),
        ]
    }

    @Test(arguments: cases)
    func objectsBecomeTheExpectedPlan(_ name: String) throws {
        let path = "\(Self.folder)/\(name).expected.json"
        let found = json(try plan(name))
        if ProcessInfo.processInfo.environment["BALLAST_BLESS"] == "1" {
            try Data((found.prettyText + "\n").utf8).write(to: URL(filePath: path))
        }
        let text = try #require(FileManager.default.contents(atPath: path))
        #expect(found == (try JSON(parsing: text)), "run with BALLAST_BLESS=1 to accept the new plan")
        #expect(json(try plan(name, reversed: true)) == found, "the order of objects says nothing")
    }

    @Test func thereAreCases() { #expect(Self.cases.count >= 4) }
}

@Suite("steps from plan to plan")
struct PlanStepTests {
    private func plan(_ clusters: [String], routes: String = "r", listeners: [String] = ["edge"]) -> ProxyPlan {
        ProxyPlan(
            clusters: Dictionary(uniqueKeysWithValues: clusters.map { ($0, .string($0)) }),
            listeners: Dictionary(uniqueKeysWithValues: listeners.map { ($0, .string($0)) }),
            routes: .string(routes)
        )
    }

    @Test func clustersComeBeforeTheirRoutesAndGoAfterThem() {
        let steps = PlanStep.steps(from: plan(["a", "b"]), to: plan(["b", "c"], routes: "new"))
        #expect(
            steps == [
                PlanStep(file: .clusters, resources: ["a", "b", "c"]), PlanStep(file: .routes, resources: ["new"]),
                PlanStep(file: .clusters, resources: ["b", "c"]),
            ]
        )
    }

    @Test func onlyWhatChangesIsWritten() {
        #expect(PlanStep.steps(from: plan(["a"]), to: plan(["a"])) == [])
        #expect(PlanStep.steps(from: plan(["a"]), to: plan(["a"], routes: "n")).map(\.file) == [.routes])
        #expect(
            PlanStep.steps(from: plan(["a"]), to: plan(["a"], listeners: ["edge", "s"])).map(\.file) == [.listeners]
        )
        var changed = plan(["a"])
        changed.clusters["a"] = "other endpoints"
        #expect(PlanStep.steps(from: plan(["a"]), to: changed).map(\.file) == [.clusters])
        #expect(PlanStep.steps(from: plan(["a", "b"]), to: plan(["a"])).map(\.file) == [.clusters])
    }
}
