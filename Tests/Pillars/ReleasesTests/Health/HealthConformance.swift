// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import FoundationEssentials
import Model
import TestKit
import Testing

@testable import Releases

/// kstatus' own table of objects and what it makes of them.
struct KstatusConformance {
    private struct Case: Sendable {
        var object: KubeObject
        var status: String
        /// By the reasons of the conditions that kstatus derives.
        var reasons: [String]
        var now: Timestamp
    }

    @Test func objectsStandAsKstatusSaysTheyDo() async throws {
        try await ConformanceSuite("kstatus", in: "releases/kstatus").run { folder in
            let bytes = try Data(contentsOf: folder.appending(path: "status_compute_cases.json"))
            let table = try JSON(parsing: bytes)
            return try (table["cases"]?.array ?? []).map { entry in
                let name = "\(entry["test"]?.string ?? "") \(entry["name"]?.string ?? "")"
                return ConformanceCase(name, try Self.read(entry))
            }
        } check: { input in
            let health = Health.of(input.object, in: Health.Surroundings(now: input.now))
            try requireEqual(Self.word(for: health.state), input.status, "status (\(health.reason): \(health.message))")
            for reason in input.reasons { try requireEqual(health.reason, reason, "reason") }
        }
    }

    private static func read(_ entry: JSON) throws -> Case {
        let now = Timestamp(seconds: 1_800_000_000)
        let text = (entry["objectYAML"]?.string ?? "").replacing("%s", with: "\(now)")
        let conditions = entry["expectedConditions"]?.array ?? []
        return Case(
            object: try HealthSamples.object(text),
            status: entry["expectedStatus"]?.string ?? "",
            reasons: conditions.compactMap { $0["reason"]?.string },
            now: now
        )
    }

    /// kstatus has no word for what is paused: a suspended Job is `Current` to it, and so is what we call suspended.
    private static func word(for state: Health.State) -> String {
        switch state {
        case .inProgress: "InProgress"
        case .current, .suspended: "Current"
        case .failed: "Failed"
        case .terminating: "Terminating"
        case .missing: "NotFound"
        case .unknown: "Unknown"
        }
    }
}

/// Argo CD's built-in kinds.
struct ArgoHealthConformance {
    private struct Case: Sendable {
        var object: KubeObject
        var expected: String?
    }

    @Test func builtInKindsStandAsArgoCDSaysTheyDo() async throws {
        try await ConformanceSuite("argocd-health", in: "releases/argocd-health").run { folder in
            let table = try JSON(parsing: Data(contentsOf: folder.appending(path: "expected.json")))
            return try (table["cases"]?.array ?? []).map { entry in
                let path = entry["path"]?.string ?? ""
                let text = try String(contentsOf: folder.appending(path: "testdata/\(path)"), encoding: .utf8)
                let input = Case(object: try HealthSamples.object(text), expected: entry["expected"]?.string)
                return ConformanceCase(path, input)
            }
        } check: { input in
            let health = Health.of(input.object, in: Health.Surroundings(now: HealthSamples.now))
            try requireEqual(
                HealthSamples.argo(health),
                input.expected ?? "no opinion",
                "health (\(health.reason): \(health.message))"
            )
        }
    }
}

/// The custom resources that Argo CD knows by a script for each.
struct ArgoCustomResourceConformance {
    private struct Case: Sendable {
        var object: KubeObject
        var expected: String
    }

    /// What the rules reach; more is better, less is a step back.
    private static let leastAgreement = 86

    @Test func customResourcesStandAsArgoCDsScriptsSayTheyDo() async throws {
        var (agreed, all) = (0, 0)
        let suite = ConformanceSuite("argocd-crds", in: "releases/argocd-resource_customizations", quickStride: 4)
        try await suite.run { folder in
            try Self.tables(in: folder).flatMap { table in try Self.cases(of: table) }
        } check: { input in
            let health = Health.of(input.object, in: Health.Surroundings(now: HealthSamples.now))
            all += 1
            agreed += HealthSamples.argo(health) == input.expected ? 1 : 0
            try requireEqual(
                HealthSamples.argo(health),
                input.expected,
                "health (\(health.reason): \(health.message))"
            )
        }
        #expect(agreed * 100 >= Self.leastAgreement * all, "\(agreed) of \(all) agree")
    }

