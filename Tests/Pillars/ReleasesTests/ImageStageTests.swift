// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports
import Synchronization
import Testing

@testable import Releases

@Suite("the stage of the image")
struct ImageStageTests {
    private func run(
        _ image: String,
        builder: any ImageBuilder = ScriptedBuilder(),
        bases: (any BaseImages)? = nil,
        containerfiles: (any ContainerfileBuilder)? = nil,
        registries: MemoryRegistries = MemoryRegistries(),
        runner: ScriptedRunner = ScriptedRunner()
    ) async throws -> (image: String, said: [String]) {
        let text = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: cart, namespace: shop }
            spec: { image: { repository: registry.internal/shop/cart, \(image) }, deploy: {} }
            """
        let file = try AppFile.read(text, path: "/src/ballast.yaml", shownAs: "ballast.yaml")
        let (progress, clock) = (RecordedProgress(), VirtualTime().wall)
        let keeper = OutputKeeper(records: MemoryRecords(), progress: progress, stream: LogStream("t"), clock: clock)
        let stage = ImageStage(
            runner: runner,
            builder: builder,
            registries: registries,
            output: keeper,
            progress: progress,
            architecture: "amd64",
            bases: bases,
            containerfiles: containerfiles
        )
        let (build, name) = try (#require(file.app.image.build), #require(ImageReference(file.app.image.repository)))
        let login = RegistryCredentials(username: "ada", password: "x")
        return (try await stage.run(file, build, as: name, number: 7, credentials: login), progress.lines)
    }

    @Test("a base is fetched for this architecture, and the image says what it stands on")
    func base() async throws {
        let (builder, bases) = (KeptPlan(), FixedBases())
        let outcome = try await run(
            "build: { from: 'registry.internal/base:12', files: [{ from: a, to: /a }] }",
            builder: builder,
            bases: bases
        )
        #expect(bases.asked == ["registry.internal/base:12 for amd64 by ada"])
        #expect(builder.plan?.base == FixedBases.image)
        #expect(builder.plan?.labels["org.opencontainers.image.base.name"] == "registry.internal/base:12")
        #expect(
            builder.plan?.labels["org.opencontainers.image.base.digest"] == "\(ScriptedBuilder.digest("b"))"
        )
        #expect(outcome.said.contains("base registry.internal/base:12 is sha256:bbbbbbbbbbbb, fetched 3.0 MiB"))
    }

    @Test("another registry never sees the login of the app's own")
    func foreignBase() async throws {
        let bases = FixedBases()
        _ = try await run("build: { from: 'debian:12', files: [{ from: a, to: /a }] }", bases: bases)
        #expect(bases.asked == ["docker.io/library/debian:12 for amd64 by nobody"])
    }

    @Test("a base that cannot be had is named, with what a digest would help")
    func missingBase() async throws {
        let bases = FixedBases(failure: Failure(.unavailable, "the registry 'docker.io' cannot be reached"))
        await #expect {
            try await run("build: { from: 'debian:12', files: [{ from: a, to: /a }] }", bases: bases)
        } throws: { error in
            "\(error)".hasPrefix("the base image 'debian:12' cannot be had: the registry 'docker.io' cannot be reached")
                && "\(error)".contains("'debian:12@sha256:…'")
        }
    }

    @Test("the private name is deployed with the digest that went to the public one")
    func pullHost() async throws {
        let registries = MemoryRegistries()
        let outcome = try await run(
            "pullHost: registry-vpc.internal, build: { files: [{ from: a, to: /a }] }",
            registries: registries
        )
        #expect(outcome.image == "registry-vpc.internal/shop/cart@\(ScriptedBuilder.digest("a"))")
        #expect(registries.pushes == ["registry.internal/shop/cart:7 by ada"])
    }

    @Test("a Containerfile is built by its own program, and what that wrote is pushed")
    func containerfile() async throws {
        let (builder, runner, registries) = (FixedContainerfiles(), ScriptedRunner(), MemoryRegistries())
        let outcome = try await run(
            "build: { containerfile: ./Containerfile, run: make }",
            containerfiles: builder,
            registries: registries,
            runner: runner
        )
        #expect(runner.commands == ["make", "build /src/./Containerfile in /src as shop-cart"])
        #expect(outcome.image == "registry.internal/shop/cart@\(ScriptedBuilder.digest("b"))")
        #expect(registries.pushes == ["registry.internal/shop/cart:7 by ada"])
        let failing = ScriptedRunner(["build /src/./Containerfile in /src as shop-cart": .ends(125, ["no such base"])])
        await #expect {
            try await run("build: { containerfile: ./Containerfile }", containerfiles: builder, runner: failing)
        } throws: {
            "\($0)".contains("the step 'containerfile' failed with exit code 125") && "\($0)".contains("no such base")
        }
    }

    @Test("a push that fails says where to, why, and that going on costs little")
    func pushFails() async throws {
        let registries = MemoryRegistries(failure: Failure(.unavailable, "the registry 'registry.internal' is gone"))
        await #expect {
            try await run("build: { files: [{ from: a, to: /a }] }", registries: registries)
        } throws: { error in
            "\(error)".hasPrefix("the image could not be pushed to 'registry.internal/shop/cart:7': the registry")
                && "\(error)".hasSuffix("release again: what arrived is not sent twice")
        }
    }
}

/// Builds nothing, and keeps what it was asked for.
private final class KeptPlan: ImageBuilder {
    private let kept = Mutex<ImagePlan?>(nil)
    var plan: ImagePlan? { kept.withLock(\.self) }

    func build(_ plan: ImagePlan) async throws -> BuiltImage {
        kept.withLock { $0 = plan }
        return try await ScriptedBuilder().build(plan)
    }
}

private final class FixedBases: BaseImages {
    static let image = BuiltImage(
        layers: [],
        configuration: BlobFile(digest: ScriptedBuilder.digest("c"), size: 1, path: "/nowhere"),
        manifest: StoredManifest(mediaType: "m", bytes: [], digest: ScriptedBuilder.digest("d"))
    )

    private let failure: Failure?
    private let seen = Mutex<[String]>([])
    var asked: [String] { seen.withLock(\.self) }

    init(failure: Failure? = nil) { self.failure = failure }

    func image(
        _ reference: ImageReference,
        architecture: String,
        credentials: RegistryCredentials?
    ) async throws -> FetchedImage {
        seen.withLock { $0.append("\(reference) for \(architecture) by \(credentials?.username ?? "nobody")") }
        if let failure { throw failure }
        var pinned = reference
        pinned.digest = ScriptedBuilder.digest("b")
        return FetchedImage(image: Self.image, pinned: pinned, fetched: 3 << 20)
    }
}

private struct FixedContainerfiles: ContainerfileBuilder {
    func prepare(_ plan: ContainerfilePlan) async throws -> ContainerfileBuild {
        ContainerfileBuild(command: "build \(plan.file) in \(plan.context) as \(plan.name)") {
            let blob = BlobFile(digest: ScriptedBuilder.digest("b"), size: 9, path: "/nowhere")
            let manifest = StoredManifest(mediaType: "m", bytes: [], digest: ScriptedBuilder.digest("b"))
            return BuiltImage(layers: [blob], configuration: blob, manifest: manifest)
        }
    }
}
