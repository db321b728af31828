// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a registry stores under an image's name: OCI's and Docker's forms, read alike.
enum ImageManifest: Equatable {
    struct Blob: Equatable {
        var digest: Digest
        /// In bytes.
        var size: Int
    }

    struct Choice: Equatable {
        var digest: Digest
        var system: String
        var architecture: String
        var variant: String
    }

    case index([Choice])
    case image(configuration: Blob, layers: [Blob])

    /// Reads a manifest; the media type of the answer decides, or what is in it where the type says nothing.
    init(_ bytes: [UInt8], mediaType: String) throws(LayerError) {
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw LayerError("the manifest is no JSON: \(error)") }
        guard json["schemaVersion"]?.int == 2 else {
            throw LayerError("the manifest is of a schema that is no longer in use (media type '\(mediaType)')")
        }
        if let manifests = json["manifests"]?.array {
            self = .index(manifests.compactMap(Self.choice))
        } else if let configuration = json["config"].flatMap(Self.blob), let layers = json["layers"]?.array {
            let blobs = layers.compactMap(Self.blob)
            guard blobs.count == layers.count else {
                throw LayerError("the manifest lists a layer without a usable digest")
            }
            self = .image(configuration: configuration, layers: blobs)
        } else {
            throw LayerError("the manifest is neither an image nor an index (media type '\(mediaType)')")
        }
    }

    private static func choice(_ json: JSON) -> Choice? {
        guard let digest = json["digest"]?.string.flatMap({ Digest($0) }) else { return nil }
        let platform = json["platform"] ?? [:]
        return Choice(
            digest: digest,
            system: platform["os"]?.string ?? "linux",
            architecture: platform["architecture"]?.string ?? "",
            variant: platform["variant"]?.string ?? ""
        )
    }

    private static func blob(_ json: JSON) -> Blob? {
        guard let digest = json["digest"]?.string.flatMap({ Digest($0) }), let size = json["size"]?.int, size >= 0
        else {
            return nil
        }
        return Blob(digest: digest, size: size)
    }

    /// The image of an index for this machine; an entry without a platform only where there is nothing better.
    static func pick(_ choices: [Choice], architecture: String) -> Digest? {
        let fitting = choices.filter { $0.system == "linux" && $0.architecture == architecture }
        let plain = fitting.first { ["", "v8", "v1"].contains($0.variant) }
        return (plain ?? fitting.first)?.digest
            ?? (choices.count == 1 && choices[0].architecture.isEmpty ? choices[0].digest : nil)
    }

    /// This machine's architecture in Go's names.
    static var hostArchitecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }
}

/// An image's configuration: the program, and what each layer holds.
struct ImageConfiguration {
    var config: ImageConfig
    /// Digests of the layers' uncompressed archives, lowest first.
    var contents: [Digest]

    init(_ bytes: [UInt8]) throws(LayerError) {
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch {
            throw LayerError("the image's configuration is no JSON: \(error)")
        }
        config = ImageConfig(json: json["config"] ?? [:])
        let listed = json[path: "rootfs", "diff_ids"]?.array ?? []
        contents = listed.compactMap { $0.string.flatMap { Digest($0) } }
        guard contents.count == listed.count else {
            throw LayerError("the image's configuration lists a damaged diff_id")
        }
    }
}
