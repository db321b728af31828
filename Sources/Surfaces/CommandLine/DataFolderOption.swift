// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import FoundationEssentials

/// The flag that says where Ballast keeps everything.
struct DataFolderOption: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: "The folder that holds everything (default: $BALLAST_DATA, else ~/.ballast)."
    )
    var folder: String?

    /// Absolute.
    var path: String {
        // A variable that is set to nothing says nothing.
        let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
        let chosen = folder ?? environment["BALLAST_DATA"] ?? "\(environment["HOME"] ?? "/root")/.ballast"
        return URL(filePath: chosen).absoluteURL.path
    }
}
