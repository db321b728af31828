// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import TestKit
import Testing

@Suite("source files")
struct SourceTests {
    @Test("every source file opens with the licence header")
    func licenceHeader() throws {
        let files = try SourceFile.all()
        #expect(files.count > 20)
        for file in files where !file.hasHeader {
            Issue.record("\(file.path) lacks the two-line SPDX header")
        }
    }

    @Test("no source file is longer than 600 lines")
    func fileLength() throws {
        for file in try SourceFile.all() where file.lines.count > 600 {
            Issue.record("\(file.path) has \(file.lines.count) lines; split it by topic")
        }
    }

    @Test("base and engines do without the whole of Foundation")
    func noFullFoundationBelow() throws {
        for file in try SourceFile.all() where file.isBelow && file.importsFoundation {
            Issue.record("\(file.path) imports Foundation; FoundationEssentials is what it may use")
        }
    }

    @Test("the header and import checks can fail")
    func checksCanFail() {
        let header = "// SPDX-License-Identifier: Apache-2.0\n// Copyright the Ballast authors\n"
        #expect(SourceFile(path: "Sources/Base/A.swift", text: header).hasHeader)
        #expect(SourceFile(path: "Package.swift", text: "// swift-tools-version: 6.2\n" + header).hasHeader)
        #expect(!SourceFile(path: "Sources/Base/A.swift", text: "import Foundation\n" + header).hasHeader)
        #expect(!SourceFile(path: "Sources/Base/A.swift", text: "// Copyright the Ballast authors\n").hasHeader)
        for line in ["import Foundation", "package import Foundation", "@preconcurrency import Foundation"] {
            #expect(SourceFile(path: "A.swift", text: "\(line)\n").importsFoundation)
        }
        #expect(
            !SourceFile(path: "A.swift", text: "import FoundationEssentials\n// import Foundation\n").importsFoundation
        )
    }
}

/// One file of ours, as text.
private struct SourceFile {
    /// From the project's root.
    let path: String
    let lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    var isBelow: Bool { path.hasPrefix("Sources/Base/") || path.hasPrefix("Sources/Engines/") }

    var hasHeader: Bool {
        let first = lines.first?.hasPrefix("// swift-tools-version") == true ? 1 : 0
        return lines.dropFirst(first).prefix(2)
            .elementsEqual(["// SPDX-License-Identifier: Apache-2.0", "// Copyright the Ballast authors"])
    }

    var importsFoundation: Bool {
        lines.contains { $0.hasSuffix("import Foundation") && !$0.hasPrefix("//") }
    }

    /// Every Swift and C file of the project; what was built is not among them.
    static func all() throws -> [SourceFile] {
        let root = URL.ballastProject
        let folders = ["Package.swift", "Sources", "Tests", "Benchmarks", "Examples"]
        return try folders.flatMap { try files(under: root.appending(path: $0), from: root) }
    }

    private static func files(under url: URL, from root: URL) throws -> [SourceFile] {
        if url.pathExtension.isEmpty {
            guard !url.lastPathComponent.hasPrefix("."),
                let names = try? FileManager.default.contentsOfDirectory(atPath: url.path)
            else { return [] }
            return try names.sorted().flatMap { try files(under: url.appending(path: $0), from: root) }
        }
        guard ["swift", "c", "h"].contains(url.pathExtension) else { return [] }
        let path = String(url.path.dropFirst(root.path.count).drop { $0 == "/" })
        return [SourceFile(path: path, text: try String(contentsOf: url, encoding: .utf8))]
    }
}
