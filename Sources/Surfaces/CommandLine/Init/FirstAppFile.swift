// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The text of a first `ballast.yaml`, fitted to the source in its folder as far as file names tell.
struct FirstAppFile {
    let name: String
    let namespace: String
    /// The text of a file in the folder; `nil` where there is none.
    let contents: (String) -> String?
    /// Where a program of that name really is on this machine.
    var program: (String) -> String? = { _ in nil }

    /// An app's name made from a folder's: `My_Cart 2` becomes `my-cart-2`; `nil` where nothing is left.
    static func name(from text: String) -> String? {
        let mapped = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let words = String(mapped).split(separator: "-")
        // A Service's name starts with a letter.
        let joined = words.drop { $0.first?.isNumber == true }.joined(separator: "-").prefix(63)
        let label = String(joined.reversed().drop { $0 == "-" }.reversed())
        return KubernetesNames.isServiceLabel(label) ? label : nil
    }

    private func has(_ file: String) -> Bool { contents(file) != nil }

    private var build: FirstBuild {
        if let package = contents("Package.swift") { return .swift(package, name) }
        if has("go.mod") { return .go(name) }
        if let manifest = contents("Cargo.toml") { return .rust(manifest, name) }
        if let package = contents("package.json") { return .node(package, node: program("node")) }
        if has("requirements.txt") || has("pyproject.toml") || has("app.py") || has("main.py") {
            return .python(has: has, python: program("python3"))
        }
        if has("Makefile") { return FirstBuild(test: "make test", run: "make", binary: "bin/\(name)", name) }
        return FirstBuild(
            binary: "bin/\(name)",
            name,
            hint: "say here what makes the file, such as: run: make"
        )
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
        lines += build.hints.map { "      # \($0)" }
        lines += ["      from: scratch", "      files:"] + build.files.map { "        - { \($0) }" }
        lines += [
            "      entrypoint: [\(build.entrypoint.joined(separator: ", "))]",
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
