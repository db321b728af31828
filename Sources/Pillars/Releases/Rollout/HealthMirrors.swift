// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Copies of all that tells of some targets: themselves, what they make, and what is said of it.
final class HealthMirrors: Sendable {
    private struct Place: Hashable {
        var type: ResourceType
        /// Empty for what belongs to no namespace.
        var namespace: String
    }

    private let byPlace: [Place: ObjectMirror]
    /// Without them nothing can be decided; of the others one may be denied the reading.
    private let essential: [ObjectMirror]

    var all: [ObjectMirror] { Array(byPlace.values) }
    var areSynced: Bool { essential.allSatisfy(\.isSynced) }

    /// `make` creates a mirror; it is told whether the verdict needs it.
    init(of targets: [HealthTarget], make: (ListQuery, _ isEssential: Bool) -> ObjectMirror) {
        var byPlace: [Place: ObjectMirror] = [:]
        var essential: [ObjectMirror] = []
        func read(_ query: ListQuery, isEssential: Bool) {
            let place = Place(type: query.type, namespace: query.namespace ?? "")
            guard byPlace[place] == nil else { return }
            let mirror = make(query, isEssential)
            byPlace[place] = mirror
            if isEssential { essential.append(mirror) }
        }
        let watched = targets.filter(\.isWatched)
        let owners = Dictionary(grouping: watched.filter(\.hasPods)) { $0.reference.namespace ?? "" }
        for (namespace, owners) in owners {
            let kinds = Set(owners.map(\.reference.type.kind))
            let labels = owners.count == 1 ? LabelSelector(matching: owners[0].podLabels) : LabelSelector()
            func add(_ type: ResourceType, _ labels: LabelSelector = LabelSelector()) {
                read(ListQuery(type, namespace: namespace, labelSelector: labels), isEssential: true)
            }
            add(.pods, labels)
            if kinds.contains("Deployment") { add(.replicaSets, labels) }
            if kinds.contains("StatefulSet") || kinds.contains("DaemonSet") { add(.controllerRevisions) }
        }
        let byType = Dictionary(grouping: watched) {
            Place(type: $0.reference.type, namespace: $0.reference.namespace ?? "")
        }
        for (place, objects) in byType {
            let namespace = place.type.isNamespaced ? place.namespace : nil
            // Beside pods all claims count: one of them may be what a pod waits for.
            let isWhole = objects.count > 1 || place.type == .persistentVolumeClaims && owners[place.namespace] != nil
            let fields = isWhole ? "" : "metadata.name=\(objects[0].reference.name)"
            read(ListQuery(place.type, namespace: namespace, fieldSelector: fields), isEssential: true)
        }
        let claims = byType.keys.filter { $0.type == .persistentVolumeClaims }
        for namespace in Set(owners.keys).union(claims.map(\.namespace)) {
            read(ListQuery(.events, namespace: namespace), isEssential: false)
            read(ListQuery(.persistentVolumeClaims, namespace: namespace), isEssential: false)
        }
        if !claims.isEmpty { read(ListQuery(.storageClasses), isEssential: false) }
        self.byPlace = byPlace
        self.essential = essential
    }

    func objects(_ type: ResourceType, in namespace: String?) -> [KubeObject] {
        byPlace[Place(type: type, namespace: type.isNamespaced ? namespace ?? "" : "")]?.objects ?? []
    }

    func object(_ reference: ObjectReference) -> KubeObject? {
        byPlace[Place(type: reference.type, namespace: reference.namespace ?? "")]?[
            ObjectName(namespace: reference.namespace, name: reference.name)
        ]
    }
}
