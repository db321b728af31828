// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Assembly
import CommandLine
import Glibc

@main
struct Ballast {
    static func main() async {
        exit(await CommandLineRunner.run(Array(Swift.CommandLine.arguments.dropFirst()), on: Composer()))
    }
}
