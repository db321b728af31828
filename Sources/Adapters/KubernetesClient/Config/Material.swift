// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

/// PEM text that a kubeconfig holds itself, or a file it names.
package enum Material: Sendable, Hashable {
    case text(String)
    /// Absolute.
    case file(String)

    package func read() throws -> String {
        switch self {
        case .text(let text): return text
        case .file(let path):
            do {
                return try String(contentsOfFile: path, encoding: .utf8)
            } catch {
                throw Failure(.invalidInput, "'\(path)' cannot be read (\(ErrorWords.text(of: error)))")
            }
        }
    }
}
