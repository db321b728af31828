// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Where lines of output are kept: release output now, container logs later.
///
/// `append` returns once the lines survive a crash of this process. `read` gives a stream's lines oldest first.
package protocol LogRecords: Sendable {
    func append(_ lines: [LogLine], to stream: LogStream) async throws
    func read(_ stream: LogStream) async throws -> [LogLine]
}

package struct LogLine: Sendable, Hashable {
    package var time: Timestamp
    package var text: String

    package init(time: Timestamp, text: String) {
        self.time = time
        self.text = text
    }
}

/// The name of one sequence of lines, such as `releases/shop/cart/42/test`.
package struct LogStream: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// Each part becomes one component of the name.
    package init(_ parts: String...) { description = parts.joined(separator: "/") }
}
