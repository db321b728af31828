// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import FoundationEssentials

/// An app's source with files in it, for as long as a test needs it.
struct SourceFolder {
    let path: String

    init(_ files: [String: String]) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "ballast-source-\(UUID().uuidString)").path
        for (name, text) in files { try write(name, text) }
    }

    func write(_ name: String, _ text: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
    }

    func remove(_ name: String? = nil) {
        try? FileManager.default.removeItem(atPath: name.map { "\(path)/\($0)" } ?? path)
    }

    /// The app of ``World`` as a file in this folder.
    func file(_ deploy: String) throws -> AppFile { try World.file(deploy, folder: path) }

    static func config(_ name: String, _ data: [String: String]) -> String {
        let lines = data.sorted { $0.key < $1.key }.map { "  \($0.key): \"\($0.value)\"" }.joined(separator: "\n")
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \(name) }\ndata:\n\(lines)\n"
    }
}
