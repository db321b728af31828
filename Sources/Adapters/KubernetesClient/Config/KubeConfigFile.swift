// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Foundation
import Model

/// One kubeconfig as it is written: nothing merged, nothing resolved.
struct KubeConfigFile {
    /// How errors call it: its path.
    var name: String
    var currentContext: String?
    var clusters: [KubeConfigEntry] = []
    var users: [KubeConfigEntry] = []
    var contexts: [KubeConfigEntry] = []

    /// Reads a text; paths in it are relative to `folder`.
    init(text: String, name: String, folder: String) throws {
        self.name = name
        let documents: [YAMLValue]
        do {
            documents = try YAMLDocument.parseAll(text, as: .kubernetes)
        } catch {
            throw Failure(.invalidInput, "\(name):\(error.line): \(error.message)")
        }
        guard let root = documents.first else { return }
        guard documents.count == 1, case .mapping = root.content else {
            throw Failure(.invalidInput, "\(name): is no kubeconfig: one mapping is expected")
        }
        let top = KubeConfigEntry(file: name, folder: folder, place: "", name: "", json: root.json)
        if let kind = try top.text("kind"), kind != "Config" {
            throw Failure(.invalidInput, "\(name): is no kubeconfig: its kind is '\(kind)', not 'Config'")
        }
        currentContext = try top.text("current-context")
        clusters = try Self.entries(of: top, list: "clusters", member: "cluster")
        users = try Self.entries(of: top, list: "users", member: "user")
        contexts = try Self.entries(of: top, list: "contexts", member: "context")
    }

    /// `nil` where there is no such file.
    static func read(_ path: String) throws -> KubeConfigFile? {
        let url = URL(fileURLWithPath: path).absoluteURL
        let text: String
        do {
            text = try String(contentsOf: url, encoding: .utf8)
        } catch {
            guard FileManager.default.fileExists(atPath: url.path) else { return nil }
            throw Failure(.invalidInput, "the kubeconfig '\(path)' cannot be read (\(ErrorWords.text(of: error)))")
        }
        return try KubeConfigFile(text: text, name: path, folder: url.deletingLastPathComponent().path)
    }

    private static func entries(of top: KubeConfigEntry, list: String, member: String) throws -> [KubeConfigEntry] {
        guard let value = top.json[list], !value.isNull else { return [] }
        guard let items = value.array else { throw top.complaint("'\(list)' must be a list") }
        var seen: Set<String> = []
        return try items.enumerated().map { place, item in
            let named = KubeConfigEntry(
                file: top.file,
                folder: top.folder,
                place: "\(list)[\(place)]",
                name: "",
                json: item
            )
            guard let name = try named.text("name") else { throw named.complaint("'name' is missing") }
            guard seen.insert(name).inserted else { throw top.complaint("'\(list)' has '\(name)' more than once") }
            let content = item[member] ?? [:]
            guard content.object != nil || content.isNull else {
                throw named.complaint("'\(member)' must be a mapping")
            }
            return KubeConfigEntry(
                file: top.file,
                folder: top.folder,
                place: "\(member) '\(name)'",
                name: name,
                json: content.isNull ? [:] : content
            )
        }
    }
}

/// A part of a kubeconfig with the place it stands in, so that complaints name file and key.
struct KubeConfigEntry {
    var file: String
    /// What relative paths start from.
    var folder: String
    /// Such as `user 'admin'`; empty for the file itself.
    var place: String
    var name: String
    var json: JSON

    func complaint(_ text: String, _ code: Failure.Code = .invalidInput) -> Failure {
        Failure(code, place.isEmpty ? "\(file): \(text)" : "\(file): \(place): \(text)")
    }

    /// The text of a key; `nil` where it is absent or empty.
    func text(_ key: String) throws -> String? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let text = value.string else { throw complaint("'\(key)' must be text; put it in quotes") }
        return text.isEmpty ? nil : text
    }

    func flag(_ key: String) throws -> Bool {
        guard let value = json[key], !value.isNull else { return false }
        guard let flag = value.bool else { throw complaint("'\(key)' must be true or false") }
        return flag
    }

    func texts(_ key: String) throws -> [String] {
        guard let value = json[key], !value.isNull else { return [] }
        guard let texts = value.array?.map(\.string), !texts.contains(nil) else {
            throw complaint("'\(key)' must be a list of texts")
        }
        return texts.compactMap { $0 }
    }

    /// A mapping below this one.
    func inner(_ key: String) throws -> KubeConfigEntry? {
        guard let value = json[key], !value.isNull else { return nil }
        guard value.object != nil else { throw complaint("'\(key)' must be a mapping") }
        let inside = place.isEmpty ? key : "\(place): \(key)"
        return KubeConfigEntry(file: file, folder: folder, place: inside, name: name, json: value)
    }

    /// A path made absolute from the file's folder.
    func path(_ key: String) throws -> String? { try text(key).map { absolute($0) } }

    func absolute(_ path: String) -> String {
        path.hasPrefix("/")
            ? path : URL(fileURLWithPath: path, relativeTo: URL(filePath: folder + "/")).standardizedFileURL.path
    }

    /// PEM given as `KEY-data` in base64, or as the path of a file at `KEY`.
    func material(_ key: String) throws -> Material? {
        let file = try path(key)
        guard let encoded = try text("\(key)-data") else { return file.map { .file($0) } }
        guard file == nil else { throw complaint("'\(key)' and '\(key)-data' are both given; keep one") }
        guard let text = Base64.decode(encoded).flatMap({ String(validating: $0, as: UTF8.self) }) else {
            throw complaint("'\(key)-data' is no base64 of a PEM text")
        }
        return .text(text)
    }
}
