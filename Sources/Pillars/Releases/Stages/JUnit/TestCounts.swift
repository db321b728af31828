// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// How many tests ran, and how they ended.
package struct TestCounts: Sendable, Hashable {
    /// All of them, the skipped ones too.
    package var total = 0
    package var failed = 0
    package var skipped = 0

    package init(total: Int = 0, failed: Int = 0, skipped: Int = 0) {
        self.total = total
        self.failed = failed
        self.skipped = skipped
    }

    package var passed: Int { max(0, total - failed - skipped) }

    package static func + (left: TestCounts, right: TestCounts) -> TestCounts {
        TestCounts(
            total: left.total + right.total,
            failed: left.failed + right.failed,
            skipped: left.skipped + right.skipped
        )
    }

    /// "412 tests passed, 2 failed, 3 skipped"
    package var words: String {
        var words = "\(passed) test\(passed == 1 ? "" : "s") passed"
        if failed > 0 { words += ", \(failed) failed" }
        if skipped > 0 { words += ", \(skipped) skipped" }
        return words
    }

    package init?(_ json: JSON?) {
        guard let total = json?["total"]?.int else { return nil }
        self.init(total: total, failed: json?["failed"]?.int ?? 0, skipped: json?["skipped"]?.int ?? 0)
    }

    package var json: JSON { ["total": JSON(total), "failed": JSON(failed), "skipped": JSON(skipped)] }
}

/// What the reports of one step say.
struct TestReport: Sendable, Equatable {
    var counts = TestCounts()
    /// The first failing tests: "Cart.total(): expected 3".
    var failures: [String] = []

    static let failureLimit = 20

    mutating func add(_ other: TestReport) {
        counts = counts + other.counts
        failures = Array((failures + other.failures).prefix(Self.failureLimit))
    }
}
