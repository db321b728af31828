// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import FoundationEssentials

/// The flags that say which cluster is the home cluster: the one that keeps Ballast's records, and that app files call `local`.
struct HomeOptions: ParsableArguments {
    @OptionGroup var data: DataFolderOption
    @Option(
        help: ArgumentHelp(
            "A kubeconfig whose cluster is the home cluster, instead of this machine's 'up' (default: $BALLAST_KUBECONFIG)."
        )
    )
    var kubeconfig: String?
    @Option(help: "The context of a kubeconfig whose cluster is the home cluster (default: $BALLAST_CONTEXT).")
    var context: String?

    var choice: HomeChoice { HomeChoice(data, kubeconfig: kubeconfig, context: context) }
}

/// The same for a verb whose `--kubeconfig` and `--context` name another cluster.
struct OtherHomeOptions: ParsableArguments {
    @OptionGroup var data: DataFolderOption
    @Option(
        help: ArgumentHelp("A kubeconfig whose cluster is the home cluster (default: $BALLAST_KUBECONFIG, else 'up').")
    )
    var homeKubeconfig: String?
    @Option(help: "The context of the home cluster (default: $BALLAST_CONTEXT).")
    var homeContext: String?

    var choice: HomeChoice { HomeChoice(data, kubeconfig: homeKubeconfig, context: homeContext) }
}

/// Which home cluster was asked for.
package struct HomeChoice: Sendable, Hashable {
    /// Logs and caches are below it, and an `up` may run on it.
    package var dataFolder: String
    /// Somebody named the folder, and means the `up` on it.
    package var isFolderNamed: Bool
    /// Of a real cluster; `nil` with a context: kubectl's own.
    package var kubeconfig: String?
    package var context: String?

    /// The `up` of a data folder.
    package init(dataFolder: String) {
        self.dataFolder = dataFolder
        isFolderNamed = true
    }

    init(
        _ data: DataFolderOption,
        kubeconfig: String?,
        context: String?,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        dataFolder = data.path
        isFolderNamed = data.folder != nil || variable("BALLAST_DATA") != nil
        // A folder that is named on the command line counts before variables that were set long ago.
        let asks = data.folder == nil
        self.kubeconfig = (kubeconfig ?? (asks ? variable("BALLAST_KUBECONFIG") : nil)).map {
            URL(filePath: $0).absoluteURL.path
        }
        self.context = context ?? (asks ? variable("BALLAST_CONTEXT") : nil)
    }
}
