// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The text of a first `ballast.yaml`, fitted to the source in its folder as far as file names tell.
struct FirstAppFile {
    let name: String
    let namespace: String
    /// Whether the folder has a file of that name.
    let has: (String) -> Bool

    /// An app's name made from a folder's: `My_Cart 2` becomes `my-cart-2`; `nil` where nothing is left.
    static func name(from text: String) -> String? {
        let mapped = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let words = String(mapped).split(separator: "-")
        // A Service's name starts with a letter.
        let joined = words.drop { $0.first?.isNumber == true }.joined(separator: "-").prefix(63)
        let label = String(joined.reversed().drop { $0 == "-" }.reversed())
        return KubernetesNames.isServiceLabel(label) ? label : nil
    }

    private struct Build {
        var test: String?
        var run: String?
        var file: String
        var hasLibraries = true
        var hint: String?
    }

    private var build: Build {
        if has("Package.swift") {
            let run = "swift build -c release --product \(name)"
            return Build(test: "swift test", run: run, file: ".build/release/\(name)")
        }
        if has("go.mod") {
            let run = "CGO_ENABLED=0 go build -o bin/\(name) ."
            return Build(test: "go test ./...", run: run, file: "bin/\(name)", hasLibraries: false)
        }
        if has("Cargo.toml") {
            return Build(test: "cargo test", run: "cargo build --release", file: "target/release/\(name)")
        }
        if has("Makefile") { return Build(test: "make test", run: "make", file: "bin/\(name)") }
        return Build(file: "bin/\(name)", hint: "say here what makes the file, such as: run: make")
    }

    var text: String {
        let build = build
        var lines = [
            "# How '\(name)' is tested, built and run. 'ballast schema' prints the JSON Schema for your editor.",
            "apiVersion: ballast.dev/v1alpha1",
            "kind: App",
            "metadata: { name: \(name), namespace: \(namespace) }",
            "spec:",
        ]
        if let test = build.test {
            lines += [
                "  test:                       # stage 1: must succeed, else nothing changes",
                "    - { name: unit, run: \(test) }",
            ]
        }
        lines += [
            "  image:                      # stage 2: built without a daemon, pushed, pinned by digest", "    build:",
        ]
        if let run = build.run { lines.append("      run: \(run)") }
        if let hint = build.hint { lines.append("      # \(hint)") }
        let libraries = build.hasLibraries ? ", libraries: true" : ""
        lines += [
            "      from: scratch",
            "      files: [{ from: \(build.file), to: /bin/\(name)\(libraries) }]",
            "      entrypoint: [/bin/\(name)]",
            "  deploy:                     # stage 3",
            "    replicas: 1",
            "    ports: [{ name: http, port: 8080 }]",
            "    env: { PORT: 8080 }",
            "    resources: { requests: { cpu: 50m, memory: 64Mi }, limits: { memory: 256Mi } }",
            "    probes: { readiness: { http: /healthz } }   # a path that answers 200 once the app can serve",
            "  routes:",
            "    - { hosts: [\(name).localhost] }            # then: curl -H 'Host: \(name).localhost' http://127.0.0.1:8080/",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
