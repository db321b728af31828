// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Collects what ConfigMap, Secret, downward API and projected volumes show.
struct ProjectionReader: Sendable {
    let services: PodServices
    let pod: PodSpec
    let address: String

    /// The files of a volume's source; `nil` where the source is of another kind.
    func files(of volume: JSON) async throws -> ProjectedFiles? {
        let name = volume["name"]?.string ?? ""
        var files = ProjectedFiles()
        do {
            if let source = volume["configMap"] {
                try await addObject(.configMaps, source, nameField: "name", mode: mode(source), to: &files)
            } else if let source = volume["secret"] {
                try await addObject(.secrets, source, nameField: "secretName", mode: mode(source), to: &files)
            } else if let source = volume["downwardAPI"] {
                try addFields(source, mode: mode(source), to: &files)
            } else if let source = volume["projected"] {
                try await addProjected(source, to: &files)
            } else {
                return nil
            }
        } catch let error as VolumePathError {
            throw VolumeFailure(volume: name, message: "invalid path '\(error.path)' in the volume")
        } catch let error as EnvironmentResolver.Missing {
            throw VolumeFailure(volume: name, message: error.message)
        }
        return files
    }

    private func mode(_ source: JSON) -> Int { source["defaultMode"]?.int ?? 0o644 }

    private func addProjected(_ source: JSON, to files: inout ProjectedFiles) async throws {
        let mode = mode(source)
        for part in source["sources"]?.array ?? [] {
            if let object = part["configMap"] {
                try await addObject(.configMaps, object, nameField: "name", mode: mode, to: &files)
            } else if let object = part["secret"] {
                try await addObject(.secrets, object, nameField: "name", mode: mode, to: &files)
            } else if let fields = part["downwardAPI"] {
                try addFields(fields, mode: mode, to: &files)
            } else if let token = part["serviceAccountToken"] {
                let path = token["path"]?.string ?? "token"
                try files.add(path, Array(try await services.tokens.token(token, of: pod).utf8), mode: mode)
            } else {
                let kind = part.object?.keys.first ?? ""
                throw EnvironmentResolver.Missing(message: "projected volumes of kind \(kind) are not supported")
            }
        }
    }

    private func addObject(
        _ type: ResourceType,
        _ source: JSON,
        nameField: String,
        mode: Int,
        to files: inout ProjectedFiles
    ) async throws {
        let name = source[nameField]?.string ?? ""
        let isOptional = source["optional"]?.bool ?? false
        let kind = type == .secrets ? "secret" : "configmap"
        let reference = ObjectReference(type, namespace: pod.namespace, name: name)
        guard let object = try await services.api.find(reference) else {
            if isOptional { return }
            throw EnvironmentResolver.Missing(message: "\(kind) \"\(name)\" not found")
        }
        let data = PodReferences.bytes(of: object)
        guard let items = source["items"]?.array, !items.isEmpty else {
            for (key, bytes) in data { try files.add(key, bytes, mode: mode) }
            return
        }
        for item in items {
            let key = item["key"]?.string ?? ""
            guard let bytes = data[key] else {
                if isOptional { continue }
                throw EnvironmentResolver.Missing(message: "references non-existent \(kind) key: \(key)")
            }
            try files.add(item["path"]?.string ?? key, bytes, mode: item["mode"]?.int ?? mode)
        }
    }

    private func addFields(_ source: JSON, mode: Int, to files: inout ProjectedFiles) throws {
        let fields = PodFields(pod: pod, address: address, host: services.hostAddress)
        let resources = ResourceFields(pod: pod, machine: services.machine)
        for item in source["items"]?.array ?? [] {
            var text: String?
            if let path = item[path: "fieldRef", "fieldPath"]?.string { text = fields.value(path) }
            if let reference = item["resourceFieldRef"] { text = resources.value(reference, default: nil) }
            guard let text else {
                throw EnvironmentResolver.Missing(message: "unsupported field in a downward API volume")
            }
            try files.add(item["path"]?.string ?? "", Array(text.utf8), mode: item["mode"]?.int ?? mode)
        }
    }
}
