// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import TestKit

@testable import ImageStore

/// Manifests and indexes that other tools wrote, and what our reader has to find in them.
enum ForeignManifests {
    enum Expectation: Sendable, Hashable {
        /// The configuration and so many layers.
        case layers(Int)
        case manifests(Int)
        /// An old or damaged document that a registry refuses.
        case refused
    }

    private static let expected: [String: Expectation] = [
        "ocimanifest.json": .layers(1), "translated_ocimanifest.json": .layers(1), "v22manifest.json": .layers(1),
        "translated_v22manifest.json": .layers(1), "v22manifest_list.json": .manifests(3),
        "ociindex.json": .manifests(1),
        "ociindex_platforms.json": .manifests(2), "ociindex_artifacttype.json": .manifests(2),
        "v21manifest.json": .refused,
    ]

    static func cases(in folder: URL) throws -> [ConformanceCase<OCISchemaConformance.Case>] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            let bytes = Array(try Data(contentsOf: folder.appending(path: name)))
            return ConformanceCase("jib/\(name)", .foreign(bytes: bytes, expected: expected[name]))
        }
    }

    static func check(_ bytes: [UInt8], _ expected: Expectation?) throws {
        guard let expected else { throw ConformanceMismatch("no expectation is written down for this file") }
        let found: Expectation
        do {
            let document = try ManifestDocument(parsing: bytes, contentType: nil)
            found = document.blobs.isEmpty ? .manifests(document.manifests.count) : .layers(document.blobs.count - 1)
        } catch {
            found = .refused
        }
        try requireEqual(found, expected, "what the reader found")
    }
}
