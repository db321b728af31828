// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation

/// The targets of a package and what each depends on, as `swift package dump-package` prints them.
struct PackageGraph: Decodable {
    struct Target: Decodable {
        var name: String
        var type: String
        var path: String
        var dependencies: [Dependency]

        /// Whether it becomes part of the program or of its test kit; tests and benchmarks see what they need.
        var isShipped: Bool { type != "test" && path.hasPrefix("Sources/") }
    }

    enum Dependency: Equatable {
        case target(String)
        case product(String, package: String)
    }

    var targets: [Target]

    /// The graph of the whole package, also when the tests were built for one module.
    static func ofPackage(at root: URL) throws -> PackageGraph {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // The tests may hold the lock of the usual scratch folder; this one is never written.
        let scratch = FileManager.default.temporaryDirectory.appending(path: "ballast-graph-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        process.arguments = [
            "-u", "BALLAST_MODULE", "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path,
            "dump-package",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DumpFailed(status: process.terminationStatus)
        }
        return try JSONDecoder().decode(PackageGraph.self, from: text)
    }

    struct DumpFailed: Error {
        var status: Int32
    }
}

extension PackageGraph.Dependency: Decodable {
    /// `{"byName": [name, condition]}`, `{"target": [name, condition]}` or `{"product": [name, package, …]}`.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Kind.self)
        guard let kind = fields.allKeys.first else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "unknown kind"))
        }
        var values = try fields.nestedUnkeyedContainer(forKey: kind)
        let name = try values.decode(String.self)
        switch kind {
        case .byName, .target: self = .target(name)
        case .product: self = .product(name, package: try values.decodeIfPresent(String.self) ?? name)
        }
    }

    private enum Kind: String, CodingKey {
        case byName, target, product
    }
}
