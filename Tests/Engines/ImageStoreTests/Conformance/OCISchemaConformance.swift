// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Foundation
import Model
import Ports
import TestKit
import Testing

@testable import ImageStore

/// Suite `oci-schema`: what we write fits OCI's JSON Schemas, by a validator that is not ours; what others wrote is read.
struct OCISchemaConformance {
    enum Case: Sendable {
        /// A document and what the validator said of it; `nil` where it fits.
        case written(problem: String?)
        /// A document that must not fit, so that the validator itself is seen to work.
        case broken(problem: String?)
        /// Somebody else's manifest or index, and how much of what it names our reader must find.
        case foreign(bytes: [UInt8], expected: ForeignManifests.Expectation?)
    }

    @Test func everyDocumentFitsItsSchema() async throws {
        let scratch = try Scratch()
        let documents = try await SampleDocuments.all(in: scratch)
        try await ConformanceSuite("oci-schema", in: "releases").run { folder in
            let verdicts = try SchemaValidator(schemas: folder.appending(path: "oci-image-spec-schema")).judge(
                documents
            )
            let own = documents.map { document in
                let problem = verdicts[document.name] ?? "the validator said nothing"
                let input: Case = document.isBroken ? .broken(problem: problem) : .written(problem: problem)
                return ConformanceCase(document.name, input)
            }
            return try own + ForeignManifests.cases(in: folder.appending(path: "jib-json"))
        } check: { input in
            switch input {
            case .written(let problem):
                if let problem { throw ConformanceMismatch(problem) }
            case .broken(let problem):
                if problem == nil { throw ConformanceMismatch("a broken document was found to fit") }
            case .foreign(let bytes, let expected): try ForeignManifests.check(bytes, expected)
            }
        }
    }
}

/// The Python package `jsonschema` as a process, asked about all documents at once.
struct SchemaValidator {
    let schemas: URL

    private static let script = """
        import json, pathlib, sys
        from jsonschema import Draft4Validator
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT4
        folder = pathlib.Path(sys.argv[1])
        def load(uri):
            name = uri.split("#")[0].rsplit("/", 1)[-1]
            return Resource.from_contents(json.loads((folder / name).read_text()), default_specification=DRAFT4)
        registry = Registry(retrieve=load)
        verdicts = {}
        for case in json.load(sys.stdin):
            schema = json.loads((folder / case["schema"]).read_text())
            validator = Draft4Validator(schema, registry=registry, format_checker=Draft4Validator.FORMAT_CHECKER)
            errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(case["document"])]
            verdicts[case["name"]] = "; ".join(errors)
        json.dump(verdicts, sys.stdout)
        """

    /// What is wrong with each document, by name; empty where nothing is, turned into `nil`.
    func judge(_ documents: [SampleDocuments.Document]) throws -> [String: String?] {
        let question = JSON.array(
            documents.map { ["name": .string($0.name), "schema": .string($0.schema), "document": $0.content] }
        )
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python", "-c", Self.script, schemas.path]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(question.bytes))
        try input.fileHandleForWriting.close()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ConformanceMismatch("python with jsonschema is not on PATH; run scripts/setup and 'make test'")
        }
        return try JSON(parsing: answer).stringMap.mapValues { $0.isEmpty ? nil : $0 }
    }
}
