// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// Stage 2: the image is built, pushed, and pinned by its digest.
struct ImageStage: Sendable {
    let runner: any CommandRunner
    let builder: any ImageBuilder
    let registries: any ImageRegistries
    let output: OutputKeeper
    let progress: any ReleaseProgress
    /// As the image's configuration names it: `amd64`.
    let architecture: String
    var bases: (any BaseImages)?
    var containerfiles: (any ContainerfileBuilder)?

    /// Returns the image by digest, as nodes pull it. `name` has no tag yet.
    func run(
        _ file: AppFile,
        _ build: App.Build,
        as name: ImageReference,
        number: Int,
        credentials: RegistryCredentials?
    ) async throws -> String {
        if let command = build.run {
            try await output.run("build", command, in: file.folder, timeout: build.timeout, by: runner)
        }
        let built =
            if let containerfile = build.containerfile {
                try await self.build(containerfile, build, file, as: name, credentials)
            } else {
                try await builder.build(plan(build, file, on: base(of: build, for: name, credentials)))
            }
        var tagged = name
        tagged.tag = String(number)
        var pinned = name
        pinned.digest = try await push(built, as: tagged, credentials: credentials)
        if let host = file.app.image.pullHost { pinned.registry = host }
        return pinned.description
    }

    // MARK: building

    private func plan(_ build: App.Build, _ file: AppFile, on base: FetchedImage?) -> ImagePlan {
        var labels = ["org.opencontainers.image.title": file.app.name.text]
        if let base {
            var name = base.pinned
            name.digest = nil
            labels["org.opencontainers.image.base.name"] = name.description
            labels["org.opencontainers.image.base.digest"] = base.pinned.digest?.description
        }
        return ImagePlan(
            files: build.files.map {
                ImagePlan.File(
                    source: Self.absolute($0.from, file),
                    destination: $0.to,
                    hasLibraries: $0.hasLibraries
                )
            },
            entrypoint: build.entrypoint,
            command: build.command,
            environment: build.environment,
            workingDirectory: build.workingDirectory,
            user: build.user,
            labels: labels,
            architecture: architecture,
            base: base?.image
        )
    }

    private static func absolute(_ path: String, _ file: AppFile) -> String {
        path.hasPrefix("/") ? path : "\(file.folder)/\(path)"
    }

    /// The image below ours; `nil` for `scratch`. A login for the app's registry serves for a base from there, too.
    private func base(
        of build: App.Build,
        for name: ImageReference,
        _ credentials: RegistryCredentials?
    ) async throws -> FetchedImage? {
        guard build.base != "scratch" else { return nil }
        guard let bases, let reference = ImageReference(build.base) else {
            throw Failure(.fault, "base images such as '\(build.base)' cannot be fetched here")
        }
        do {
            let base = try await bases.image(
                reference,
                architecture: architecture,
                credentials: reference.registry == name.registry ? credentials : nil
            )
            let digest = "\(base.pinned.digest.map { "\($0)" } ?? "")".prefix(19)
            let fetched = base.fetched > 0 ? "fetched \(Self.size(base.fetched))" : "all of it is here"
            await progress.report(.note("base \(build.base) is \(digest), \(fetched)"))
            return base
        } catch let failure as Failure {
            let advice =
                failure.code == .unavailable
                ? "; a base named by digest ('\(build.base)@sha256:…') that was fetched before needs no registry" : ""
            throw Failure(
                failure.code,
                "the base image '\(build.base)' cannot be had: \(failure.message)\(advice)",
                cause: failure.cause
            )
        }
    }

    private func build(
        _ containerfile: String,
        _ build: App.Build,
        _ file: AppFile,
        as name: ImageReference,
        _ credentials: RegistryCredentials?
    ) async throws -> BuiltImage {
        guard let containerfiles else { throw Failure(.fault, "Containerfiles cannot be built here") }
        let plan = ContainerfilePlan(
            file: Self.absolute(containerfile, file),
            context: file.folder,
            name: "\(file.app.namespace)-\(file.app.name)",
            labels: ["org.opencontainers.image.title": file.app.name.text],
            architecture: architecture,
            credentials: credentials.map { (name.registry, $0) }
        )
        let ready = try await containerfiles.prepare(plan)
        try await output.run("containerfile", ready.command, in: file.folder, timeout: build.timeout, by: runner)
        return try await ready.result()
    }

    // MARK: pushing

    /// "340 KiB", "12.3 MiB".
    private static func size(_ bytes: Int) -> String {
        let kibibytes = (bytes + 1023) >> 10
        guard kibibytes >= 1024 else { return "\(kibibytes) KiB" }
        return "\(kibibytes / 1024).\(kibibytes % 1024 * 10 / 1024) MiB"
    }

    /// How many blobs go up at the same time: enough to fill a line, few enough for the registry.
    private static let pushesAtOnce = 4

    /// The manifest goes last, so that until everything is there the tag and the digest lead nowhere new.
    private func push(
        _ built: BuiltImage,
        as reference: ImageReference,
        credentials: RegistryCredentials?
    ) async throws -> Digest {
        let registry = registries.registry(reference.registry, credentials: credentials)
        do {
            var seen: Set<Digest> = []
            var waiting = (built.layers + [built.configuration]).filter { seen.insert($0.digest).inserted }[...]
            try await withThrowingTaskGroup(of: Void.self) { group in
                func start() {
                    guard let blob = waiting.popFirst() else { return }
                    group.addTask { [repository = reference.repository] in
                        try await registry.push(blob, to: repository)
                    }
                }
                for _ in 0..<Self.pushesAtOnce { start() }
                while try await group.next() != nil { start() }
            }
            let digest = try await registry.push(built.manifest, as: reference)
            let size = built.layers.reduce(0) { $0 + $1.size }
            await progress.report(.note("pushed \(reference), \(Self.size(size)), \("\(digest)".prefix(19))"))
            return digest
        } catch let failure as Failure {
            let advice =
                switch failure.code {
                case .denied where failure.message.contains("spec.image.credentials"): ""
                case .denied: "; check spec.image.credentials and the rights of that account"
                case .unavailable, .deadlineExceeded:
                    "; check that the registry runs and is reached from here, and release again: what arrived is not sent twice"
                default: ""
                }
            throw Failure(
                failure.code,
                "the image could not be pushed to '\(reference)': \(failure.message)\(advice)",
                cause: failure.cause
            )
        }
    }
}
