// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a release's errors say to a person.
enum ReleaseWords {
    static func text(of error: any Error) -> String {
        switch error {
        case let failed as RolloutFailed: "\(failed.diagnosis)"
        case let breached as Verification.Breached: "the new pods did not hold: \(breached.why)"
        default: ErrorWords.text(of: error)
        }
    }

    /// For records and lists.
    static func firstLine(of error: any Error) -> String { String(text(of: error).prefix { $0 != "\n" }) }

    /// "'a', 'b' and 'c'".
    static func list(_ names: [ClusterName]) -> String {
        let quoted = names.map { "'\($0)'" }
        guard quoted.count > 1, let last = quoted.last else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " and " + last
    }
}
