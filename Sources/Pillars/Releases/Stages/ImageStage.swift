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

    /// Returns the image by digest, as nodes pull it.
    func run(_ file: AppFile, number: Int, credentials: RegistryCredentials?) async throws -> String {
        let image = file.app.image
        guard let build = image.build else {
            throw Failure(.invalidInput, "\(file.path): spec.image.build is missing: say what goes into the image")
        }
        if build.containerfile != nil {
            throw Failure(
                .invalidInput,
                "\(file.path): spec.image.build.containerfile is not supported yet; list 'files' instead"
            )
        }
        guard build.base == "scratch" else {
            throw Failure(
                .invalidInput,
                "\(file.path): spec.image.build.from: base images are not supported yet; use 'scratch' with 'libraries: true'"
            )
        }
        if let command = build.run {
            try await output.run("build", command, in: file.folder, timeout: build.timeout, by: runner)
        }
        let built = try await builder.build(plan(build, file))
        let digest = try await push(built, image, number: number, credentials: credentials)
        return try pinned(image, digest)
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

    private func push(
        _ built: BuiltImage,
        _ image: App.Image,
        number: Int,
        credentials: RegistryCredentials?
    ) async throws -> Digest {
        guard var reference = ImageReference(image.repository) else {
            throw Failure(.invalidInput, "'\(image.repository)' is no image repository")
        }
        reference.tag = String(number)
        let registry = registries.registry(reference.registry, credentials: credentials)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for blob in built.layers + [built.configuration] {
                group.addTask { [repository = reference.repository] in try await registry.push(blob, to: repository) }
            }
            try await group.waitForAll()
        }
        let digest = try await registry.push(built.manifest, as: reference)
        let size = built.layers.reduce(0) { $0 + $1.size }
        await progress.report(.note("\(reference) is \(built.layers.count) layers, \(size >> 10) KiB, \(digest)"))
        return digest
    }

    private func pinned(_ image: App.Image, _ digest: Digest) throws -> String {
        guard var reference = ImageReference(image.repository) else {
            throw Failure(.invalidInput, "'\(image.repository)' is no image repository")
        }
        if let host = image.pullHost { reference.registry = host }
        reference.digest = digest
        return reference.description
    }
}
