// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import FoundationEssentials
package import Model

/// Reads the objects below the paths of `spec.deploy.manifests`.
///
/// A path is a file or a folder, relative to the app file; a folder is read whole, in the order of names. Every problem is
/// collected and told with its file and line before anything is done.
package struct ManifestReader {
    /// What a release can reasonably read and send; whatever is larger is no manifest.
    private static let sizeLimit = 16 << 20
    private static let endings: Set<String> = ["yaml", "yml", "json"]

    private let folder: String
    private var manifests: [Manifest] = []
    private var problems: [String] = []

    private init(folder: String) { self.folder = folder }

    /// The objects below each of these paths, in the order in which they are written.
    ///
    /// Throws `invalidInput` with every problem, one a line.
    package static func read(_ paths: [String], in folder: String) throws -> [String: [Manifest]] {
        var reader = ManifestReader(folder: folder)
        var files: [String: [Manifest]] = [:]
        for path in paths {
            reader.manifests = []
            reader.readPath(path)
            files[path] = reader.manifests
        }
        guard reader.problems.isEmpty else { throw Failure(.invalidInput, reader.problems.joined(separator: "\n")) }
        return files
    }

    /// The objects of one text; `file` is how messages call it.
    package static func parse(_ text: String, file: String) throws -> [Manifest] {
        var reader = ManifestReader(folder: "")
        reader.take(text, file: file)
        guard reader.problems.isEmpty else { throw Failure(.invalidInput, reader.problems.joined(separator: "\n")) }
        return reader.manifests
    }

    // MARK: Files

    private mutating func readPath(_ path: String) {
        let full = path.hasPrefix("/") ? path : "\(folder)/\(path)"
        let shown = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        var isFolder = false
        guard FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) else {
            problems.append("\(shown): there is no such file or folder (spec.deploy.manifests)")
            return
        }
        guard isFolder else { return readFile(full, shown) }
        let before = manifests.count
        readFolder(full, shown.hasSuffix("/") ? String(shown.dropLast()) : shown)
        if manifests.count == before, problems.isEmpty, !shown.isEmpty {
            problems.append("\(shown): holds no Kubernetes objects in .yaml, .yml or .json files")
        }
    }

    private mutating func readFolder(_ full: String, _ shown: String) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: full).sorted()
        } catch {
            problems.append("\(shown): cannot be read: \(ErrorWords.text(of: error))")
            return
        }
        if let name = names.first(where: { ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains($0) })
        {
            problems.append(
                "\(shown)/\(name): kustomizations are not built here; write what 'kubectl kustomize' prints into a file and name that"
            )
            return
        }
        for name in names where !name.hasPrefix(".") {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: "\(full)/\(name)", isDirectory: &isFolder) else { continue }
            if isFolder {
                readFolder("\(full)/\(name)", "\(shown)/\(name)")
            } else if Self.endings.contains(String(name.split(separator: ".").last ?? "")) {
                readFile("\(full)/\(name)", "\(shown)/\(name)")
            }
        }
    }

    private mutating func readFile(_ full: String, _ shown: String) {
        guard let data = FileManager.default.contents(atPath: full) else {
            problems.append("\(shown): cannot be read")
            return
        }
        guard data.count <= Self.sizeLimit else {
            problems.append("\(shown): is \(data.count) bytes long; manifests have at most \(Self.sizeLimit)")
            return
        }
        let bytes = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data[...]
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.append("\(shown): is not UTF-8 text; save it as UTF-8")
            return
        }
        take(text, file: shown)
    }

    // MARK: Objects

    private mutating func take(_ text: String, file: String) {
        let documents: [YAMLValue]
        do {
            documents = try YAMLDocument.parseAll(text, as: .kubernetes)
        } catch {
            problems.append("\(file):\(error.line): \(error.message)")
            return
        }
        for document in documents { take(document, file) }
    }

    private mutating func take(_ document: YAMLValue, _ file: String) {
        func refuse(_ key: String, _ message: String) {
            problems.append("\(file):\(document.line(of: key)): \(key.isEmpty ? "" : "\(key) ")\(message)")
        }
        guard case .mapping = document.content else { return refuse("", "a Kubernetes object is expected here") }
        guard let version = document["apiVersion"]?.json.string, !version.isEmpty else {
            return refuse("apiVersion", "is missing or no text")
        }
        guard let kind = document["kind"]?.json.string, !kind.isEmpty else {
            return refuse("kind", "is missing or no text")
        }
        if kind.hasSuffix("List"), case .sequence(let items)? = document["items"]?.content {
            for item in items { take(item, file) }
            return
        }
        if let name = document["metadata"]?["generateName"], document["metadata"]?["name"] == nil {
            problems.append(
                "\(file):\(name.line): metadata.generateName makes a new object at each release; give it a metadata.name"
            )
            return
        }
        guard let name = document["metadata"]?["name"]?.json.scalarText, !name.isEmpty else {
            return refuse("metadata.name", "is missing or no text")
        }
        if let namespace = document["metadata"]?["namespace"]?.json, namespace.string == nil, !namespace.isNull {
            return refuse("metadata.namespace", "must be text")
        }
        var object = KubeObject(document.json)
        object.json.set(.string(name), at: ["metadata", "name"])
        for key in ["labels", "annotations"] {
            guard let written = document["metadata"]?[key], let texts = texts(of: written, "metadata.\(key)", file)
            else { continue }
            object.json.set(texts, at: ["metadata", key])
        }
        manifests.append(Manifest(object, place: "\(file):\(document.line(of: "kind"))"))
    }

    /// Labels and annotations are text, so that a version or a `yes` counts as the text it is written as.
    private mutating func texts(of value: YAMLValue, _ key: String, _ file: String) -> JSON? {
        guard case .mapping(let members) = value.content else {
            if value.json.isNull { return nil }
            problems.append("\(file):\(value.line): \(key) must be a mapping")
            return nil
        }
        var texts = JSONObject()
        for member in members {
            switch member.value.content {
            case .scalar(.string(let text)): texts[member.key] = .string(text)
            // Laid over an object of Ballast's own, it takes the label out.
            case .scalar(.null): texts[member.key] = .null
            case .scalar(let value): texts[member.key] = .string(member.value.written ?? value.scalarText ?? "")
            case .sequence, .mapping:
                problems.append("\(file):\(member.line): \(key).\(member.key) must be text")
            }
        }
        return .object(texts)
    }
}
