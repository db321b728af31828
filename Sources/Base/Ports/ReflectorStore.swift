// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// How one object differs from what the reader last heard of it.
package enum ObjectChange: Sendable, Hashable {
    case added(KubeObject)
    case updated(KubeObject, before: KubeObject)
    /// The last state known; after a relist the one before the gap.
    case deleted(KubeObject)

    package var object: KubeObject {
        switch self {
        case .added(let object), .updated(let object, _), .deleted(let object): object
        }
    }
}

/// The name of an object among others of its type.
package struct ObjectName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Empty for cluster-scoped objects.
    package var namespace: String
    package var name: String

    package init(namespace: String? = nil, name: String) {
        self.namespace = namespace ?? ""
        self.name = name
    }

    package init(_ object: KubeObject) { self.init(namespace: object.namespace, name: object.name) }

    package static func < (left: ObjectName, right: ObjectName) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }

    package var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

/// The objects a mirror holds.
struct ReflectorStore: Sendable {
    /// The last version heard of; `nil` before the first list is complete.
    var version: ResourceVersion?
    private(set) var objects: [ObjectName: KubeObject] = [:]
    private(set) var byController: [String: Set<ObjectName>] = [:]
    private(set) var byNamespace: [String: Set<ObjectName>] = [:]

    subscript(_ name: ObjectName) -> KubeObject? { objects[name] }

    /// Puts or (with `nil`) removes an object; returns what was there.
    mutating func set(_ object: KubeObject?, for name: ObjectName) -> KubeObject? {
        let before = objects[name]
        if let uid = before?.controller?["uid"]?.string { Self.drop(name, from: &byController, uid) }
        if let uid = object?.controller?["uid"]?.string { byController[uid, default: []].insert(name) }
        if object == nil { Self.drop(name, from: &byNamespace, name.namespace) }
        if object != nil { byNamespace[name.namespace, default: []].insert(name) }
        objects[name] = object
        return before
    }

    private static func drop(_ name: ObjectName, from index: inout [String: Set<ObjectName>], _ key: String) {
        index[key]?.remove(name)
        if index[key]?.isEmpty == true { index[key] = nil }
    }

    /// Whether everything up to that version was heard. Versions of one cluster are numbers that only grow, as the
    /// Kubernetes API promises since 1.35; for any other text the answer is yes as soon as there is a list.
    func hasSeen(_ wanted: ResourceVersion) -> Bool {
        guard let version else { return false }
        guard let have = UInt64(version.text), let want = UInt64(wanted.text) else { return true }
        return have >= want
    }
}

/// What one reader has not heard yet, oldest first.
///
/// Changes of one object that were not read yet become one, so what waits is bounded by the number of objects.
struct PendingChanges: Sendable {
    /// What the reader believes, by object; a `nil` inside: that there is none.
    private var believed: [ObjectName: KubeObject?] = [:]
    private var order: [ObjectName] = []
    private var first = 0

    var isEmpty: Bool { first == order.count }

    mutating func note(_ name: ObjectName, before: KubeObject?) {
        guard believed[name] == nil else { return }
        believed[name] = .some(before)
        order.append(name)
    }

    /// The next change, or `nil`; two of them where an object was replaced by another of its name.
    mutating func next(_ store: ReflectorStore) -> [ObjectChange]? {
        while first < order.count {
            let name = order[first]
            first += 1
            if first > 64, first * 2 > order.count {
                order.removeFirst(first)
                first = 0
            }
            guard let before = believed.removeValue(forKey: name) else { continue }
            let changes = Self.changes(from: before, to: store[name])
            if !changes.isEmpty { return changes }
        }
        return nil
    }

    private static func changes(from before: KubeObject?, to now: KubeObject?) -> [ObjectChange] {
        switch (before, now) {
        case (nil, nil): []
        case (nil, let now?): [.added(now)]
        case (let before?, nil): [.deleted(before)]
        case (let before?, let now?) where before.uid != now.uid: [.deleted(before), .added(now)]
        case (let before?, let now?) where before.resourceVersion == now.resourceVersion: []
        case (let before?, let now?): [.updated(now, before: before)]
        }
    }
}
