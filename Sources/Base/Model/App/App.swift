// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A service as its file describes it.
///
/// Reads an `App` object that passed the app file's checks; what is missing has its documented default.
package struct App: Sendable, Hashable {
    package var name: AppName
    package var namespace: NamespaceName
    package var owner: String?
    package var tests: [TestStep]
    package var image: Image
    package var deploy: Deploy
    package var routes: [Route]
    /// The object as written, for storing.
    package var object: KubeObject
    /// What was read below each path of `manifests`; empty until somebody reads them.
    package var manifestFiles: [String: [Manifest]] = [:]
    /// The release that is under way with it, whose `before` jobs run; `nil` where an earlier one is put back. Never stored.
    package var releaseNumber: Int?
    /// The contested fields that a person at the terminal takes over with this release. Never stored.
    package var takenFields: [String] = []

    package init(_ object: KubeObject) {
        let spec = object.spec
        self.object = object
        name = AppName(object.name)
        namespace = NamespaceName(object.namespace ?? "default")
        owner = spec["owner"]?.string
        tests = (spec["test"]?.array ?? []).map { TestStep($0) }
        image = Image(spec["image"] ?? [:], name: object.name, namespace: object.namespace ?? "default")
        deploy = Deploy(spec["deploy"] ?? [:])
        routes = (spec["routes"]?.array ?? []).map { Route($0) }
    }
}

extension App {
    package struct TestStep: Sendable, Hashable {
        package var name: String
        package var run: String
        package var image: String?
        package var timeout: Duration
        /// Whether it runs beside its neighbours that say so too.
        package var isParallel: Bool
        /// Patterns of the JUnit files it writes.
        package var reports: [String]

        init(_ json: JSON) {
            name = json["name"]?.string ?? ""
            run = json["run"]?.string ?? ""
            image = json["image"]?.string
            isParallel = json["parallel"]?.bool ?? false
            reports = json["junit"]?.string.map { [$0] } ?? json.texts("junit")
            timeout = json.duration("timeout") ?? .seconds(600)
        }
    }

    package struct Image: Sendable, Hashable {
        /// Registry and repository.
        package var repository: String
        package var pullHost: String?
        /// The Secret with the registry's credentials.
        package var credentials: String?
        package var build: Build?
        /// An image that exists already, deployed as it is instead of building one.
        package var use: String?

        init(_ json: JSON, name: String, namespace: String) {
            use = json["use"]?.string
            // The tag or digest is for the pods alone.
            let used = use.flatMap { ImageReference($0) }.map { "\($0.registry)/\($0.repository)" }
            repository = json["repository"]?.string ?? used ?? "\(Self.embeddedRegistry)/\(namespace)/\(name)"
            pullHost = json["pullHost"]?.string
            credentials = json[path: "credentials", "secretRef"]?.string
            build = json["build"].map { Build($0) }
        }

        /// How app files name the embedded registry, whatever port it has.
        package static let embeddedRegistry = "localhost:5000"
    }

    package struct Build: Sendable, Hashable {
        package struct File: Sendable, Hashable {
            package var from: String
            package var to: String
            package var hasLibraries: Bool
        }

        package var run: String?
        package var base: String
        package var files: [File]
        package var entrypoint: [String]
        package var command: [String]
        package var environment: [String: String]
        package var workingDirectory: String?
        package var user: String?
        package var timeout: Duration
        package var containerfile: String?

        init(_ json: JSON) {
            run = json["run"]?.string
            base = json["from"]?.string ?? "scratch"
            files = (json["files"]?.array ?? []).map {
                File(
                    from: $0["from"]?.string ?? "",
                    to: $0["to"]?.string ?? "",
                    hasLibraries: $0["libraries"]?.bool ?? false
                )
            }
            entrypoint = json.texts("entrypoint")
            command = json.texts("command")
            environment = (json["env"]?.object ?? [:]).reduce(into: [:]) { $0[$1.key] = $1.value.scalarText }
            workingDirectory = json["workingDirectory"]?.string
            user = json["user"]?.string
            timeout = json.duration("timeout") ?? .seconds(1800)
            containerfile = json["containerfile"]?.string
        }
    }

    package struct Route: Sendable, Hashable {
        package var hosts: [String]
        package var paths: [String]
        package var port: String?

        init(_ json: JSON) {
            hosts = json.texts("hosts")
            let given = json.texts("paths")
            paths = given.isEmpty ? ["/"] : given
            port = json["port"]?.string
        }
    }
}

extension JSON {
    func duration(_ key: String) -> Duration? { self[key]?.string.flatMap(DurationText.parse) }
    func texts(_ key: String) -> [String] { self[key]?.array?.compactMap(\.string) ?? [] }
}
