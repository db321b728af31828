// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import FoundationEssentials
package import Testing

/// A folder of the field's own test cases, run against Ballast.
///
/// The cases live outside the project: in `$BALLAST_CONFORMANCE`, or in `../shared/conformance` beside it. `make test`
/// runs the quick part of each suite, `make conformance` all of it and prints its line. A suite is one `@Test` in a type
/// whose name ends in `Conformance`, which is how `make conformance` finds it:
///
/// ```swift
/// struct RoundTripConformance {
///     @Test func everySampleSurvivesARoundTrip() async throws {
///         try await ConformanceSuite("k8s-roundtrip", in: "releases/samples").run { folder in
///             try samples(in: folder).map { ConformanceCase($0.name, $0) }
///         } check: { sample in
///             try requireEqual(roundTrip(sample), sample.object, "object")
///         }
///     }
/// }
/// ```
///
/// A check passes by returning and fails by throwing; it must not use `#expect`, which would fail the whole suite and
/// leave the case counted as passed.
package struct ConformanceSuite: Sendable {
    package let name: String
    private let folder: String
    private let quickStride: Int
    private let settings: ConformanceSettings
    private let record: @Sendable (String, SourceLocation) -> Void

    /// - Parameters:
    ///   - name: as in `make conformance SUITE=name` and in the lists of `Tests/Corpus`.
    ///   - folder: below the conformance root.
    ///   - quickStride: `make test` runs each `quickStride`-th case; 1, the default, is for suites that take no time.
    ///   - settings: from the environment, but in tests of this type.
    ///   - record: what fails the surrounding test.
    package init(
        _ name: String,
        in folder: String,
        quickStride: Int = 1,
        settings: ConformanceSettings = .ofThisProcess,
        record: @escaping @Sendable (String, SourceLocation) -> Void = { Issue.record("\($0)", sourceLocation: $1) }
    ) {
        precondition(quickStride > 0, "a stride of zero would run nothing")
        self.name = name
        self.folder = folder
        self.quickStride = quickStride
        self.settings = settings
        self.record = record
    }

    /// Runs the cases one after another and records an issue for each surprise.
    ///
    /// Without the folder it says so and returns. `load` is given the suite's folder; an error of it fails the suite.
    package func run<Input: Sendable>(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ load: (URL) throws -> [ConformanceCase<Input>],
        check: (Input) async throws -> Void
    ) async throws {
        let report = ConformanceReport(suite: name, folder: settings.reports)
        if let only = settings.onlySuite, only != name { return report.passedOver() }
        let directory = settings.root.appending(path: folder, directoryHint: .isDirectory)
        guard FileManager.default.fileExists(atPath: directory.path) else {
            return report.skipped(because: "there is no folder \(folder) in \(settings.root.path)")
        }
        report.started()
        var tally = ConformanceTally(suite: name, lists: try settings.lists(of: name))
        let cases = try load(directory)
        for (index, next) in cases.enumerated() where !tally.skips(next.name) {
            guard settings.isWhole || index.isMultiple(of: quickStride) else { continue }
            await tally.count(next.name, outcome(of: next.input, check))
        }
        if settings.isWhole || quickStride == 1 { tally.close() }
        report.finished(tally)
        for surprise in tally.surprises.prefix(40) {
            record("\(name): \(surprise)", sourceLocation)
        }
        if tally.surprises.count > 40 {
            record("\(name): and \(tally.surprises.count - 40) more", sourceLocation)
        }
    }

    private func outcome<Input: Sendable>(
        of input: Input,
        _ check: (Input) async throws -> Void
    ) async -> ConformanceTally.Outcome {
        do {
            try await check(input)
            return .passed
        } catch {
            return .failed(because: "\(error)")
        }
    }
}
