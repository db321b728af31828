// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import FoundationEssentials
import Model

/// `ballast init`: writes a first app file.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a ballast.yaml to start from."
    )

    @Argument(help: "The folder.") var folder = "."
    @Option(help: "The app's name (default: the folder's).") var name: String?
    @Option(name: .shortAndLong, help: "The app's namespace.") var namespace = "default"

    /// The system's program first: others are often scripts that only find it.
    private static func program(_ name: String) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let found = (["/usr/bin", "/usr/local/bin"] + path).map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return found.map { URL(filePath: $0).resolvingSymlinksInPath().path }
    }

    func run() throws {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
            throw Failure(.notFound, "there is no folder '\(folder)'")
        }
        let path = folder == "." ? "ballast.yaml" : "\(folder.hasSuffix("/") ? folder : folder + "/")ballast.yaml"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure(.conflict, "'\(path)' exists already; remove it first to start anew")
        }
        guard KubernetesNames.isLabel(namespace) else {
            throw Failure(
                .invalidInput,
                "'\(namespace)' is no namespace name: lower-case letters, digits and '-', at most 63"
            )
        }
        let base = name ?? URL(filePath: folder).absoluteURL.standardized.lastPathComponent
        guard let label = FirstAppFile.name(from: base) else {
            throw Failure(.invalidInput, "'\(base)' gives no app name; say one with --name, such as '--name cart'")
        }
        let contents = { (file: String) in
            FileManager.default.contents(atPath: "\(folder)/\(file)").map { String(decoding: $0, as: UTF8.self) }
        }
        do {
            let file = FirstAppFile(name: label, namespace: namespace, contents: contents, program: Self.program)
            let text = file.text
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch {
            throw Failure(.fault, "'\(path)' cannot be written", cause: error)
        }
        let command = folder == "." ? "ballast release" : "ballast release \(folder)"
        Terminal.result("wrote \(path); look it over, then run '\(command)'")
    }
}
