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

    func run() throws {
        let path = "\(folder)/ballast.yaml"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure(.conflict, "'\(path)' exists already; remove it first to start anew")
        }
        let base = name ?? URL(filePath: folder).absoluteURL.standardized.lastPathComponent
        let label = Self.label(from: base)
        guard KubernetesNames.isLabel(label) else {
            throw Failure(.invalidInput, "'\(base)' gives no app name; say one with --name")
        }
        do {
            try Data(Self.template(label, namespace, Self.build(in: folder, label)).utf8).write(to: URL(filePath: path))
        } catch {
            throw Failure(.fault, "'\(path)' cannot be written", cause: error)
        }
        Terminal.result("wrote \(path); edit it, then run 'ballast release \(folder)'")
    }

    private static func label(from text: String) -> String {
        let mapped = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return String(String(mapped).split(separator: "-").joined(separator: "-").prefix(63))
    }

    /// What builds and tests the source in this folder, as far as its files tell.
    private static func build(in folder: String, _ name: String) -> (test: String, run: String, from: String) {
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(file)") }
        if has("Package.swift") {
            return ("swift test", "swift build -c release --product \(name)", ".build/release/\(name)")
        }
        if has("go.mod") { return ("go test ./...", "CGO_ENABLED=0 go build -o bin/\(name) .", "bin/\(name)") }
        if has("Cargo.toml") { return ("cargo test", "cargo build --release", "target/release/\(name)") }
        if has("Makefile") { return ("make test", "make", "bin/\(name)") }
        return ("true", "true", "bin/\(name)")
    }

    private static func template(
        _ name: String,
        _ namespace: String,
        _ build: (test: String, run: String, from: String)
    ) -> String {
        """
        apiVersion: ballast.dev/v1alpha1
        kind: App
        metadata: { name: \(name), namespace: \(namespace) }
        spec:
          test:
            - { name: unit, run: \(build.test) }
          image:
            repository: localhost:5000/\(namespace)/\(name)
            build:
              run: \(build.run)
              from: scratch
              files: [{ from: \(build.from), to: /bin/\(name), libraries: true }]
              entrypoint: [/bin/\(name)]
          deploy:
            clusters: [local]
            replicas: 1
            ports: [{ name: http, port: 8080 }]
            resources: { requests: { cpu: 50m, memory: 64Mi }, limits: { memory: 256Mi } }
            probes: { readiness: { http: /healthz }, liveness: { http: /healthz } }
          routes:
            - { hosts: [\(name).localhost], paths: [/] }

        """
    }
}
