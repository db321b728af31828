// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Counts of replicas in custom resources, under the names that Kubernetes' own kinds gave them.
struct CustomCounts {
    private let spec: JSON
    private let status: JSON

    init(_ object: KubeObject) {
        spec = object.spec
        status = object.status
    }

    /// `nil` where nothing is counted.
    var health: Health? { perNode ?? perReplica ?? scaled }

    private func count(_ keys: String...) -> Int? { keys.lazy.compactMap { status[$0]?.int }.first }

    private static func shortfall(_ have: Int?, of wanted: Int, _ reason: String, _ words: String) -> Health? {
        guard let have, have < wanted else { return nil }
        return .inProgress(reason, "\(have) of \(wanted) \(words)")
    }

    /// One pod on each node, as DaemonSets count.
    private var perNode: Health? {
        guard let wanted = count("desiredNumberScheduled") else { return nil }
        return Self.shortfall(count("updatedNumberScheduled"), of: share(of: wanted), "LessUpdated", "pods are new")
            ?? Self.shortfall(count("numberAvailable") ?? 0, of: wanted, "LessAvailable", "pods are available")
            ?? Self.shortfall(count("numberReady") ?? 0, of: wanted, "LessReady", "pods are ready")
            ?? settled(wanted, "pods are ready")
    }

    private var perReplica: Health? {
        guard let wanted = spec["replicas"]?.int ?? count("desiredReplicas", "replicas") else { return nil }
        let (ready, updated) = (count("readyReplicas", "availableReplicas"), count("updatedReplicas"))
        guard ready != nil || updated != nil else { return nil }
        return Self.shortfall(updated, of: share(of: wanted), "LessUpdated", "replicas are new")
            ?? Self.shortfall(ready, of: wanted, "LessReady", "replicas are ready")
            ?? settled(wanted, "replicas are ready")
    }

    /// `statusReplicas: 1/2`.
    private var scaled: Health? {
        guard let text = status[path: "scale", "statusReplicas"]?.string else { return nil }
        let sides = text.split(separator: "/").map { Int($0) }
        guard sides.count == 2, let ready = sides[0], let wanted = sides[1] else { return nil }
        return Self.shortfall(ready, of: wanted, "LessReady", "replicas are ready")
            ?? .current("\(ready) of \(wanted) replicas are ready")
    }

    /// Elasticsearch and its like ask for sets of nodes, and count all of them at once; `nil` where none is lacking.
    var lackOfNodes: Health? {
        let wanted = (spec["nodeSets"]?.array ?? []).reduce(0) { $0 + ($1["count"]?.int ?? 0) }
        return Self.shortfall(count("availableNodes"), of: wanted, "LessAvailable", "nodes are available")
    }

    // MARK: Partitions

    private var partition: Int {
        let strategy = spec["updateStrategy"]
        return (strategy?[path: "rollingUpdate", "partition"] ?? strategy?["partition"])?.int ?? 0
    }

    private func share(of wanted: Int) -> Int { max(0, wanted - partition) }

    /// Above its partition it is as asked; the rest waits for somebody who moves that.
    private func settled(_ wanted: Int, _ words: String) -> Health {
        guard partition > 0, share(of: wanted) < wanted else { return .current("\(wanted) of \(wanted) \(words)") }
        return Health(.suspended, "PartitionReached", "\(partition) of \(wanted) stay old until its partition is moved")
    }
}
