// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A deployment's replica sets, told apart by their pod template.
struct ReplicaSetFamily: Sendable {
    static let hashLabel = "pod-template-hash"
    static let revisionKey = "deployment.kubernetes.io/revision"
    static let historyKey = "deployment.kubernetes.io/revision-history"
    static let desiredKey = "deployment.kubernetes.io/desired-replicas"
    static let maxKey = "deployment.kubernetes.io/max-replicas"

    /// The one that has the deployment's present template; the oldest if there are several.
    let newest: KubeObject?
    let old: [KubeObject]

    init(of deployment: KubeObject, among replicaSets: [KubeObject]) {
        let template = Self.comparable(deployment.spec["template"] ?? [:])
        let byAge = replicaSets.sorted { left, right in
            let (a, b) = (left.creationTimestamp?.nanoseconds ?? 0, right.creationTimestamp?.nanoseconds ?? 0)
            return (a, left.name) < (b, right.name)
        }
        let found = byAge.first { Self.comparable($0.spec["template"] ?? [:]) == template }
        newest = found
        old = byAge.filter { $0.uid != found?.uid }
    }

    var all: [KubeObject] { old + (newest.map { [$0] } ?? []) }
    /// Those that are meant to have pods.
    var active: [KubeObject] { all.filter { $0.replicas > 0 } }
    var oldActive: [KubeObject] { old.filter { $0.replicas > 0 } }
    var highestOldRevision: Int { old.map(\.revision).max() ?? 0 }
    var nextRevision: Int { highestOldRevision + 1 }
    func sum(_ field: String) -> Int { all.reduce(0) { $0 + $1.statusCount(field) } }

    /// The template without the label that tells replica sets apart.
    private static func comparable(_ template: JSON) -> JSON {
        var template = template
        template.set(nil, at: ["metadata", "labels", hashLabel])
        if template["metadata"]?["labels"]?.object?.isEmpty == true { template.set(nil, at: ["metadata", "labels"]) }
        template.set(nil, at: ["metadata", "creationTimestamp"])
        return template
    }

    /// A short text for a template, in letters that form no words; `collisions` changes it when a name is taken.
    static func hash(of template: JSON, collisions: Int?) -> String {
        var hash: UInt32 = 2_166_136_261
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        template.sortedByKey.bytes.forEach(add)
        if let collisions { "#\(collisions)".utf8.forEach(add) }
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(String(hash).utf8.map { letters[Int($0) % letters.count] })
    }
}

extension KubeObject {
    var revision: Int { annotations[ReplicaSetFamily.revisionKey].flatMap { Int($0) } ?? 0 }

    var rolloutMember: RolloutMember {
        RolloutMember(
            name: name,
            size: replicas,
            available: statusCount("availableReplicas"),
            created: creationTimestamp ?? Timestamp(seconds: 0),
            maxReplicas: annotations[ReplicaSetFamily.maxKey].flatMap { Int($0) } ?? 0
        )
    }
}

extension ReplicaSetFamily {
    /// The replica set for a deployment's present template, not yet sized.
    static func make(for deployment: KubeObject, revision: Int, size: Int, bounds: RolloutBounds) -> KubeObject {
        let hash = hash(of: deployment.spec["template"] ?? [:], collisions: deployment.status["collisionCount"]?.int)
        var template = deployment.spec["template"] ?? [:]
        template.set(.string(hash), at: ["metadata", "labels", hashLabel])
        var selector = deployment.spec["selector"] ?? [:]
        selector.set(.string(hash), at: ["matchLabels", hashLabel])
        var metadata: JSON = ["name": .string("\(deployment.name)-\(hash)")]
        metadata["namespace"] = deployment.metadata["namespace"]
        metadata["labels"] = template["metadata"]?["labels"]
        var annotations = inherited(deployment.annotations)
        annotations.merge(sizes(bounds)) { _, new in new }
        annotations[revisionKey] = String(revision)
        metadata["annotations"] = JSON(annotations)
        metadata["ownerReferences"] = [deployment.controllerReference(as: .deployments)]
        var spec: JSON = ["replicas": JSON(size), "selector": selector, "template": template]
        spec["minReadySeconds"] = deployment.spec["minReadySeconds"]
        return KubeObject(["apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec])
    }

    static func sizes(_ bounds: RolloutBounds) -> [String: String] {
        [desiredKey: String(bounds.replicas), maxKey: String(bounds.replicas + bounds.maxSurge)]
    }

    /// Annotations of a deployment that its replica sets carry too.
    static func inherited(_ annotations: [String: String]) -> [String: String] {
        let own: Set = [
            "kubectl.kubernetes.io/last-applied-configuration", "deprecated.deployment.rollback.to", revisionKey,
            historyKey, desiredKey, maxKey,
        ]
        return annotations.filter { !own.contains($0.key) }
    }

    /// What the newest replica set's annotations and `minReadySeconds` lack, as a merge patch; `nil` for nothing.
    static func refresh(_ newest: KubeObject, for deployment: KubeObject, revision: Int) -> JSON? {
        var wanted = inherited(deployment.annotations).filter { newest.annotations[$0.key] != $0.value }
        if newest.revision < revision {
            wanted[revisionKey] = String(revision)
            if newest.revision > 0 {
                let past = newest.annotations[historyKey].map { "\($0),\(newest.revision)" } ?? String(newest.revision)
                wanted[historyKey] = past.utf8.count <= 2000 ? past : String(past.drop { $0 != "," }.dropFirst())
            }
        }
        var patch: JSON = [:]
        if !wanted.isEmpty { patch.set(JSON(wanted), at: ["metadata", "annotations"]) }
        let ready = deployment.spec["minReadySeconds"]?.int ?? 0
        if ready != newest.spec["minReadySeconds"]?.int ?? 0 {
            patch.set(JSON(ready), at: ["spec", "minReadySeconds"])
        }
        return patch.object?.isEmpty == true ? nil : patch
    }

    /// Old replica sets beyond the history limit, that nothing needs any more.
    func surplusHistory(limit: Int) -> [KubeObject] {
        let candidates = old.filter { !$0.isTerminating }.sorted { $0.revision < $1.revision }
        guard candidates.count > limit else { return [] }
        return candidates.prefix(candidates.count - limit).filter { set in
            set.statusCount("replicas") == 0 && set.replicas == 0
                && set.generation <= set.statusCount("observedGeneration")
        }
    }
}
