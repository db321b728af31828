// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
package import Model

/// An app file that was read and found good.
package struct AppFile: Sendable {
    package var app: App
    /// Absolute; commands run and relative paths start in its folder.
    package var path: String
    package var folder: String

    /// Reads `ballast.yaml` in a folder, or the file itself.
    ///
    /// Throws `invalidInput` with every complaint, one a line: file, line, key, what is wrong and the nearest known key.
    package static func load(_ path: String) throws -> AppFile {
        let file = locate(path)
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(.notFound, "there is no '\(file)'; 'ballast init' writes one")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure(.invalidInput, "\(file):1: is not UTF-8 text")
        }
        let (app, complaints) = parse(text, file: file)
        guard let app, complaints.isEmpty else {
            throw Failure(.invalidInput, complaints.map(\.description).joined(separator: "\n"))
        }
        let absolute = URL(filePath: file).absoluteURL.path
        return AppFile(app: app, path: absolute, folder: URL(filePath: absolute).deletingLastPathComponent().path)
    }

    /// The app, where it could be read, and all complaints.
    package static func parse(_ text: String, file: String) -> (app: App?, complaints: [Complaint]) {
        let document: YAMLValue
        do {
            document = try YAMLDocument.parse(text)
        } catch {
            return (nil, [Complaint(file: file, line: error.line, key: "", message: error.message)])
        }
        var complaints = AppShape.file.complaints(about: document, in: file)
        guard complaints.isEmpty else { return (nil, complaints.sorted { $0.line < $1.line }) }
        let app = App(KubeObject(document.json))
        complaints += AppRules.complaints(about: app, document, in: file)
        return (app, complaints.sorted { $0.line < $1.line })
    }

    private static func locate(_ path: String) -> String {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
            return path.hasSuffix("/") ? path + "ballast.yaml" : path + "/ballast.yaml"
        }
        return path
    }
}
