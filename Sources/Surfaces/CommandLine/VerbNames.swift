// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model

/// The verbs of the command line, for those who mistype one.
enum VerbNames {
    static var all: [String] { BallastCommand.configuration.subcommands.map { $0._commandName } + ["help"] }

    /// Throws `invalidInput` with the nearest verb where the first word, or the one after `help`, is none.
    static func check(_ arguments: [String]) throws {
        let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
        guard let word = words.first, !word.hasPrefix("-"), !all.contains(word) else { return }
        throw Failure(
            .invalidInput,
            "there is no verb '\(word)'\(NearestName.hint(for: word, among: all))"
        )
    }
}
