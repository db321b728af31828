// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import TestKit
import Testing

@testable import KubeServer

/// A real 1.36 server's answers, request by request.
struct TranscriptConformance {
    @Test func theRealServersAnswersAreOurs() async throws {
        let replay = try await TranscriptReplay()
        try await ConformanceSuite("k8s-transcripts", in: "releases/k8s-transcripts").run { folder in
            try TranscriptFixtures.order.flatMap { scenario in try Self.steps(scenario, in: folder) }
        } check: { step in
            try await replay.check(step)
        }
    }

    private static func steps(
        _ scenario: String,
        in folder: URL
    ) throws -> [ConformanceCase<TranscriptReplay.Step>] {
        let data = try Data(contentsOf: folder.appending(path: "\(scenario).json"))
        let steps = try JSON(parsing: Array(data))["steps"]?.array ?? []
        return steps.enumerated().map { place, json in
            let number = place < 10 ? "0\(place)" : "\(place)"
            return ConformanceCase(
                "\(scenario)/\(number)",
                TranscriptReplay.Step(scenario: scenario, place: place, json: json)
            )
        }
    }
}
