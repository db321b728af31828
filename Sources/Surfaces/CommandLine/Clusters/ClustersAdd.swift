// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Foundation
import Model
import Releases

/// `ballast clusters add`: makes a cluster known, once it has answered.
struct ClustersAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make a cluster known, after asking it who we are and what we may do.",
        discussion: """
            The kubeconfig is found as kubectl finds it. What it names is copied into a Secret of the home cluster: \
            certificates, keys and tokens; programs that hand out credentials stay programs.
            """
    )

    @Argument(help: "What to call it.") var name: String
    @Option(help: "The kubeconfig file (default: $KUBECONFIG, else ~/.kube/config).") var kubeconfig: String?
    @Option(help: "The kubeconfig's context (default: its current one).") var context: String?
    @Flag(help: "Give a cluster that is known new credentials, or another address; its apps stay.") var replace = false
    @OptionGroup var home: OtherHomeOptions

    func run() async throws {
        let file = kubeconfig.map { URL(filePath: $0).absoluteURL.path }
        let new = NewCluster(name: name, kubeconfig: file, context: context, replaces: replace)
        let added = try await Compositions.require().addCluster(new, home: home.choice)
        for line in Self.notes(on: added) { Terminal.note(line) }
        Terminal.result("\(replace ? "renewed" : "added") \(name): \(added.state.server)")
    }

    /// Who we are there, what is missing, and what to bear in mind.
    static func notes(on added: AddedCluster) -> [String] {
        let state = added.state
        var facts = [state.version ?? "unknown version"]
        if let nodes = state.nodes { facts.append("\(nodes.ready) of \(nodes.all) nodes ready") }
        if let latency = state.latency { facts.append("\(ClusterState.milliseconds(latency)) ms away") }
        var lines = ["reached \(state.server): \(facts.joined(separator: ", "))"]
        if let user = state.user {
            let groups = state.groups.filter { $0 != "system:authenticated" }
            lines.append("there we are '\(user)'" + (groups.isEmpty ? "" : ", of \(groups.joined(separator: ", "))"))
        }
        switch added.missing {
        case nil: lines.append("the cluster does not tell what we may do there")
        case []?: lines.append("we may do there what releases need")
        case let missing?:
            for right in missing {
                let place = right.isHadInNamespace ? "outside of the namespace '\(added.namespace)' " : ""
                lines.append("warning: \(place)we may not \(right.description)")
            }
        }
        return lines + added.notes.map { "warning: \($0)" }
    }
}
