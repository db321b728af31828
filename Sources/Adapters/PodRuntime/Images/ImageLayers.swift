// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
package import Model
package import Ports
package import Telemetry

/// The images on this machine: pulled from registries, unpacked once per layer, mounted for containers.
///
/// Any number of callers may prepare images at once; a layer that several of them need is fetched once.
package actor ImageLayers {
    let storage: ImageStorage
    let registries: any ImageRegistries
    let architecture: String
    let telemetry: Telemetry
    var names: ImageNames
    private(set) var unpacking: [Digest: Task<Void, any Error>] = [:]
    /// Pulls under way; their layers have no name yet.
    private(set) var pulls = 0
    /// How often each image was asked for, by its manifest.
    private(set) var uses: [Digest: Int] = [:]
    /// The layers below each mounted root file system.
    private(set) var mounted: [String: Set<Digest>] = [:]

    /// Keeps everything in `folder`, which is created where it is missing.
    package init(folder: String, registries: any ImageRegistries, telemetry: Telemetry) throws {
        storage = try ImageStorage(folder: folder)
        names = ImageNames(path: storage.namesPath)
        self.registries = registries
        self.telemetry = telemetry
        architecture = ImageManifest.hostArchitecture
    }

    /// Brings an image here as the policy says and tells what is in it.
    ///
    /// `credentials` are those that fit the image, tried in turn; with none the registry is asked as anybody. An image
    /// that is here already is given only to who has shown, now or before, that the registry lets them pull it.
    /// `willPull` is called before the registry is asked. Throws ``ImageFailure``, or `CancellationError`.
    package func prepare(
        _ image: String,
        credentials: [RegistryCredentials],
        pullPolicy: ImagePullPolicy,
        willPull: @Sendable () async -> Void = {}
    ) async throws -> PreparedImage {
        guard let reference = ImageReference(image) else { throw ImageFailure.invalidName(image) }
        let local = try localImage(reference)
        switch pullPolicy {
        case .never:
            guard let local else { throw ImageFailure.neverPulled(image) }
            return local
        case .ifNotPresent:
            if let local, mayUse(reference, credentials) { return local }
        case .always: break
        }
        pulls += 1
        defer { pulls -= 1 }
        await willPull()
        return try await pull(reference, credentials)
    }
}

// MARK: what is here

extension ImageLayers {
    func noteMount(_ layers: Set<Digest>?, at folder: String) { mounted[folder] = layers }

    struct Stored {
        var configuration: Digest
        var layers: [ImageManifest.Blob]
        var config: ImageConfig
    }

    /// The name's image, where it was pulled before and is still whole.
    private func localImage(_ reference: ImageReference) throws -> PreparedImage? {
        guard let entry = names.entries[reference.storageName], let image = try? stored(entry.manifest),
            image.layers.allSatisfy({ storage.hasLayer($0.digest) })
        else { return nil }
        uses[entry.manifest, default: 0] += 1
        return PreparedImage(
            reference: reference,
            digest: entry.digest,
            config: image.config,
            layers: image.layers.map(\.digest),
            size: image.layers.reduce(0) { $0 + $1.size }
        )
    }

    func stored(_ manifest: Digest) throws -> Stored {
        guard let bytes = FileText.content(storage.manifest(manifest)), ContentHash.digest(of: bytes) == manifest,
            case .image(let configuration, let layers) = try ImageManifest(bytes, mediaType: ""),
            let text = FileText.content(storage.configuration(configuration.digest)),
            ContentHash.digest(of: text) == configuration.digest
        else { throw LayerError("the image '\(manifest)' is not here") }
        return Stored(
            configuration: configuration.digest,
            layers: layers,
            config: try ImageConfiguration(text).config
        )
    }

    private func mayUse(_ reference: ImageReference, _ credentials: [RegistryCredentials]) -> Bool {
        let known = names.entries[reference.storageName]?.fingerprints ?? []
        return known.contains("") || credentials.contains { known.contains($0.fingerprint(for: reference.registry)) }
    }
}

// MARK: pulling

extension ImageLayers {
    private func pull(_ reference: ImageReference, _ credentials: [RegistryCredentials]) async throws -> PreparedImage {
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let (source, top) = try await resolve(reference, credentials)
            let pull = ImagePull(source: source, reference: reference, architecture: architecture, storage: storage)
            let image = try await pull.describe(top)
            try await fetchLayers(image, pull)
            let user = source.credentials?.fingerprint(for: reference.registry) ?? ""
            try record(reference, top.digest, image.manifest, user)
            return PreparedImage(
                reference: reference,
                digest: top.digest,
                config: image.config,
                layers: image.layers.map(\.blob.digest),
                size: image.layers.reduce(0) { $0 + $1.blob.size },
                pullDuration: clock.now - start
            )
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw ImageFailure.pull(reference, error)
        }
    }

    /// Asks with each of the credentials until the registry answers with a manifest.
    private func resolve(_ reference: ImageReference, _ credentials: [RegistryCredentials]) async throws -> (
        ImagePull.Source, StoredManifest
    ) {
        var refusal: (any Error)?
        let candidates: [RegistryCredentials?] = credentials.isEmpty ? [nil] : credentials
        for candidate in candidates {
            let source = ImagePull.Source(
                registry: registries.registry(reference.registry, credentials: candidate),
                credentials: candidate
            )
            do {
                return (source, try await source.registry.manifest(reference))
            } catch let failure as Failure where failure.code == .denied {
                refusal = refusal ?? failure
            }
        }
        throw refusal ?? Failure(.denied, "pull access denied")
    }

    private func fetchLayers(_ image: ImagePull.Image, _ pull: ImagePull) async throws {
        let parallel = 3
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, layer) in image.layers.enumerated() {
                if index >= parallel { try await group.next() }
                group.addTask { try await self.fetch(layer, pull) }
            }
            try await group.waitForAll()
        }
    }

    /// Joins the work on that layer where there is one already.
    private func fetch(_ layer: ImagePull.Layer, _ pull: ImagePull) async throws {
        let digest = layer.blob.digest
        if storage.hasLayer(digest) { return }
        if let work = unpacking[digest] {
            do { return try await work.value } catch { try Task.checkCancellation() }
            // The other pull may have failed for a reason of its own, such as its credentials.
            if storage.hasLayer(digest) { return }
            return try await fetch(layer, pull)
        }
        // A task of its own, because several pulls may wait for it and one that is cancelled must not end the others'.
        let work = Task { try await pull.unpack(layer) }
        unpacking[digest] = work
        defer { unpacking[digest] = nil }
        try await work.value
    }

    private func record(_ reference: ImageReference, _ digest: Digest, _ manifest: Digest, _ fingerprint: String) throws
    {
        var entry = ImageNames.Entry(digest: digest, manifest: manifest, fingerprints: [fingerprint])
        if let known = names.entries[reference.storageName], known.manifest == manifest {
            entry.fingerprints.formUnion(known.fingerprints)
        }
        uses[manifest, default: 0] += 1
        try names.record(reference.storageName, entry)
    }
}

extension ImageReference {
    /// One text per meaning: `latest` is written out, and a tag beside a digest means nothing.
    var storageName: String {
        "\(registry)/\(repository)" + (digest.map { "@\($0)" } ?? ":\(tag ?? "latest")")
    }
}

extension RegistryCredentials {
    /// Tells credentials apart without keeping them.
    func fingerprint(for registry: String) -> String {
        ContentHash.digest(of: Array("\(registry)\0\(username)\0\(password)".utf8)).hex
    }
}
