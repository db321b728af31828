// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import FoundationEssentials
import Model
import Ports
import Releases

/// `ballast init`: writes a first app file, or one of what runs already.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a ballast.yaml to start from."
    )

    @Argument(help: "The folder.") var folder = "."
    @Option(help: "The app's name (default: the folder's).") var name: String?
    @Option(name: .shortAndLong, help: "The app's namespace.") var namespace = "default"
    @Option(help: "Something that runs already, such as deployment/cart: what the app file cannot say goes into k8s.")
    var from: String?
    @Option(help: "The cluster where that runs, as 'ballast clusters' calls it (default: local).") var cluster: String?
    @OptionGroup var home: HomeOptions

    /// The system's program first: others are often scripts that only find it.
    private static func program(_ name: String) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let found = (["/usr/bin", "/usr/local/bin"] + path).map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return found.map { URL(filePath: $0).resolvingSymlinksInPath().path }
    }

    func run() async throws {
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
        if let from { return try await write(try Self.deployment(from), to: path) }
        guard cluster == nil else {
            throw Failure(.invalidInput, "'--cluster' says where '--from' is, which is missing")
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
        tell(path)
    }

    /// `deployment/cart`, `deploy/cart` or `cart`.
    private static func deployment(_ text: String) throws -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let kinds = ["deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"]
        guard parts.count == 1 || parts.count == 2 && kinds.contains(parts[0].lowercased()), let name = parts.last,
            KubernetesNames.isSubdomain(name)
        else {
            throw Failure(.invalidInput, "'\(text)' is no deployment; write '--from deployment/NAME'")
        }
        return name
    }

    private func write(_ deployment: String, to path: String) async throws {
        let place = ClusterName(cluster ?? ClusterName.local.text)
        let running = try await Compositions.require().withClusters(home: home.choice) { [namespace] _, clusters in
            do {
                let api = try await clusters.cluster(named: place.text)
                return try await RunningApp.read(deployment: deployment, namespace: namespace, from: api, place: place)
            } catch let failure as Failure where failure.code == .notFound && cluster == nil {
                let others = (try? await clusters.names())?.filter { $0 != ClusterName.local.text } ?? []
                guard !others.isEmpty else { throw failure }
                let names = others.joined(separator: ", ")
                throw Failure(
                    .notFound,
                    "\(failure.message); if it runs in another cluster, name that with '--cluster': \(names)"
                )
            }
        }
        let manifests = "\(folder)/k8s"
        if !running.manifests.isEmpty, FileManager.default.fileExists(atPath: manifests) {
            throw Failure(.conflict, "'\(manifests)' exists already; remove it first to start anew")
        }
        do {
            if !running.manifests.isEmpty {
                try FileManager.default.createDirectory(atPath: manifests, withIntermediateDirectories: true)
            }
            for (name, text) in running.manifests {
                try Data(text.utf8).write(to: URL(filePath: "\(manifests)/\(name)"))
            }
            try Data(running.file.utf8).write(to: URL(filePath: path))
        } catch {
            throw Failure(.fault, "'\(path)' cannot be written", cause: error)
        }
        for note in running.notes { Terminal.note(note) }
        for (name, _) in running.manifests { Terminal.note("wrote \(manifests)/\(name)") }
        tell(path)
    }

    private func tell(_ path: String) {
        let command = folder == "." ? "ballast release" : "ballast release \(folder)"
        Terminal.result("wrote \(path); look it over, then run '\(command)'")
    }
}
