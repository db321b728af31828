// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Builds an image without a daemon.
///
/// The same plan over the same files yields the same digest, bit for bit. Memory is bounded by the copy buffer,
/// whatever the files' size. Failures are `invalidInput` with the path at fault.
package protocol ImageBuilder: Sendable {
    func build(_ plan: ImagePlan) async throws -> BuiltImage
}

/// What goes into an image.
package struct ImagePlan: Sendable, Hashable {
    package struct File: Sendable, Hashable {
        /// A file or folder on this machine, absolute.
        package var source: String
        /// Where it lands in the image, absolute.
        package var destination: String
        /// Whether the shared libraries the program needs come along (ELF, transitively).
        package var hasLibraries: Bool

        package init(source: String, destination: String, hasLibraries: Bool = false) {
            self.source = source
            self.destination = destination
            self.hasLibraries = hasLibraries
        }
    }

    package var files: [File]
    package var entrypoint: [String]
    package var command: [String]
    package var environment: [String: String]
    package var workingDirectory: String?
    package var user: String?
    package var labels: [String: String]
    /// `linux/<architecture>` in Go's names: `amd64`, `arm64`.
    package var architecture: String
    /// The layers below ours; empty for `scratch`.
    package var base: BuiltImage?

    package init(
        files: [File],
        entrypoint: [String] = [],
        command: [String] = [],
        environment: [String: String] = [:],
        workingDirectory: String? = nil,
        user: String? = nil,
        labels: [String: String] = [:],
        architecture: String,
        base: BuiltImage? = nil
    ) {
        self.files = files
        self.entrypoint = entrypoint
        self.command = command
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.labels = labels
        self.architecture = architecture
        self.base = base
    }
}

/// An image on this machine, ready to be pushed: layers first, then the configuration, then the manifest.
package struct BuiltImage: Sendable, Hashable {
    package var layers: [BlobFile]
    package var configuration: BlobFile
    package var manifest: StoredManifest

    package init(layers: [BlobFile], configuration: BlobFile, manifest: StoredManifest) {
        self.layers = layers
        self.configuration = configuration
        self.manifest = manifest
    }
}
