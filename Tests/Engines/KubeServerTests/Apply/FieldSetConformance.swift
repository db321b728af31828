// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import TestKit
import Testing

@testable import KubeServer

/// Field sets that structured-merge-diff wrote.
struct FieldSetConformance {
    @Test func publishedSetsReadAndWriteUnchanged() async throws {
        try await ConformanceSuite("structured-merge-diff", in: "releases/structured-merge-diff").run { folder in
            try ["pod", "node", "endpoints", "prometheus-crd"].map { name in
                let data = try Data(contentsOf: folder.appending(path: "\(name)set.json"))
                return ConformanceCase(name, Array(data))
            }
        } check: { (bytes: [UInt8]) in
            let text = String(decoding: bytes, as: UTF8.self)
            let set = try FieldSet(fieldsV1: try JSON(parsing: bytes))
            #expect(
                set.fieldsV1.text
                    == String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
            )
            #expect(set.subtracting(set).isEmpty)
            #expect(set.union(set) == set)
        }
    }
}
