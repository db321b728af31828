// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// A manifest or an index as far as a registry reads it: what it refers to.
package struct ManifestDocument: Sendable {
    package struct Descriptor: Sendable, Hashable {
        package var mediaType: String
        package var digest: Digest
        package var size: Int
        /// Whether the content is meant to be fetched from somewhere else.
        package var isForeign: Bool
    }

    /// The largest manifest that registries and clients agree to take.
    package static let sizeLimit = 4 << 20

    package var mediaType: String
    /// The configuration and the layers.
    package var blobs: [Descriptor] = []
    /// An index's manifests.
    package var manifests: [Descriptor] = []
    package var subject: Descriptor?
    package var artifactType: String?
    package var annotations: JSON?

    /// Reads OCI and Docker (schema 2) manifests and indexes. `contentType` is what the request or the registry says it is.
    package init(parsing bytes: [UInt8], contentType: String?) throws(RegistryError) {
        let document: JSON
        do {
            document = try JSON(parsing: bytes)
        } catch {
            throw RegistryError(.manifestInvalid, "the manifest is no JSON: \(error)")
        }
        mediaType = try Self.mediaType(document, contentType)
        guard document["schemaVersion"]?.int == 2 else {
            throw RegistryError(.manifestInvalid, "the manifest's 'schemaVersion' is not 2")
        }
        switch mediaType {
        case MediaType.index, MediaType.dockerList:
            manifests = try Self.descriptors(document["manifests"], "manifests")
        default:
            blobs = [try Self.descriptor(document["config"], "config")]
            artifactType = blobs.first?.mediaType
            blobs += try Self.descriptors(document["layers"], "layers")
        }
        if let subject = document["subject"] { self.subject = try Self.descriptor(subject, "subject") }
        artifactType = document["artifactType"]?.string ?? artifactType
        annotations = document["annotations"]
    }

    private static func mediaType(_ document: JSON, _ contentType: String?) throws(RegistryError) -> String {
        let written = document["mediaType"]?.string
        let sent = contentType.map { String($0.prefix { $0 != ";" && $0 != " " }) }
        let isSpecific = sent.map { $0 != "application/json" && $0 != "application/octet-stream" } ?? false
        if let written, let sent, isSpecific, written != sent {
            throw RegistryError(.manifestInvalid, "the manifest says it is '\(written)', the request says '\(sent)'")
        }
        // Early OCI documents leave the type out; an index has 'manifests'.
        let guess = document["manifests"] == nil ? MediaType.manifest : MediaType.index
        let type = written ?? (isSpecific ? sent : nil) ?? guess
        let known = [MediaType.manifest, MediaType.index, MediaType.dockerManifest, MediaType.dockerList]
        guard known.contains(type) else {
            throw RegistryError(.manifestInvalid, "'\(type)' is no type of manifest this registry keeps")
        }
        return type
    }

    private static func descriptors(_ value: JSON?, _ name: String) throws(RegistryError) -> [Descriptor] {
        guard let items = value?.array else {
            throw RegistryError(.manifestInvalid, "the manifest has no list '\(name)'")
        }
        var descriptors: [Descriptor] = []
        for (place, item) in items.enumerated() { descriptors.append(try descriptor(item, "\(name)[\(place)]")) }
        return descriptors
    }

    private static func descriptor(_ value: JSON?, _ name: String) throws(RegistryError) -> Descriptor {
        guard let type = value?["mediaType"]?.string, let text = value?["digest"]?.string,
            let size = value?["size"]?.int, size >= 0
        else { throw RegistryError(.manifestInvalid, "'\(name)' lacks 'mediaType', 'digest' or 'size'") }
        guard let digest = Digest(text) else {
            throw RegistryError(.manifestInvalid, "'\(name)' has the digest '\(text)', which is no sha256 digest")
        }
        let isForeign = value?["urls"]?.array.map { !$0.isEmpty } ?? false
        return Descriptor(mediaType: type, digest: digest, size: size, isForeign: isForeign)
    }
}
