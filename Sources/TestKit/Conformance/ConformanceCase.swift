// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One case of a conformance suite: a name that stays the same from run to run, and what to try.
package struct ConformanceCase<Input: Sendable>: Sendable {
    package var name: String
    package var input: Input

    package init(_ name: String, _ input: Input) {
        self.name = name
        self.input = input
    }
}

/// What a check throws when the answer is not the expected one.
///
/// Any other error fails the case as well; this one only reads better.
package struct ConformanceMismatch: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Throws unless both are equal; for checks, which must throw where a test would use `#expect`.
package func requireEqual<Value: Equatable>(
    _ found: Value,
    _ expected: Value,
    _ what: String = "answer"
) throws(ConformanceMismatch) {
    guard found != expected else { return }
    throw ConformanceMismatch("\(what) is \(found), expected \(expected)")
}
