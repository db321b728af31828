// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Synchronization
import Testing

@testable import Assembly

@Suite struct ShellRunnerTests {
    private final class Lines: Sendable {
        private let state = Mutex<[String]>([])
        func add(_ line: String) { state.withLock { $0.append(line) } }
        var all: [String] { state.withLock { $0 } }
    }

    private func run(_ command: String) async throws -> (code: Int32, lines: [String]) {
        let lines = Lines()
        let code = try await ShellRunner().run(command, in: "/tmp", timeout: .seconds(20)) { lines.add($0) }
        return (code, lines.all)
    }

    @Test func aCommandHasItsOutputItsFolderItsExitCodeAndNoInput() async throws {
        let result = try await run("pwd; echo oops >&2; cat; read -r x || echo none; exit 7")
        #expect(result.code == 7)
        #expect(result.lines == ["/tmp", "oops", "none"])
    }

    @Test func aCommandThatASignalEndsHasItsCode() async throws {
        #expect(try await run("kill -TERM $$").code == 143)
    }

    @Test func theCommandHasNoChildrenButItsOwn() async throws {
        // Its watcher is not one: whoever waits for all children would wait for ever.
        #expect(try await run(#"read -r c < /proc/$$/task/$$/children; echo "[$c]""#).lines == ["[]"])
    }

    @Test func whatACommandLeftRunningEndsWithIt() async throws {
        let result = try await run("sleep 300 >/dev/null 2>&1 & echo $!")
        let child = try #require(pid_t(result.lines.first ?? ""))
        try await Self.awaitEnd(of: child)
    }

    /// Asks the kernel, bounded in number.
    static func awaitEnd(of process: pid_t) async throws {
        for _ in 0..<200 {
            let state = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8))?
                .split(separator: " ").dropFirst(2).first
            if state == nil || state == "Z" { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("process \(process) still runs")
    }
}
