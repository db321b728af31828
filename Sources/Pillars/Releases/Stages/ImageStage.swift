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
        let built = try await builder.build(plan(build, file))
        var tagged = name
        tagged.tag = String(number)
        var pinned = name
        pinned.digest = try await push(built, as: tagged, credentials: credentials)
        if let host = file.app.image.pullHost { pinned.registry = host }
        return pinned.description
    }

    private func plan(_ build: App.Build, _ file: AppFile) -> ImagePlan {
        ImagePlan(
            files: build.files.map {
                ImagePlan.File(
                    source: $0.from.hasPrefix("/") ? $0.from : "\(file.folder)/\($0.from)",
                    destination: $0.to,
                    hasLibraries: $0.hasLibraries
                )
            },
            entrypoint: build.entrypoint,
            command: build.command,
            environment: build.environment,
            workingDirectory: build.workingDirectory,
            user: build.user,
            labels: ["org.opencontainers.image.title": file.app.name.text],
            architecture: architecture
        )
    }

    /// "340 KiB", "12.3 MiB".
    private static func size(_ bytes: Int) -> String {
        let kibibytes = (bytes + 1023) >> 10
        guard kibibytes >= 1024 else { return "\(kibibytes) KiB" }
        return "\(kibibytes / 1024).\(kibibytes % 1024 * 10 / 1024) MiB"
    }

    private func push(
        _ built: BuiltImage,
        as reference: ImageReference,
        credentials: RegistryCredentials?
    ) async throws -> Digest {
        let registry = registries.registry(reference.registry, credentials: credentials)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for blob in built.layers + [built.configuration] {
                    group.addTask { [repository = reference.repository] in
                        try await registry.push(blob, to: repository)
                    }
                }
                try await group.waitForAll()
            }
            let digest = try await registry.push(built.manifest, as: reference)
            let size = built.layers.reduce(0) { $0 + $1.size }
            await progress.report(.note("pushed \(reference), \(Self.size(size)), \("\(digest)".prefix(19))"))
            return digest
        } catch let failure as Failure {
            let advice =
                switch failure.code {
                case .denied: "; check spec.image.credentials and the rights of that account"
                case .unavailable: "; check that the registry runs and is reached from here"
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
