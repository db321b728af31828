// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Releases
import Testing

@testable import Assembly

@Suite struct ReportFolderTests {
    private func withFolder(_ files: [String], _ work: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/ballast-reports-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        for file in files {
            let url = URL(filePath: "\(path)/\(file)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(file.utf8).write(to: url)
        }
        try work(path)
    }

    @Test func starsStayWithinANameAndTwoOfThemDoNot() throws {
        let files = ["a.xml", "out/b.xml", "out/deep/er/c.xml", "out/deep/d.txt", ".build/e.xml", "out.xml/f.xml"]
        try withFolder(files) { path in
            for (pattern, expected) in [
                ("*.xml", ["a.xml"]), ("out/*.xml", ["out/b.xml"]),
                ("out/**/*.xml", ["out/b.xml", "out/deep/er/c.xml"]),
                ("out/**", ["out/b.xml", "out/deep/d.txt", "out/deep/er/c.xml"]),
                ("**/?.xml", ["a.xml", "out.xml/f.xml", "out/b.xml", "out/deep/er/c.xml"]), ("./a.xml", ["a.xml"]),
                (".build/e.xml", [".build/e.xml"]), ("o*/d*p/*/c.xml", ["out/deep/er/c.xml"]), ("nothing/*", []),
            ] {
                #expect(ReportFolder(path: path).files(matching: [pattern]).map(\.name) == expected, "\(pattern)")
            }
            #expect(ReportFolder(path: path).files(matching: ["a.xml", "*.xml"]).map(\.name) == ["a.xml"])
        }
    }

    @Test func linksOutOfTheFolderAreNotFollowed() throws {
        try withFolder(["a.xml"]) { path in
            try FileManager.default.createSymbolicLink(atPath: "\(path)/etc", withDestinationPath: "/etc")
            try FileManager.default.createSymbolicLink(atPath: "\(path)/passwd.xml", withDestinationPath: "/etc/passwd")
            #expect(ReportFolder(path: path).files(matching: ["**/*", "etc/passwd"]).map(\.name) == ["a.xml"])
        }
    }

    @Test func aFileWrittenAnewHasAnotherStamp() throws {
        try withFolder(["a.xml"]) { path in
            let before = try #require(ReportFolder(path: path).files(matching: ["a.xml"]).first)
            #expect(ReportFolder(path: path).files(matching: ["a.xml"]).first == before)
            try FileManager.default.removeItem(atPath: "\(path)/a.xml")
            try Data("other".utf8).write(to: URL(filePath: "\(path)/a.xml"))
            let after = try #require(ReportFolder(path: path).files(matching: ["a.xml"]).first)
            #expect(after != before)
            #expect(try ReportFolder.contents(of: after) == Array("other".utf8))
        }
    }

    @Test func wordsOfACommandAreQuotedWhateverIsInThem() {
        #expect(Buildah.quoted("it's $HOME") == #"'it'\''s $HOME'"#)
    }

    @Test func withoutBuildahTheErrorSaysWhatToInstall() async throws {
        let buildah = Buildah(folder: "/nonexistent", aliases: [:], environment: ["PATH": "/nonexistent"])
        let plan = ContainerfilePlan(
            file: "/Containerfile",
            context: "/",
            name: "a",
            labels: [:],
            architecture: "amd64",
            credentials: nil
        )
        await #expect {
            try await buildah.prepare(plan)
        } throws: { ($0 as? Failure)?.code == .invalidInput && "\($0)".contains("apt-get install buildah") }
    }
}
