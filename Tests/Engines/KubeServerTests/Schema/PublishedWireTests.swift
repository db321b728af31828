// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Testing

@testable import KubeServer

enum PublishedObjects {
    static let folder = ProcessInfo.processInfo.environment["BALLAST_KUBERNETES_TESTDATA"]
}

/// The fully populated objects that Kubernetes publishes in both forms, as `NAME.json` and `NAME.pb`, in the folder that
/// BALLAST_KUBERNETES_TESTDATA names: `testdata/HEAD` of the public module k8s.io/api.
@Suite(
    "published protobuf objects",
    .enabled(if: PublishedObjects.folder != nil, "BALLAST_KUBERNETES_TESTDATA names no folder")
)
struct PublishedWireTests {
    @Test("every object of a kind in the table reads the same from protobuf as from JSON")
    func bothFormsAreTheSame() throws {
        let folder = try #require(PublishedObjects.folder)
        var compared = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file.hasSuffix(".pb") {
            let text = try Data(contentsOf: URL(filePath: "\(folder)/\(file.dropLast(3)).json"))
            let object = try JSON(parsing: Array(text))
            guard let schema = SchemaTable.builtIn.schema(of: object) else { continue }
            let body = Array(try Data(contentsOf: URL(filePath: "\(folder)/\(file)")))
            let envelope = try WireEnvelope(body)
            #expect(envelope.kind == object["kind"]?.string && envelope.apiVersion == object["apiVersion"]?.string)
            let read = try WireDecoder.decode(body, in: envelope.object, as: schema)
            var expected = try ObjectDecoder.decode(object, as: schema).object
            expected.set(nil, at: ["kind"])
            expected.set(nil, at: ["apiVersion"])
            let decoded = try ObjectDecoder.decode(read, as: schema)
            #expect(decoded.problems.isEmpty && decoded.object.text == expected.text, "\(file)")
            compared += 1
        }
        #expect(compared > 40)
    }
}