    private static func tables(in folder: URL) throws -> [(name: String, folder: URL)] {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: folder.path).sorted().flatMap { group in
            try files.contentsOfDirectory(atPath: folder.appending(path: group).path).sorted().map { kind in
                (name: "\(group)/\(kind)", folder: folder.appending(path: "\(group)/\(kind)"))
            }
        }.filter { files.fileExists(atPath: $0.folder.appending(path: "health_test.yaml").path) }
    }

    private static func cases(of table: (name: String, folder: URL)) throws -> [ConformanceCase<Case>] {
        let text = try String(contentsOf: table.folder.appending(path: "health_test.yaml"), encoding: .utf8)
        var names: [String: Int] = [:]
        return try (HealthSamples.json(text)["tests"]?.array ?? []).compactMap { test in
            let path = test["inputPath"]?.string ?? ""
            let file = table.folder.appending(path: path)
            guard FileManager.default.fileExists(atPath: file.path) else { return nil }
            let object = try HealthSamples.object(String(contentsOf: file, encoding: .utf8))
            let expected = test[path: "healthStatus", "status"]?.string ?? ""
            // The same sample may stand in a table twice.
            names[path, default: 0] += 1
            let times = names[path].map { $0 == 1 ? "" : " (\($0))" } ?? ""
            let name = "\(table.name)/\(path.split(separator: "/").last ?? "")\(times)"
            return ConformanceCase(name, Case(object: object, expected: expected))
        }
    }
}

/// kubedog's rules: which value of which field means that a custom resource is ready, failed or under way.
struct KubedogConformance {
    private struct Case: Sendable {
        var object: KubeObject
        var expected: String
    }

    @Test func valuesMeanWhatKubedogSaysTheyMean() async throws {
        try await ConformanceSuite("kubedog", in: "releases/kubedog").run { folder in
            let file = folder.appending(path: "contrib_resource_status_rules.yaml")
            let table = try HealthSamples.json(String(contentsOf: file, encoding: .utf8))
            return (table["rules"]?.array ?? []).flatMap(Self.cases)
        } check: { input in
            let health = Health.of(input.object, in: Health.Surroundings(now: HealthSamples.now))
            let word =
                switch health.state {
                case .current: "ready"
                case .failed: "failed"
                default: "progressing"
                }
            try requireEqual(word, input.expected, "health (\(health.reason): \(health.message))")
        }
    }

    private static func cases(of rule: JSON) -> [ConformanceCase<Case>] {
        let (group, kind) = (rule["resourceGroup"]?.string ?? "", rule["resourceKind"]?.string ?? "")
        return ["ready", "progressing", "failed"].flatMap { expected in
            (rule[path: "conditions", expected]?.array ?? []).map { value in
                let word = value.scalarText ?? ""
                var object = KubeObject(["apiVersion": .string("\(group)/v1"), "kind": .string(kind)])
                object["metadata"] = ["name": "sample"]
                object["status"] = status(rule["jsonPath"]?.string ?? "", word)
                return ConformanceCase("\(group)/\(kind) \(word)", Case(object: object, expected: expected))
            }
        }
    }

    /// The status in which the field at that path has that value: `$.status.a.b`, or the status of a condition by type.
    private static func status(_ path: String, _ word: String) -> JSON {
        if let type = path.firstMatch(of: /@\.type==['"]([A-Za-z]+)['"]/) {
            return ["conditions": [["type": .string(String(type.1)), "status": .string(word)]]]
        }
        var status: JSON = [:]
        status.set(.string(word), at: path.split(separator: ".").dropFirst(2).map(String.init))
        return status
    }
}

/// Reads the field's samples.
enum HealthSamples {
    static let now = Timestamp(seconds: 1_800_000_000)

    /// The first document. Some samples give a key twice; to the programs they come from the last one counts.
    static func json(_ text: String) throws -> JSON {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var result = parse(text)
        while case .failure(let error) = result, error.message.contains("given more than once") {
            let first = error.line - 1
            let indent = lines[first].prefix { $0 == " " }.count
            let after = lines[(first + 1)...].firstIndex { line in line.prefix { $0 == " " }.count <= indent }
            lines.removeSubrange(first..<(after ?? lines.endIndex))
            result = parse(lines.joined(separator: "\n"))
        }
        return try result.get()
    }

    private static func parse(_ text: String) -> Result<JSON, YAMLError> {
        Result { () throws(YAMLError) -> JSON in
            try YAMLDocument.parseAll(text, as: .kubernetes).first?.json ?? [:]
        }
    }

    static func object(_ text: String) throws -> KubeObject { KubeObject(try json(text)) }

    static func argo(_ health: Health) -> String {
        switch health.state {
        case .inProgress, .terminating: "Progressing"
        case .current: "Healthy"
        case .failed: "Degraded"
        case .suspended: "Suspended"
        case .missing: "Missing"
        case .unknown: "Unknown"
        }
    }
}
