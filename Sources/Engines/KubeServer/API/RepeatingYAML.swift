// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model

/// A YAML body as the API reads it: its first document, in which the last of several equal keys counts.
struct RepeatingYAML {
    /// Why a body is no YAML, in the real server's words: `yaml: line 2: found character that cannot start any token`.
    struct Problem: Error { var text: String }

    let json: JSON
    /// `line 4: key "a" already set in map`.
    let repetitions: [String]

    init(_ body: [UInt8]) throws(Problem) {
        do {
            let (value, found) = try YAMLDocument.parseRepeating(String(decoding: body, as: UTF8.self), as: .kubernetes)
            json = value?.json ?? .null
            repetitions = found.map { "line \($0.line): key \(FieldErrors.quoted($0.key)) already set in map" }
        } catch {
            throw Problem(text: "yaml: \(error.plainProblem ?? error.description)")
        }
    }
}
