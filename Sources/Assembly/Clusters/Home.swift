// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CommandLine
import Foundation
import KubernetesClient
import Model

/// The home cluster that a command works with: the `up` of a data folder, or a real cluster.
struct Home: Sendable {
    var config: KubeConfig
    /// It is an `up` of this machine, which has a registry and an edge.
    var isMachine: Bool
    var folder: DataFolder

    /// The cluster that was asked for; else this machine's `up`; else, where no `up` ever ran, the one that `KUBECONFIG` names
    /// or in whose pod this runs, as a CI job has it.
    ///
    /// Throws `unavailable` where no `up` runs and nothing else was named, and what is wrong with a kubeconfig.
    static func find(
        _ choice: HomeChoice,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Home {
        let folder = DataFolder(path: choice.dataFolder)
        if choice.kubeconfig != nil || choice.context != nil {
            let config = try KubeConfig.find(
                path: choice.kubeconfig,
                context: choice.context,
                environment: environment
            )
            return try Home(real: config, folder)
        }
        if !folder.isLocked, !choice.isFolderNamed, !FileManager.default.fileExists(atPath: folder.machineFile),
            environment["KUBECONFIG"]?.isEmpty == false || environment["KUBERNETES_SERVICE_HOST"] != nil
        {
            return try Home(real: try KubeConfig.find(environment: environment), folder)
        }
        try folder.demandMachine()
        return Home(config: try KubeConfig.load(path: folder.kubeconfig), isMachine: true, folder: folder)
    }

    private init(config: KubeConfig, isMachine: Bool, folder: DataFolder) {
        self.config = config
        self.isMachine = isMachine
        self.folder = folder
    }

    private init(real config: KubeConfig, _ folder: DataFolder) throws {
        self.init(config: config, isMachine: false, folder: folder)
    }

    /// For people: which cluster it is, where that is not plain.
    var words: String? {
        guard !isMachine else { return nil }
        let context = config.context.isEmpty ? "" : ", the context '\(config.context)'"
        return "the home cluster is \(config.server)\(context)"
    }

    /// App files call the embedded registry by one name, whatever port this machine's has.
    var registryEndpoints: [String: String] { isMachine ? Composer.registryEndpoints(folder) : [:] }

    /// The clusters it knows. Others may write into a real one, so programs for credentials run only as they were added here.
    func directory(_ client: KubernetesClient, userAgent: String) -> HomeDirectory {
        guard !isMachine else { return HomeDirectory(home: client, userAgent: userAgent) }
        let plugins = ApprovedPlugins(path: folder.pluginFile)
        return HomeDirectory(
            home: client,
            userAgent: userAgent,
            approves: { plugins.holds($0, kubeconfig: $1) },
            isAttended: true
        )
    }
}
