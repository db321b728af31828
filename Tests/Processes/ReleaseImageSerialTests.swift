// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// Tests, bases and Containerfiles of releases, by the built binary against the embedded registry.
@Suite(
    "images of releases, by the built binary",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct ReleaseImageSerialTests {
    private static func write(_ text: String, _ file: String) throws {
        let url = URL(filePath: file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// An app file with that image and those tests; it runs `/run.sh`.
    private static func app(_ name: String, _ build: String, tests: String = "", below folder: String) throws -> String
    {
        let path = "\(folder)/\(name)"
        try write(
            """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: \(name), namespace: apps }
            spec:
              test: [\(tests)]
              image: { repository: localhost:5000/apps/\(name), build: \(build) }
              deploy: { deadline: 60s, terminationGracePeriod: 1s }
            """,
            "\(path)/ballast.yaml"
        )
        try write(
            "[ -e /made ] && /bin/busybox cat /made\ntrap 'exit 0' TERM; while :; do /bin/busybox sleep 0.2; done\n",
            "\(path)/run.sh"
        )
        return path
    }

    @Test func basesAndContainerfilesBecomeTheSameDigestTwiceAndTestsAreCounted() throws {
        let sources = ReleaseSerialTests.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        func release(_ path: String, path searched: String? = nil) throws -> (result: CommandResult, record: JSON) {
            let result = try Programs.run(
                Programs.ballast,
                ["release", path, "-o", "json", "--data", machine.folder],
                in: Programs.root,
                environment: searched.map { ["PATH": $0] } ?? [:],
                limit: 120
            )
            return (result, (try? JSON(parsing: Array(result.output.utf8))) ?? .null)
        }
        let base = try Self.app(
            "base",
            "{ files: [{ from: /bin/busybox, to: /bin/busybox, libraries: true }, { from: run.sh, to: /run.sh }], entrypoint: [/bin/busybox, sh, /run.sh] }",
            below: sources
        )
        let first = try release(base)
        #expect(first.result.code == 0, "\(first.result.errors)")

        // On a base, with tests side by side whose reports are counted.
        let report = #"<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>"#
        let web = try Self.app(
            "web",
            "{ from: 'localhost:5000/apps/base:1', files: [{ from: note.txt, to: /etc/note.txt }] }",
            tests: """
                { name: unit, parallel: true, junit: 'out/**/*.xml', run: 'mkdir -p out/deep && until [ -e lint.here ]; do sleep 0.05; done; cp report out/deep/r.xml' },
                { name: lint, parallel: true, run: 'touch lint.here' }
                """,
            below: sources
        )
        try Self.write("built on a base", "\(web)/note.txt")
        try Self.write(report, "\(web)/report")
        let (one, two) = (try release(web), try release(web))
        #expect(one.result.code == 0, "\(one.result.errors)")
        #expect(one.record["image"]?.string?.contains("@sha256:") == true)
        #expect(one.record["image"] == two.record["image"])
        #expect(one.result.errors.contains("base localhost:5000/apps/base:1 is sha256:"), "\(one.result.errors)")
        #expect(two.result.errors.contains("all of it is here"), "\(two.result.errors)")
        let steps = one.record["stages"]?[0]?["steps"]?.array ?? []
        let unit = steps.first { $0["name"]?.string == "unit" }
        #expect(unit?["tests"] == ["total": 2, "failed": 0, "skipped": 1], "\(one.record.text)")
        #expect(steps.count == 2)

        // A report that counts a failure is a failure, and nothing in the cluster changes.
        try Self.write(
            #"<testsuite><testcase name="sum"><failure message="3 is not 4"/></testcase></testsuite>"#,
            "\(web)/report"
        )
        let failing = try release(web)
        #expect(
            failing.result.code != 0 && failing.result.errors.contains("sum: 3 is not 4"),
            "\(failing.result.errors)"
        )

        // A Containerfile without buildah says what to install.
        let built = try Self.app("built", "{ containerfile: ./Containerfile }", below: sources)
        try Self.write(
            "FROM localhost:5000/apps/base:1\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo made > /made\"]\n",
            "\(built)/Containerfile"
        )
        let without = try release(built, path: "/nonexistent")
        #expect(
            without.result.code != 0 && without.result.errors.contains("apt-get install buildah"),
            "\(without.result.errors)"
        )
        guard Programs.tool("buildah") != nil else { return }
        let (third, fourth) = (try release(built), try release(built))
        #expect(third.result.code == 0, "\(third.result.errors)")
        #expect(third.record["image"]?.string?.contains("@sha256:") == true)
        #expect(third.record["image"] == fourth.record["image"], "\(fourth.result.errors)")
        try machine.wait("the container has what the Containerfile made") {
            try machine.ask("logs", "deployment/built", "-n", "apps").contains("made")
        }
    }
}
