// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Turns fields that were written by plain updates into fields that Ballast applied.
///
/// Without it a field that the release no longer names would stay for ever: nobody who applies owns it. The rule is that of
/// the field's own tools: entries of one API version are joined, entries of subresources stay, and the version of the object
/// goes along, so that a write in between is a conflict.
enum OwnershipUpgrade {
    /// A JSON patch, or `nil` where there is nothing to take over.
    ///
    /// `isAdopted`: a person handed the object over, and with it what their own tools wrote.
    static func patch(for live: KubeObject, wanted: KubeObject, isAdopted: Bool) -> JSON? {
        guard let upgraded = entries(for: live, wanted: wanted, isAdopted: isAdopted) else { return nil }
        return [
            ["op": "replace", "path": "/metadata/managedFields", "value": .array(upgraded.map(\.json))],
            [
                "op": "replace", "path": "/metadata/resourceVersion",
                "value": .string(live.resourceVersion.text),
            ],
        ]
    }

    /// The entries as that patch leaves them.
    static func entries(for live: KubeObject, wanted: KubeObject, isAdopted: Bool) -> [ManagedEntry]? {
        let entries = ManagedEntry.entries(of: live)
        let joined = upgraded(entries, wanted, isAdopted: isAdopted)
        return handedOver(joined ?? entries, wanted) ?? joined
    }

    /// Whether an entry is to become ours.
    static func isTaken(_ entry: ManagedEntry, for wanted: KubeObject, isAdopted: Bool) -> Bool {
        guard entry.operation == "Update", entry.subresource.isEmpty else { return false }
        if entry.manager == FieldManagers.handover { return wanted.spec["replicas"] != nil }
        return FieldManagers.earlier.contains(entry.manager)
            || entry.manager == "kubectl-client-side-apply"
            || isAdopted && FieldManagers.isHandedOver(entry.manager)
    }

    private static func isOwn(_ entry: ManagedEntry) -> Bool {
        entry.manager == FieldManagers.own && entry.operation == "Apply" && entry.subresource.isEmpty
    }

    /// Whether the wish leaves the number of replicas to whoever scales, and nobody but us has it so far.
    static func handsOverReplicas(of live: KubeObject, _ wanted: KubeObject, isAdopted: Bool) -> Bool {
        let entries = ManagedEntry.entries(of: live)
        return handedOver(upgraded(entries, wanted, isAdopted: isAdopted) ?? entries, wanted) != nil
    }

    private static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
    private static let scaled: Set<String> = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"]

    /// A number that only we own goes back to 1 the moment we name it no more: somebody else must own it before.
    private static func handedOver(_ entries: [ManagedEntry], _ wanted: KubeObject) -> [ManagedEntry]? {
        let path = ["spec", "replicas"]
        guard scaled.contains(wanted.kind), wanted.spec["replicas"] == nil,
            let own = entries.first(where: isOwn), FieldTree.subtree(own.fields, path) != nil,
            !entries.contains(where: { !isOwn($0) && FieldTree.subtree($0.fields, path) != nil })
        else { return nil }
        var left = own
        left.json["manager"] = .string(FieldManagers.handover)
        left.json["operation"] = "Update"
        left.fields = ["f:spec": ["f:replicas": [:]]]
        return entries + [left]
    }

    private static func upgraded(_ entries: [ManagedEntry], _ wanted: KubeObject, isAdopted: Bool) -> [ManagedEntry]? {
        let taken = entries.filter { isTaken($0, for: wanted, isAdopted: isAdopted) }
        guard let first = taken.first else { return nil }
        var own = entries.first(where: isOwn) ?? first
        own.json["manager"] = .string(FieldManagers.own)
        own.json["operation"] = "Apply"
        // Fields of another version name another schema: they cannot be joined, only let go.
        for entry in taken where entry.apiVersion == own.apiVersion {
            own.fields = FieldTree.union(own.fields, entry.fields)
        }
        // kubectl's own note stays where it is, and nobody's: to remove it would be a change, a new generation even.
        own.fields = FieldTree.removing(["metadata", "annotations", lastApplied], from: own.fields)
        return [own] + entries.filter { !isOwn($0) && !isTaken($0, for: wanted, isAdopted: isAdopted) }
    }
}
