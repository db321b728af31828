// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Names and shapes of what belongs to a stateful workload.
struct StatefulSetView: Sendable {
    static let revisionLabel = "controller-revision-hash"
    static let nameLabel = "statefulset.kubernetes.io/pod-name"
    static let indexLabel = "apps.kubernetes.io/pod-index"

    let workload: KubeObject

    init(set workload: KubeObject) { self.workload = workload }

    var start: Int { workload.spec[path: "ordinals", "start"]?.int ?? 0 }
    var range: Range<Int> { start..<start + max(0, workload.replicas) }
    var isMonotonic: Bool { workload.spec["podManagementPolicy"]?.string != "Parallel" }
    var isRolling: Bool { workload.spec[path: "updateStrategy", "type"]?.string == "RollingUpdate" }
    var rolling: JSON? { workload.spec[path: "updateStrategy", "rollingUpdate"] }
    var partition: Int { rolling?["partition"]?.int ?? 0 }
    var minReady: Duration { .seconds(workload.spec["minReadySeconds"]?.int ?? 0) }
    var claimTemplates: [JSON] { workload.spec["volumeClaimTemplates"]?.array ?? [] }

    func keepsClaims(_ when: String) -> Bool {
        workload.spec[path: "persistentVolumeClaimRetentionPolicy", when]?.string != "Delete"
    }

    /// The ordinal in a pod's name, if the name is one of this set's.
    func ordinal(of pod: KubeObject) -> Int? {
        guard let dash = pod.name.lastIndex(of: "-"), pod.name[..<dash] == workload.name else { return nil }
        let digits = pod.name[pod.name.index(after: dash)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(digits)
    }

    /// Whether a pod that has yet to be made is one of the revision before.
    func isOld(_ ordinal: Int) -> Bool {
        guard isRolling else { return false }
        let count = rolling == nil ? workload.statusCount("currentReplicas") : partition
        return ordinal < start + count
    }

    /// The pod of an ordinal after a revision's template.
    func pod(_ ordinal: Int, _ revision: KubeObject) -> KubeObject {
        let name = "\(workload.name)-\(ordinal)"
        var pod = ReplicaSetPlan.pod(from: RevisionHistory.template(of: revision), of: workload, as: .statefulSets)
        pod.json.set(nil, at: ["metadata", "generateName"])
        pod.json.set(.string(name), at: ["metadata", "name"])
        for (label, value) in identity(ordinal) { pod.json.set(.string(value), at: ["metadata", "labels", label]) }
        pod.json.set(.string(revision.name), at: ["metadata", "labels", Self.revisionLabel])
        pod.json.set(.string(name), at: ["spec", "hostname"])
        let service = workload.spec["serviceName"]?.string ?? ""
        pod.json.set(service.isEmpty ? nil : .string(service), at: ["spec", "subdomain"])
        let claims: [JSON] = claimTemplates.map { template in
            let volume = template[path: "metadata", "name"]?.string ?? ""
            let claim: JSON = ["claimName": .string(claimName(volume, ordinal))]
            return ["name": .string(volume), "persistentVolumeClaim": claim]
        }
        let names = claims.map { $0["name"] }
        let others = (pod.spec["volumes"]?.array ?? []).filter { !names.contains($0["name"]) }
        if !claims.isEmpty || !others.isEmpty { pod.json.set(.array(claims + others), at: ["spec", "volumes"]) }
        return pod
    }

    /// The labels that say which of the set's pods one is.
    func identity(_ ordinal: Int) -> [String: String] {
        [Self.nameLabel: "\(workload.name)-\(ordinal)", Self.indexLabel: String(ordinal)]
    }

    func claimName(_ volume: String, _ ordinal: Int) -> String { "\(volume)-\(workload.name)-\(ordinal)" }

    /// The claim of an ordinal after one of the set's templates.
    func claim(_ template: JSON, _ ordinal: Int) -> KubeObject {
        let name = claimName(template[path: "metadata", "name"]?.string ?? "", ordinal)
        var metadata: JSON = ["name": .string(name)]
        metadata["namespace"] = workload.metadata["namespace"]
        var labels = template[path: "metadata", "labels"]?.stringMap ?? [:]
        labels.merge(workload.spec[path: "selector", "matchLabels"]?.stringMap ?? [:]) { _, selected in selected }
        if !labels.isEmpty { metadata["labels"] = JSON(labels) }
        if let annotations = template[path: "metadata", "annotations"] { metadata["annotations"] = annotations }
        if !keepsClaims("whenDeleted") {
            metadata["ownerReferences"] = [workload.controllerReference(as: .statefulSets)]
        }
        return KubeObject([
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"] ?? [:],
        ])
    }

    /// Who owns a claim: the set or the pod that goes, as its retention policy says, beside whoever else.
    func owners(of claim: KubeObject, pod: KubeObject?, isCondemned: Bool) -> [JSON] {
        var owners = claim.ownerReferences.filter { owner in
            owner["uid"]?.string != workload.uid && (pod == nil || owner["uid"]?.string != pod?.uid)
        }
        if isCondemned, let pod, !keepsClaims("whenScaled") {
            owners.append(pod.controllerReference(as: .pods))
        } else if !keepsClaims("whenDeleted") {
            owners.append(workload.controllerReference(as: .statefulSets))
        }
        return owners
    }

    /// The status that the set's pods make up.
    func status(_ pods: [KubeObject], current: KubeObject, _ history: RevisionHistory, at now: Timestamp) -> JSON {
        let members = pods.filter { ordinal(of: $0) != nil }
        func count(of revision: KubeObject) -> Int {
            members.count { !$0.isTerminating && $0.labels[Self.revisionLabel] == revision.name }
        }
        let ready = members.count { $0.isRunningAndReady }
        let available = members.count { $0.isRunningAndReady && $0.isAvailablePod(after: minReady, at: now) }
        let updated = count(of: history.update)
        var (currentName, currentCount) = (current.name, count(of: current))
        if isRolling, [updated, ready, members.count].allSatisfy({ $0 == workload.replicas }) {
            (currentName, currentCount) = (history.update.name, updated)
        }
        var status: JSON = ["observedGeneration": JSON(workload.generation), "replicas": JSON(members.count)]
        for (member, count) in [
            ("readyReplicas", ready), ("currentReplicas", currentCount), ("updatedReplicas", updated),
        ] where count > 0 { status[member] = JSON(count) }
        status["currentRevision"] = .string(currentName)
        status["updateRevision"] = .string(history.update.name)
        status["collisionCount"] = JSON(history.collisions)
        status["availableReplicas"] = JSON(available)
        return status
    }
}

extension KubeObject {
    var isRunningAndReady: Bool { podPhase == "Running" && isReadyPod }
}
