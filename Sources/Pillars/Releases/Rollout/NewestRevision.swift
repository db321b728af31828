// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Finds what stands for the newest template of an object, and the pods that were made from it.
enum NewestRevision {
    private static let number = "deployment.kubernetes.io/revision"
    private static let hash = "controller-revision-hash"

    /// `revisions` are the replica sets or controller revisions that belong to the object, `pods` those of its namespace.
    static func find(of object: KubeObject, among revisions: [KubeObject], _ pods: [KubeObject]) -> (
        revision: KubeObject?, pods: [KubeObject]
    ) {
        // Until its controller has seen the new template, what looks newest is the old one.
        guard object.status["observedGeneration"].flatMap(\.int).map({ $0 >= object.generation }) ?? true else {
            return (nil, [])
        }
        let own = revisions.filter { $0.controller?["uid"]?.string == object.uid }
        switch object.kind {
        case "Deployment": return ofDeployment(object, own, pods)
        case "StatefulSet":
            let name = object.status["updateRevision"]?.string
            return (own.first { $0.name == name }, made(by: object, pods) { $0.labels[hash] == name })
        case "DaemonSet":
            let newest = own.max { ($0["revision"]?.int ?? 0) < ($1["revision"]?.int ?? 0) }
            let label = newest?.labels[hash]
            return (newest, made(by: object, pods) { label != nil && $0.labels[hash] == label })
        case "Pod": return (nil, [object])
        default: return (nil, made(by: object, pods) { _ in true })
        }
    }

    private static func ofDeployment(_ object: KubeObject, _ sets: [KubeObject], _ pods: [KubeObject]) -> (
        revision: KubeObject?, pods: [KubeObject]
    ) {
        // It says nothing before its controller saw it.
        guard object.status["observedGeneration"]?.int != nil else { return (nil, []) }
        func revision(_ set: KubeObject) -> Int { set.annotations[number].flatMap { Int($0) } ?? 0 }
        let wanted = object.annotations[number].flatMap { Int($0) }
        guard let newest = sets.max(by: { revision($0) < revision($1) }),
            wanted == nil || revision(newest) == wanted
        else { return (nil, []) }
        return (newest, made(by: newest, pods) { _ in true })
    }

    private static func made(by owner: KubeObject, _ pods: [KubeObject], _ isNew: (KubeObject) -> Bool) -> [KubeObject]
    {
        pods.filter {
            $0.controller?["uid"]?.string == owner.uid && !owner.uid.isEmpty && !$0.isTerminating && isNew($0)
        }
    }
}
