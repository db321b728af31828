// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// The body of a server-side apply: YAML, or JSON, in which the last of several equal keys counts.
struct AppliedBody: Sendable {
    let config: JSON
    private let repetitions: [String]

    init(_ body: [UInt8]) throws(KubeStatus) {
        if body.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") {
            var parser = JSONParser(body)
            if let json = try? parser.parseDocument(), parser.duplicates.isEmpty {
                (config, repetitions) = (json, [])
                return
            }
        }
        do {
            let read = try RepeatingYAML(body)
            config = read.json.isNull ? [:] : read.json
            repetitions = read.repetitions
        } catch {
            throw .badRequest("error decoding YAML: error converting YAML to JSON: \(error.text)")
        }
        guard config.object != nil else {
            throw .badRequest(
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
                    + "\(config.goKind) into Go value of type map[string]interface {}"
            )
        }
    }

    func warnings(_ validation: WriteOptions.FieldValidation) -> [String] { validation == .warn ? repetitions : [] }

    /// Strict validation takes no key twice.
    func checkRepetitions(_ validation: WriteOptions.FieldValidation) throws(KubeStatus) {
        guard validation == .strict, !repetitions.isEmpty else { return }
        let list = repetitions.map { "\n  \($0)" }.joined()
        throw .badRequest(
            "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\(list)"
        )
    }
}
