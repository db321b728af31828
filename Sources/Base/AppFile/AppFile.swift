// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
package import Model

/// An app file that was read and found good.
package struct AppFile: Sendable {
    package var app: App
    /// The file's content with its lines.
    package var document: YAMLValue
    /// Absolute; commands run and relative paths start in its folder.
    package var path: String
    package var folder: String

    /// An app file is written by people; whatever is larger is another file.
    private static let sizeLimit = 1 << 20

    /// Reads `ballast.yaml` in a folder, or the file itself.
    ///
    /// Throws `invalidInput` with every complaint, one a line: file, line, key, what is wrong and the nearest known key.
    package static func load(_ path: String) throws -> AppFile {
        let file = locate(path)
        let absolute = URL(filePath: file).absoluteURL.path
        return try read(try text(of: file), path: absolute, shownAs: file)
    }

    /// Reads the text of a file; `path` is absolute, and messages name the file as `shownAs`.
    package static func read(_ text: String, path: String, shownAs file: String) throws -> AppFile {
        let (app, document, complaints) = examine(text, file: file)
        guard let app, let document, complaints.isEmpty else {
            throw Failure(.invalidInput, complaints.map(\.description).joined(separator: "\n"))
        }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        return AppFile(app: app, document: document, path: path, folder: folder)
    }

    private static func content(of file: String) throws -> Data {
        guard let type = try? FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType else {
            throw Failure(.notFound, "there is no '\(file)'; 'ballast init' writes one")
        }
        let isFile = type == .typeSymbolicLink || type == .typeRegular
        guard isFile, let data = FileManager.default.contents(atPath: file) else {
            let what = type == .typeDirectory ? "is a folder" : isFile ? "cannot be read" : "is no ordinary file"
            throw Failure(.invalidInput, "'\(file)' \(what); name an app file, or a folder with a ballast.yaml")
        }
        return data
    }

    private static func text(of file: String) throws -> String {
        let data = try content(of: file)
        guard data.count <= sizeLimit else {
            throw Failure(.invalidInput, "\(file):1: is \(data.count) bytes long; an app file has at most \(sizeLimit)")
        }
        if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) {
            throw Failure(.invalidInput, "\(file):1: is UTF-16 text; save it as UTF-8")
        }
        let bytes = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data[...]
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let good = String(decoding: bytes, as: UTF8.self).unicodeScalars.prefix { $0 != "\u{FFFD}" }
            let line = good.count { $0 == "\n" } + 1
            throw Failure(.invalidInput, "\(file):\(line): is not UTF-8 text; save it as UTF-8")
        }
        return text
    }

    /// The app, where it could be read, and all complaints.
    package static func parse(_ text: String, file: String) -> (app: App?, complaints: [Complaint]) {
        let (app, _, complaints) = examine(text, file: file)
        return (app, complaints)
    }

    private static func examine(_ text: String, file: String) -> (App?, YAMLValue?, [Complaint]) {
        let document: YAMLValue
        do {
            document = try YAMLDocument.parse(text)
        } catch {
            let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(error.line - 1).first
            let indent = line?.prefix { $0 == " " || $0 == "\t" } ?? ""
            let message = indent.contains("\t") ? "a tab indents this line; YAML takes spaces only" : error.message
            return (nil, nil, [Complaint(file: file, line: error.line, key: "", message: message)])
        }
        var complaints = AppShape.file.complaints(about: document, in: file)
        guard complaints.isEmpty else { return (nil, nil, complaints.sorted { $0.line < $1.line }) }
        let app = App(KubeObject(AppShape.file.settled(document)))
        complaints += AppRules.complaints(about: app, document, in: file)
        return (app, document, complaints.sorted { $0.line < $1.line })
    }

    /// Where a key stands, for messages: `/src/cart/ballast.yaml:12`. A key that is not written is placed at its parent.
    ///
    /// `key` is a path such as `spec.routes[0].auth`.
    package func place(of key: String) -> String { "\(path):\(document.line(of: key))" }

    private static func locate(_ path: String) -> String {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
            return path.hasSuffix("/") ? path + "ballast.yaml" : path + "/ballast.yaml"
        }
        return path
    }
}
