// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The past and present templates of a workload, each kept in a `ControllerRevision`.
struct RevisionHistory: Sendable {
    /// Oldest first.
    private(set) var all: [KubeObject]
    /// The one of the workload's present template.
    private(set) var update: KubeObject
    /// How often a name was taken by another template.
    private(set) var collisions: Int

    /// What a revision keeps of a template: a patch that brings it back.
    static func data(of template: JSON) -> JSON {
        var template = template
        template["$patch"] = "replace"
        return (["spec": ["template": template]] as JSON).sortedByKey
    }

    /// The template that a revision keeps.
    static func template(of revision: KubeObject) -> JSON {
        var template = revision["data"]?[path: "spec", "template"] ?? [:]
        template["$patch"] = nil
        return template
    }

    /// FNV-1 over the data and the number of collisions, in letters that form no words.
    static func hash(of data: JSON, collisions: Int) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in data.sortedByKey.bytes + Array(String(collisions).utf8) {
            hash = (hash &* 16_777_619) ^ UInt32(byte)
        }
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(String(hash).utf8.map { letters[Int($0) % letters.count] })
    }

    static func sorted(_ revisions: [KubeObject]) -> [KubeObject] {
        revisions.sorted { left, right in
            let (a, b) = (left.revisionNumber, right.revisionNumber)
            guard a == b else { return a < b }
            let old = Timestamp(seconds: 0)
            let (x, y) = (left.creationTimestamp ?? old, right.creationTimestamp ?? old)
            return x == y ? left.name < right.name : x < y
        }
    }

    /// Finds or makes the revision of the workload's template; one that comes back becomes the newest.
    init(
        of owner: KubeObject,
        as type: ResourceType,
        among revisions: [KubeObject],
        labels: (String) -> [String: String],
        writer: ClusterWriter
    ) async throws {
        all = Self.sorted(revisions)
        collisions = owner.status["collisionCount"]?.int ?? 0
        let data = Self.data(of: owner.spec["template"] ?? [:])
        let newest = all.last?.revisionNumber ?? 0
        if let known = all.last(where: { $0["data"] == data }) {
            update = known
            guard known.revisionNumber < newest || all.last?.uid != known.uid else { return }
            update = try await writer.merge(["revision": JSON(newest + 1)], into: known, as: .controllerRevisions)
            all = Self.sorted(all.filter { $0.uid != known.uid } + [update])
            return
        }
        while true {
            let hash = Self.hash(of: data, collisions: collisions)
            let made = Self.make(owner, type, data, hash, labels(hash), number: newest + 1)
            do {
                update = try await writer.create(made, as: .controllerRevisions)
                break
            } catch let failure as Failure where failure.status?.reason == "AlreadyExists" {
                let reference = ObjectReference(.controllerRevisions, namespace: owner.namespace, name: made.name)
                let present = try await writer.api.get(reference)
                if present["data"] == data, present.isControlled(by: owner) {
                    update = present
                    break
                }
                collisions += 1
            }
        }
        all.append(update)
    }

    private static func make(
        _ owner: KubeObject,
        _ type: ResourceType,
        _ data: JSON,
        _ hash: String,
        _ labels: [String: String],
        number: Int
    ) -> KubeObject {
        var metadata: JSON = ["name": .string("\(owner.name.prefix(223))-\(hash)")]
        metadata["namespace"] = owner.metadata["namespace"]
        metadata["labels"] = JSON(labels)
        if !owner.annotations.isEmpty { metadata["annotations"] = JSON(owner.annotations) }
        metadata["ownerReferences"] = [owner.controllerReference(as: type)]
        return KubeObject([
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data,
            "revision": JSON(number),
        ])
    }

    /// Removes what nothing uses beyond the workload's limit, oldest first.
    func trim(_ owner: KubeObject, live: Set<String>, writer: ClusterWriter) async throws {
        guard let limit = owner.spec["revisionHistoryLimit"]?.int, limit >= 0 else { return }
        let idle = all.filter { !live.contains($0.name) && $0.uid != update.uid }
        for revision in idle.dropLast(min(limit, idle.count)) {
            try await writer.delete(revision, as: .controllerRevisions)
        }
    }
}

extension KubeObject {
    var revisionNumber: Int { json["revision"]?.int ?? 0 }
}
