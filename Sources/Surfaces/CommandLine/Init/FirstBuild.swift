// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How a first app file has an app tested and built, by the kind of source it has.
struct FirstBuild {
    var test: String?
    var run: String?
    /// Members of the entries of `files`.
    var files: [String]
    var entrypoint: [String]
    /// What a person should look at, above `from`.
    var hints: [String] = []

    /// A program that stands alone, or with the libraries it needs.
    init(
        test: String? = nil,
        run: String? = nil,
        binary: String,
        _ name: String,
        hasLibraries: Bool = true,
        hint: String? = nil
    ) {
        self.test = test
        self.run = run
        files = ["from: \(binary), to: /bin/\(name)" + (hasLibraries ? ", libraries: true" : "")]
        entrypoint = ["/bin/\(name)"]
        hints = [hint].compactMap(\.self)
    }

    private init(test: String?, run: String?, files: [String], entrypoint: [String], hints: [String]) {
        self.test = test
        self.run = run
        self.files = files
        self.entrypoint = entrypoint
        self.hints = hints
    }
}

extension FirstBuild {
    static func swift(_ package: String, _ name: String) -> FirstBuild {
        let product =
            quoted(in: package, after: [".executable(", "name:"])
            ?? quoted(in: package, after: [".executableTarget(", "name:"])
        let binary = product ?? name
        return FirstBuild(
            test: "swift test",
            run: "swift build -c release --product \(binary)",
            binary: ".build/release/\(binary)",
            name
        )
    }

    static func go(_ name: String) -> FirstBuild {
        FirstBuild(
            test: "go test ./...",
            run: "CGO_ENABLED=0 go build -o bin/\(name) .",
            binary: "bin/\(name)",
            name,
            hasLibraries: false
        )
    }

    static func rust(_ manifest: String, _ name: String) -> FirstBuild {
        let crate = quoted(in: manifest, after: ["[package]", "name", "="]) ?? name
        return FirstBuild(
            test: "cargo test",
            run: "cargo build --release",
            binary: "target/release/\(crate)",
            name
        )
    }

    /// The source as it is, beside this machine's Node.
    static func node(_ package: String, node: String?) -> FirstBuild {
        let json = (try? JSON(parsing: Array(package.utf8))) ?? [:]
        let main = json["main"]?.string ?? "index.js"
        let scripts = json["scripts"]
        let program = node ?? "/usr/bin/node"
        let steps = ["npm ci"] + (scripts?["build"] == nil ? [] : ["npm run build"])
        return FirstBuild(
            test: scripts?["test"] == nil ? nil : "npm ci && npm test",
            run: steps.joined(separator: " && "),
            files: ["from: \(program), to: /usr/bin/node, libraries: true", "from: ., to: /app"],
            entrypoint: ["/usr/bin/node", "/app/\(plain(main))"],
            hints: node == nil ? ["'node' is not installed here: correct its path below"] : []
        )
    }

    /// The source as it is, beside this machine's Python, its library, and the packages that are asked for.
    static func python(has: (String) -> Bool, python: String?) -> FirstBuild {
        let program = python ?? "/usr/bin/python3"
        let version = program.split(separator: "/").last.map(String.init) ?? "python3"
        let prefix = program.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
        let main = ["app.py", "main.py", "server.py", "src/main.py"].first(where: has)
        var hints = python == nil ? ["'python3' is not installed here: correct its paths below"] : []
        if main == nil { hints.append("correct the name of the program in 'entrypoint'") }
        let library = "\(prefix)/lib/\(version)"
        let needsPackages = has("requirements.txt")
        return FirstBuild(
            test: has("tests") || has("test") ? "\(version) -m unittest discover" : nil,
            run: needsPackages ? "\(version) -m pip install -q -r requirements.txt --upgrade --target packages" : nil,
            files: [
                "from: \(program), to: \(program), libraries: true",
                "from: \(library), to: \(library), libraries: true", "from: ., to: /app",
            ],
            entrypoint: [program, "/app/\(main ?? "app.py")"],
            hints: hints
        )
    }

    /// The first text in quotes behind the words, each behind the one before.
    private static func quoted(in text: String, after words: [String]) -> String? {
        var rest = text[...]
        for word in words {
            guard let place = rest.firstRange(of: word) else { return nil }
            rest = rest[place.upperBound...]
        }
        guard let open = rest.firstIndex(of: "\"") else { return nil }
        let name = rest[rest.index(after: open)...].prefix { $0 != "\"" }
        return name.isEmpty || plain(String(name)) != name ? nil : String(name)
    }

    /// What needs no quotes in YAML and in a shell.
    private static func plain(_ text: String) -> String {
        String(text.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/".contains($0)) }).trimmingDots
    }
}

extension String {
    /// Without a leading `./`.
    fileprivate var trimmingDots: String { hasPrefix("./") ? String(dropFirst(2)) : self }
}
