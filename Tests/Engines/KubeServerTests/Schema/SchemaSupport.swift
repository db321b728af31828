// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Reads JSON in a test; a broken literal fails the test that holds it.
func json(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
    do {
        return try JSON(parsing: text)
    } catch {
        Issue.record("not JSON: \(error)", sourceLocation: sourceLocation)
        throw error
    }
}

func builtIn(_ group: String, _ version: String, _ kind: String) throws -> Schema {
    try #require(SchemaTable.builtIn.schema(group: group, version: version, kind: kind))
}
