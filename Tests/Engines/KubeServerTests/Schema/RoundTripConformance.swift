// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

/// The fully populated objects of Kubernetes' own round-trip tests: nothing of them may be unknown, lost or changed.
struct RoundTripConformance {
    @Test("every field of every built-in kind survives decoding, printing and patching")
    func everyFieldSurvives() async throws {
        try await ConformanceSuite("k8s-roundtrip", in: "releases/k8s-api-testdata-HEAD").run { folder in
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return try files.filter { $0.hasSuffix(".json") }.sorted().map { file in
                let bytes = try Data(contentsOf: folder.appending(path: file))
                return ConformanceCase(String(file.dropLast(".json".count)), Array(bytes))
            }
        } check: { bytes in
            try check(bytes)
        }
    }

    private func check(_ bytes: [UInt8]) throws {
        var parser = JSONParser(bytes)
        let object = try parser.parseDocument()
        try requireEqual(parser.duplicates, [], "repeated fields")
        guard let schema = SchemaTable.builtIn.schema(of: object) else {
            throw ConformanceMismatch("the table has no such kind")
        }
        let decoded = try ObjectDecoder.decode(object, as: schema)
        try requireEqual(decoded.problems, [], "strict field validation")
        try requireEqual(decoded.object.text, object.text, "the decoded object")
        try requireEqual(try JSON(parsing: decoded.object.bytes), object, "the printed object")
        let bare = withoutNulls(object)  // in a merge patch they remove
        for type in [PatchType.merge, .strategicMerge] {
            let patched = try Patch.apply(type, object, to: object, schema: schema)
            try requireEqual(patched.text, bare.text, "the object patched with itself (\(type.rawValue))")
        }
        let patched = try Patch.apply(.merge, object, to: [:], schema: schema)
        try requireEqual(patched.text, bare.text, "the object made anew by a patch")
    }

    private func withoutNulls(_ value: JSON) -> JSON {
        switch value {
        case .object(let members): .object(members.filter { !$0.value.isNull }.mapValues(withoutNulls))
        case .array(let elements): .array(elements.map(withoutNulls))
        default: value
        }
    }
}
