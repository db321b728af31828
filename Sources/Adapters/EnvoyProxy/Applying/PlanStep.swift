// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One of the files that Envoy follows.
enum EnvoyFile: String, Sendable, CaseIterable {
    case clusters, listeners, routes

    /// Where Envoy's counters tell what became of the file.
    var counters: String {
        switch self {
        case .clusters: "cluster_manager.cds"
        case .listeners: "listener_manager.lds"
        case .routes: "http.edge.rds.edge"
        }
    }
}

/// One file's new content on the way from one plan to the next.
struct PlanStep: Equatable {
    var file: EnvoyFile
    var resources: [JSON]

    /// The steps, in an order in which no request ever meets a name that is not there: clusters come before what leads
    /// to them, and go after it.
    static func steps(from old: ProxyPlan, to new: ProxyPlan) -> [PlanStep] {
        var steps: [PlanStep] = []
        let together = old.clusters.merging(new.clusters) { $1 }
        if together != old.clusters { steps.append(PlanStep(file: .clusters, resources: sorted(together))) }
        if new.routes != old.routes { steps.append(PlanStep(file: .routes, resources: [new.routes])) }
        if new.listeners != old.listeners { steps.append(PlanStep(file: .listeners, resources: sorted(new.listeners))) }
        if new.clusters != together { steps.append(PlanStep(file: .clusters, resources: sorted(new.clusters))) }
        return steps
    }

    private static func sorted(_ resources: [String: JSON]) -> [JSON] {
        resources.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The file's text.
    func document(version: Int) -> [UInt8] {
        let content: JSON = ["version_info": "\(version)", "resources": .array(resources)]
        return content.bytes
    }
}
