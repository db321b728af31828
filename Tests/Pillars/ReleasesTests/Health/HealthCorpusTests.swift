// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import TestKit
import Testing

@testable import Releases

/// Objects in `Tests/Corpus/Health`, each below a line that says how it stands: `# STATE REASON: why`.
@Suite("the health of objects")
struct HealthCorpusTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var title: String
        var expected: String
        var object: KubeObject
        var testDescription: String { title }
    }

    static let samples: [Sample] = {
        let folder = URL.ballastProject.appending(path: "Tests/Corpus/Health")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? []
        return files.flatMap { file -> [Sample] in
            let text = (try? String(contentsOf: folder.appending(path: file), encoding: .utf8)) ?? ""
            return text.split(separator: "\n---\n").compactMap { part in
                let first = part.prefix { $0 != "\n" }.dropFirst(2)
                let words = first.split(separator: ": ", maxSplits: 1).map(String.init)
                guard words.count == 2, let object = try? HealthSamples.object(String(part)) else { return nil }
                return Sample(title: words[1], expected: words[0], object: object)
            }
        }
    }()

    @Test func theCorpusIsRead() { #expect(Self.samples.count >= 38) }

    @Test(arguments: samples)
    func anObjectStandsAsTheCorpusSays(_ sample: Sample) {
        var storageClass = KubeObject(.storageClasses, name: "late")
        storageClass["volumeBindingMode"] = "WaitForFirstConsumer"
        let surroundings = Health.Surroundings(
            now: Timestamp("2027-01-15T08:00:00Z") ?? HealthSamples.now,
            storageClasses: ["late": storageClass],
            mountedClaims: ["mounted"]
        )
        let health = Health.of(sample.object, in: surroundings)
        #expect("\(health.state) \(health.reason)" == sample.expected, "\(health.message)")
    }

    @Test func onlyWhatManyClustersNeverBringAboutIsOptional() {
        let optional = Self.samples.filter {
            Health.of($0.object, in: Health.Surroundings(now: HealthSamples.now)).isOptional
        }
        #expect(Set(optional.map(\.object.kind)) == ["Ingress", "Widget"])
    }
}
