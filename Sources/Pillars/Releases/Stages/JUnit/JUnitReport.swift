// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Reads JUnit's XML as the many tools write it that do so.
///
/// Test cases are counted themselves, since the numbers that suites carry mean something else with every tool; where a suite
/// says that more has failed than its cases show, such as a set-up that broke, that counts.
struct JUnitReport {
    private struct Suite {
        var counts = TestCounts()
        var claimed = TestCounts()
    }

    private struct Case {
        var name: String
        var hasFailed = false
        var isSkipped = false
        var message: String?
        /// Text of the failure that is being read; it serves where there is no message.
        var text = ""
    }

    private var suites = [Suite()]
    private var current: Case?
    /// Elements open inside of the case.
    private var inside: [String] = []
    private var report = TestReport()

    /// Throws where the bytes are no XML, or are XML of another kind.
    static func read(_ bytes: [UInt8]) throws(XMLError) -> TestReport {
        var reader = JUnitReport()
        var scanner = XMLScanner(bytes)
        var isFirst = true
        while let event = try scanner.next() {
            if isFirst, case .start(let name, _) = event {
                guard name == "testsuites" || name == "testsuite" else {
                    throw XMLError(problem: "'\(name)' is no JUnit report", offset: 0)
                }
                isFirst = false
            }
            reader.take(event)
        }
        reader.report.counts = reader.suites[0].counts
        return reader.report
    }

    private mutating func take(_ event: XMLScanner.Event) {
        switch event {
        case .start(let name, let attributes):
            if current != nil { startInside(name, attributes) } else { start(name, attributes) }
        case .text(let text):
            if inside.last == "failure" || inside.last == "error", (current?.text.utf8.count ?? 0) < 4096 {
                current?.text += text
            }
        case .end(let name):
            if inside.isEmpty { end(name) } else { inside.removeLast() }
        }
    }

    private mutating func start(_ name: String, _ attributes: [String: String]) {
        func number(_ key: String) -> Int { attributes[key].flatMap { Int($0) } ?? 0 }
        switch name {
        case "testsuites", "testsuite":
            var suite = Suite()
            suite.claimed = TestCounts(
                total: number("tests"),
                failed: number("failures") + number("errors"),
                skipped: max(number("skipped") + number("skip"), number("disabled"))
            )
            suites.append(suite)
        case "testcase":
            let group = attributes["classname"] ?? attributes["class"] ?? ""
            let own = attributes["name"] ?? "a test without name"
            var found = Case(name: group.isEmpty || own.hasPrefix(group) ? own : "\(group).\(own)")
            let status = (attributes["status"] ?? attributes["result"] ?? "").lowercased()
            found.isSkipped = ["notrun", "skipped", "disabled", "ignored", "suppressed"].contains(status)
            found.hasFailed = ["failed", "fail", "error"].contains(status)
            current = found
        default: inside.append(name)
        }
    }

    private mutating func startInside(_ name: String, _ attributes: [String: String]) {
        inside.append(name)
        guard inside.count == 1 else { return }
        switch name {
        case "failure", "error":
            current?.hasFailed = true
            if current?.message == nil { current?.message = attributes["message"] ?? attributes["type"] }
        case "skipped", "disabled": current?.isSkipped = true
        default: break
        }
    }

    private mutating func end(_ name: String) {
        if let found = current, name == "testcase" {
            current = nil
            suites[suites.count - 1].counts =
                suites[suites.count - 1].counts
                + TestCounts(
                    total: 1,
                    failed: found.hasFailed ? 1 : 0,
                    skipped: found.isSkipped && !found.hasFailed ? 1 : 0
                )
            if found.hasFailed, report.failures.count < TestReport.failureLimit {
                report.failures.append(Self.words(of: found))
            }
        } else if suites.count > 1, let suite = suites.popLast() {
            suites[suites.count - 1].counts = suites[suites.count - 1].counts + Self.settled(suite)
        }
    }

    private static func settled(_ suite: Suite) -> TestCounts {
        guard suite.counts.total > 0 else { return suite.claimed }
        var counts = suite.counts
        if suite.claimed.failed > counts.failed {
            counts.total = max(counts.total, counts.total + suite.claimed.failed - counts.failed)
            counts.failed = suite.claimed.failed
        }
        return counts
    }

    private static func words(of found: Case) -> String {
        let text = (found.message.flatMap { $0.isEmpty ? nil : $0 } ?? found.text)
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
        guard let line = lines.first(where: { !$0.isEmpty }) else { return found.name }
        return "\(found.name): \(line.prefix(200))"
    }
}
