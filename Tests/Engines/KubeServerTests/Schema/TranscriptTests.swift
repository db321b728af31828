// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Ports
import TestKit
import Testing

@testable import KubeServer

/// What the recorded answers of a real server say about decoding and patches alone; the whole server has a suite of
/// its own. Without the recordings there is nothing to compare, and the tests say so.
@Suite("recorded answers")
struct TranscriptTests {
    static func steps(_ scenario: String) throws -> [JSON] {
        let root = ConformanceSettings.ofThisProcess.root
        let file = root.appending(path: "releases/k8s-transcripts/\(scenario).json")
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        return try JSON(parsing: Data(contentsOf: file))["steps"]?.array ?? []
    }

    static let scenarios = [
        "configmaps-crud", "defaults", "deletion", "errors", "field-validation", "namespaces", "patches",
        "server-side-apply", "subresources", "tables", "validation", "watch", "custom-resources",
    ]

    /// Whatever the server answered is canonical already: decoding it changes no byte.
    @Test("the real server's answers are canonical", arguments: scenarios)
    func answersAreCanonical(_ scenario: String) throws {
        for (number, step) in try Self.steps(scenario).enumerated() {
            guard let answer = step["response"] else { continue }
            for object in answer["items"]?.array ?? [answer] {
                guard let schema = SchemaTable.builtIn.schema(of: object) else { continue }
                let decoded = try ObjectDecoder.decode(object, as: schema)
                #expect(decoded.problems.isEmpty, "\(scenario) \(number)")
                #expect(decoded.object.text == object.text, "\(scenario) \(number)")
            }
        }
    }

    @Test("strict and warning texts are the real server's")
    func fieldValidation() throws {
        for (number, step) in try Self.steps("field-validation").enumerated() {
            guard step[path: "request", "method"] == "POST" else { continue }
            let strict = strictProblems(step)
            guard strict != nil || step["warnings"] != nil else { continue }
            let text = step[path: "request", "body"]
            var parser = JSONParser((text?.string ?? text?.text ?? "").utf8)
            let body = try parser.parseDocument()
            let schema = try #require(SchemaTable.builtIn.schema(of: body))
            let decoded = try ObjectDecoder.decode(body, as: schema, duplicates: parser.duplicates)
            if let strict { #expect(decoded.problems.joined(separator: ", ") == strict, "\(number)") }
            if let warnings = step["warnings"]?.array?.compactMap(\.string) {
                #expect(decoded.problems.map { "299 - \(JSON.string($0).text)" } == warnings, "\(number)")
            }
        }
    }

    private func strictProblems(_ step: JSON) -> String? {
        let mark = "strict decoding error: "
        guard let message = step[path: "response", "message"]?.string, let range = message.firstRange(of: mark) else {
            return nil
        }
        return String(message[range.upperBound...])
    }

    /// Every patch that the real server took, applied to what it had answered before, gives the members it answered.
    @Test("patches give the real server's result")
    func patches() throws {
        var objects: [String: JSON] = [:]
        for (number, step) in try Self.steps("patches").enumerated() {
            guard let request = step["request"], let path = request["path"]?.string, let answer = step["response"]
            else { continue }
            let isPatch = request["method"] == "PATCH"
            let name = answer[path: "metadata", "name"]?.string ?? ""
            let address = isPatch ? path : "\(path)/\(name)"
            if isPatch, let before = objects[address] { try check(step, before: before, number) }
            if step["status"]?.int ?? 500 < 300 { objects[address] = answer }
        }
    }

    private func check(_ step: JSON, before: JSON, _ number: Int) throws {
        let text = step[path: "request", "body"]
        guard let type = step[path: "request", "contentType"]?.string.flatMap(PatchType.init(rawValue:)),
            let body = try? JSON(parsing: text?.string ?? text?.text ?? ""), let code = step["status"]?.int
        else { return }
        let schema = try #require(SchemaTable.builtIn.schema(of: before))
        do {
            let after = try ObjectDecoder.decode(
                try Patch.apply(type, body, to: before, schema: schema),
                as: schema
            )
            guard code == 200 else { return }
            for member in ["spec", "data"] {
                #expect(comparable(after.object[member]) == comparable(step[path: "response", member]), "\(number)")
            }
            for member in ["labels", "finalizers"] {
                #expect(
                    after.object[path: "metadata", member] == step[path: "response", "metadata", member],
                    "\(number)"
                )
            }
        } catch let error as PatchError {
            #expect(error.status.code == code, "\(number)")
            #expect(error.status.message == step[path: "response", "message"]?.string, "\(number)")
        } catch let error as DecodingError {
            #expect(
                code == 422 && step[path: "response", "message"]?.string?.hasSuffix(error.message) == true,
                "\(number)"
            )
        }
    }

    /// Without what defaulting, not patching, puts into new containers.
    private func comparable(_ value: JSON?) -> JSON? {
        switch value {
        case .array(let elements)?: return .array(elements.map { comparable($0) ?? .null })
        case .object(let members)?:
            let defaults = ["terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "protocol"]
            return .object(members.filter { !defaults.contains($0.key) }.mapValues { comparable($0) ?? .null })
        default: return value
        }
    }
}
