// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import NIOHTTP1
import Ports
import Synchronization
import TestKit
import Testing

@testable import KubernetesClient

/// What a kube-apiserver 1.36 really answered, played to the client.
@Suite("answers of a real server")
struct TranscriptTests {
    struct Step: Sendable {
        var place: String
        var method: String
        var path: String
        var status: Int
        var type: String
        var warnings: [String]
        var response: JSON
    }

    private static let steps: [Step] = {
        let folder = ConformanceSettings.ofThisProcess.root.appending(path: "releases/k8s-transcripts")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }.flatMap { file -> [Step] in
            guard let text = try? String(contentsOf: file, encoding: .utf8), let json = try? JSON(parsing: text) else {
                return []
            }
            return (json.array ?? json["steps"]?.array ?? []).enumerated().compactMap { place, step in
                guard let request = step["request"], let status = step["status"]?.int else { return nil }
                return Step(
                    place: "\(file.lastPathComponent)[\(place)]",
                    method: request["method"]?.string ?? "GET",
                    path: request["path"]?.string ?? "/",
                    status: status,
                    type: step["contentType"]?.string ?? "application/json",
                    warnings: (step["warnings"]?.array ?? []).compactMap(\.string),
                    response: step["response"] ?? .null
                )
            }
        }
    }()

    /// Sends the step's request to a server that answers as recorded.
    private func play(_ steps: [Step], _ check: (Step, Result<JSON, Failure>, [String]) throws -> Void) async throws {
        let current = Mutex<Step?>(nil)
        let server = try WireServer { _, wire in
            guard let step = current.withLock(\.self) else { return false }
            let body = step.response.string ?? step.response.text
            wire.answer(step.status, body, headers: step.warnings.map { ("Warning", $0) }, type: step.type)
            return true
        }
        let client = try KubernetesClient(KubeConfig(server: server.url))
        for step in steps {
            current.withLock { $0 = step }
            let heard = Mutex<[String]>([])
            var result: Result<JSON, Failure>
            do {
                let answer = try await ClusterWarnings.heard { text in
                    heard.withLock { $0.append(text) }
                } during: {
                    try await client.link.send(APICall(HTTPMethod(rawValue: step.method), step.path))
                }
                result = .success(try answer.json(from: client.server))
            } catch let failure as Failure {
                result = .failure(failure)
            }
            try check(step, result, heard.withLock(\.self))
        }
        await client.shutdown()
    }

    @Test(
        "each refusal becomes a failure that keeps the server's code, reason, message and causes",
        .enabled(if: !steps.isEmpty)
    )
    func refusals() async throws {
        let refused = Self.steps.filter { $0.status >= 300 && $0.method != "OPTIONS" }
        #expect(refused.count > 50)
        try await play(refused) { step, result, _ in
            guard case .failure(let failure) = result, let status = failure.status else {
                Issue.record("\(step.place): no failure with a status")
                return
            }
            #expect(status.code == step.status, "\(step.place)")
            guard step.response["kind"] == "Status" else { return }
            #expect(status.message == step.response["message"]?.string ?? "no message", "\(step.place)")
            #expect(status.reason == step.response["reason"]?.string ?? "", "\(step.place)")
            let causes = step.response[path: "details", "causes"]?.array ?? []
            #expect(status.causes.map(\.field) == causes.map { $0["field"]?.string }, "\(step.place)")
            #expect(status.causes.map(\.message) == causes.map { $0["message"]?.string ?? "" }, "\(step.place)")
        }
    }

    @Test("each success is handed over as it was said, and each warning is heard", .enabled(if: !steps.isEmpty))
    func successes() async throws {
        let good = Self.steps.filter { $0.status < 300 && $0.type.hasPrefix("application/json") }
        #expect(good.count > 150)
        #expect(good.contains { !$0.warnings.isEmpty })
        try await play(good) { step, result, heard in
            guard case .success(let json) = result else {
                Issue.record("\(step.place): \(result)")
                return
            }
            #expect(json == step.response, "\(step.place)")
            #expect(heard.count == step.warnings.count, "\(step.place)")
            for (text, header) in zip(heard, step.warnings) {
                #expect(header == "299 - \(JSON.string(text).text)", "\(step.place)")
            }
        }
    }
}
