// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model
import Ports

/// The names of OCI's document and layer types.
package enum MediaType {
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let configuration = "application/vnd.oci.image.config.v1+json"
    package static let layer = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"

    /// The same layer in OCI's words, where a base image uses Docker's.
    static func inOCI(_ type: String) -> String {
        switch type {
        case "application/vnd.docker.image.rootfs.diff.tar.gzip": layer
        case "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar"
        case "application/vnd.docker.image.rootfs.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd"
        default: type
        }
    }
}

/// Writes the configuration and the manifest of an image, with sorted keys, so that equal images are equal bytes.
struct ImageDocuments {
    let plan: ImagePlan
    let created: Timestamp
    let base: BaseImage?

    func configuration(_ layers: [(record: LayerRecord, purpose: String)]) -> JSON {
        var document: JSON = [
            "architecture": .string(plan.architecture), "os": "linux", "created": .string(created.description),
            "rootfs": ["type": "layers"],
        ]
        let diffIDs = (base?.diffIDs ?? []) + layers.map { JSON.string("\($0.record.diffID)") }
        document.set(.array(diffIDs), at: ["rootfs", "diff_ids"])
        let history = layers.map { layer -> JSON in
            ["created": .string(created.description), "created_by": .string("ballast: \(layer.purpose)")]
        }
        document["history"] = .array((base?.history ?? []) + history)
        if let variant = base?.configuration["variant"] { document["variant"] = variant }
        document["config"] = process
        return document.sortedByKey
    }

    /// What runs: the plan's words over those of the base image. A new entrypoint drops the base's command, as everywhere.
    private var process: JSON {
        var process = base?.configuration["config"]?.object.map { JSON.object($0) } ?? [:]
        func list(_ items: [String]) -> JSON { .array(items.map { .string($0) }) }
        if !plan.entrypoint.isEmpty {
            process["Entrypoint"] = list(plan.entrypoint)
            process["Cmd"] = nil
        }
        if !plan.command.isEmpty { process["Cmd"] = list(plan.command) }
        if let folder = plan.workingDirectory { process["WorkingDir"] = .string(folder) }
        if let user = plan.user { process["User"] = .string(user) }
        let environment = merged(process["Env"]?.array?.compactMap(\.string) ?? [])
        process["Env"] = environment.isEmpty ? Optional.none : list(environment)
        let labels = (process["Labels"]?.stringMap ?? [:]).merging(plan.labels) { $1 }
        process["Labels"] = labels.isEmpty ? Optional.none : JSON(labels)
        return process
    }

    private func merged(_ inherited: [String]) -> [String] {
        let kept = inherited.filter { entry in
            plan.environment[String(entry.prefix { $0 != "=" })] == nil
        }
        return kept + plan.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    func manifest(_ configuration: BlobFile, _ layers: [LayerRecord]) -> StoredManifest {
        func descriptor(_ type: String, _ digest: Digest, _ size: Int) -> JSON {
            ["mediaType": .string(type), "digest": .string("\(digest)"), "size": JSON(size)]
        }
        let ours = layers.map { descriptor(MediaType.layer, $0.digest, $0.size) }
        let document: JSON = [
            "schemaVersion": 2, "mediaType": .string(MediaType.manifest),
            "config": descriptor(MediaType.configuration, configuration.digest, configuration.size),
            "layers": .array((base?.layers ?? []) + ours),
        ]
        let bytes = document.sortedByKey.bytes
        return StoredManifest(mediaType: MediaType.manifest, bytes: bytes, digest: ContentHash.digest(of: bytes))
    }
}
