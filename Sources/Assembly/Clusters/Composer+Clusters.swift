// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import CommandLine
import KubernetesClient
import Model
package import Releases

extension Composer {
    package func addCluster(_ new: NewCluster, home: HomeChoice) async throws -> AddedCluster {
        // What is wrong with the kubeconfig is said first: mending that needs no cluster.
        try KnownCluster.check(name: new.name)
        let config = try KubeConfig.find(path: new.kubeconfig, context: new.context)
        let kubeconfig = try config.selfContained(name: new.name)
        let found = try Home.find(home)
        return try await withHome(home) { home in
            if !found.isMachine {
                try found.folder.createForReleases()
                try await HomeResources(cluster: home).prepare(home.server)
            }
            let book = ClusterBook(home: home)
            if new.replaces { _ = try await book.cluster(named: new.name) } else { try await book.checkFree(new.name) }
            let client = try KubernetesClient(config, deadline: .seconds(15), userAgent: "ballast-clusters")
            let added = try await closing(client) { try await survey(client, named: new.name) }
            let cluster = KnownCluster(config, name: new.name)
            // Whoever adds it here has just run its program.
            if config.user.plugin != nil {
                let plugins = ApprovedPlugins(path: found.folder.pluginFile)
                try plugins.approve(new.name, kubeconfig: String(decoding: kubeconfig.bytes, as: UTF8.self))
            }
            if new.replaces {
                try await book.replace(cluster, kubeconfig: kubeconfig)
            } else {
                try await book.add(cluster, kubeconfig: kubeconfig)
            }
            return added
        }
    }

    /// Throws `unavailable` or `denied` where the cluster does not answer: nothing is stored then.
    private func survey(_ client: KubernetesClient, named name: String) async throws -> AddedCluster {
        _ = try await client.version()
        var state = ClusterState(name: name, server: client.server)
        await state.ask(client) { try await client.version() }
        if let trouble = state.trouble { throw Failure(.denied, trouble) }
        let config = client.config
        var notes: [String] = []
        if let plugin = config.user.plugin {
            notes.append("its credentials come from '\(plugin.command)', which must be there wherever Ballast runs")
        }
        if config.user.tokenFile != nil {
            notes.append("the token in its token file was copied; when it ends, add the cluster again with --replace")
        }
        if config.skipsVerification { notes.append("its certificate is not verified, so anybody may pose as it") }
        return AddedCluster(
            state: state,
            missing: try await ReleaseRights.missing(on: client, namespace: config.namespace),
            namespace: config.namespace,
            notes: notes
        )
    }

    package func clusterStates(home: HomeChoice) async throws -> [ClusterState] {
        let found = try Home.find(home)
        return try await withHome(home) { home in
            let known = try await ClusterBook(home: home).all()
            let directory = found.directory(home, userAgent: "ballast-clusters")
            let states = await withTaskGroup(of: (Int, ClusterState).self) { group in
                let all = [KnownCluster(name: ClusterName.local.text, server: home.server)] + known
                for (place, cluster) in all.enumerated() {
                    group.addTask { (place, await state(of: cluster, in: directory)) }
                }
                return await group.reduce(into: [Int: ClusterState]()) { $0[$1.0] = $1.1 }
            }
            await directory.shutdown()
            return states.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// One slow cluster costs its own row, and no more than some seconds.
    private func state(of cluster: KnownCluster, in directory: HomeDirectory) async -> ClusterState {
        await withTaskGroup(of: ClusterState.self) { group in
            let blank = ClusterState(name: cluster.name, server: cluster.server, added: cluster.added)
            group.addTask {
                var state = blank
                do {
                    let client = try await directory.client(named: cluster.name)
                    await state.ask(client) { try await client.version() }
                } catch {
                    state.trouble = ErrorWords.text(of: error)
                }
                return state
            }
            group.addTask {
                var state = blank
                try? await Task.sleep(for: .seconds(6))
                state.trouble = "the cluster at '\(cluster.server)' did not answer within 6 s"
                return state
            }
            // The group has two children, so there is a first result.
            let first = await group.next() ?? blank
            group.cancelAll()
            return first
        }
    }

    package func removeCluster(_ name: String, isDryRun: Bool, home: HomeChoice) async throws -> RemovedCluster {
        guard name != ClusterName.local.text else {
            throw Failure(.invalidInput, "'local' is the home cluster itself and cannot be removed")
        }
        let folder = DataFolder(path: home.dataFolder)
        return try await withHome(home) { home in
            let book = ClusterBook(home: home)
            let cluster = try await book.cluster(named: name)
            let apps = try await book.apps(on: name)
            if !isDryRun {
                try await book.remove(cluster)
                try ApprovedPlugins(path: folder.pluginFile).forget(name)
            }
            return RemovedCluster(name: name, server: cluster.server, secret: cluster.secret.words, apps: apps)
        }
    }

    /// Works with the home cluster and its own client.
    private func withHome<Value: Sendable>(
        _ choice: HomeChoice,
        _ work: @Sendable (KubernetesClient) async throws -> Value
    ) async throws -> Value {
        try await withCluster(home: choice) { cluster in
            guard let home = cluster as? KubernetesClient else {
                throw Failure(.fault, "the home cluster is not reached over a socket")
            }
            return try await work(home)
        }
    }

    private func closing<Value: Sendable>(
        _ client: KubernetesClient,
        _ work: () async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await work()
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }
}

extension KubernetesClient {
    fileprivate func version() async throws -> String { try await read("/version")["gitVersion"]?.string ?? "unknown" }
}

extension KnownCluster {
    fileprivate init(_ config: KubeConfig, name: String) {
        let user = config.user.name
        self.init(
            name: name,
            server: config.server,
            context: config.context,
            user: user,
            plugin: config.user.plugin?.command
        )
    }
}
