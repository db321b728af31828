// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import ShopKit

signal(SIGPIPE, SIG_IGN)
do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.wantsHelp {
        print(Options.usage, terminator: "")
        exit(0)
    }
    let (tally, seconds) = try await Load(options).run()
    print(tally.report(over: seconds), terminator: "")
    exit(options.failOnError && tally.hasErrors ? 1 : 0)
} catch {
    let text = Array("shop-load: \(error)\n\n\(Options.usage)".utf8)
    write(STDERR_FILENO, text, text.count)
    exit(2)
}
