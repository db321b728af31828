// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A set of paths: which fields somebody owns. A path may be a member and lead on to other members.
struct FieldSet: Sendable, Hashable {
    struct Child: Sendable, Hashable {
        var element: PathElement
        var set: FieldSet
    }

    /// The owned elements of this node, sorted.
    private(set) var members: [PathElement] = []
    /// Nodes below, sorted; none of them is empty.
    private(set) var children: [Child] = []

    init() {}

    fileprivate init(members: [PathElement], children: [Child]) {
        self.members = members
        self.children = children
    }

    init(paths: [[PathElement]]) {
        for path in paths { insert(path[...]) }
    }

    var isEmpty: Bool { members.isEmpty && children.isEmpty }

    /// How many paths it holds.
    var count: Int { children.reduce(members.count) { $0 + $1.set.count } }

    mutating func insert(_ element: PathElement) {
        if let last = members.last, last < element {
            members.append(element)
            return
        }
        let place = members.place { $0 < element }
        if place < members.count, members[place] == element { return }
        members.insert(element, at: place)
    }

    mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let first = path.first else { return }
        guard path.count > 1 else { return insert(first) }
        var below = child(first) ?? FieldSet()
        below.insert(path.dropFirst())
        put(below, at: first)
    }

    /// Unites what is below `element` with `set`.
    mutating func add(_ set: FieldSet, below element: PathElement) {
        guard !set.isEmpty else { return }
        guard let known = child(element) else { return put(set, at: element) }
        put(known.union(set), at: element)
    }

    private mutating func put(_ set: FieldSet, at element: PathElement) {
        if children.last.map({ $0.element < element }) ?? true {
            children.append(Child(element: element, set: set))
            return
        }
        let place = children.place { $0.element < element }
        if place < children.count, children[place].element == element {
            children[place].set = set
        } else {
            children.insert(Child(element: element, set: set), at: place)
        }
    }

    func child(_ element: PathElement) -> FieldSet? {
        let place = children.place { $0.element < element }
        guard place < children.count, children[place].element == element else { return nil }
        return children[place].set
    }

    func contains(_ element: PathElement) -> Bool {
        let place = members.place { $0 < element }
        return place < members.count && members[place] == element
    }

    func contains(path: ArraySlice<PathElement>) -> Bool {
        guard let first = path.first else { return false }
        guard path.count > 1 else { return contains(first) }
        return child(first)?.contains(path: path.dropFirst()) ?? false
    }

    /// Every path; all members of a node come before what is below it.
    var paths: [[PathElement]] {
        members.map { [$0] } + children.flatMap { child in child.set.paths.map { [child.element] + $0 } }
    }
}

extension FieldSet {
    func union(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        if isEmpty { return other }
        return FieldSet(
            members: members.merged(other.members, by: { $0 < $1 }) { $0 ?? $1 },
            children: children.merged(other.children, by: { $0.element < $1.element }) { one, two in
                guard let one, let two else { return one ?? two }
                return Child(element: one.element, set: one.set.union(two.set))
            }
        )
    }

    func intersection(_ other: FieldSet) -> FieldSet {
        FieldSet(
            members: members.merged(other.members, by: { $0 < $1 }) { $0 != nil && $1 != nil ? $0 : nil },
            children: children.merged(other.children, by: { $0.element < $1.element }) { one, two in
                guard let one, let two else { return nil }
                let set = one.set.intersection(two.set)
                return set.isEmpty ? nil : Child(element: one.element, set: set)
            }
        )
    }

    /// What is not in `other`. Owning a path says nothing about what is below it.
    func subtracting(_ other: FieldSet) -> FieldSet {
        guard !isEmpty, !other.isEmpty else { return self }
        return FieldSet(
            members: members.merged(other.members, by: { $0 < $1 }) { $1 == nil ? $0 : nil },
            children: children.merged(other.children, by: { $0.element < $1.element }) { one, two in
                guard let one, let two else { return one }
                let set = one.set.subtracting(two.set)
                return set.isEmpty ? nil : Child(element: one.element, set: set)
            }
        )
    }

    /// What is neither in `other` nor below a member of it.
    func subtractingTrees(_ other: FieldSet) -> FieldSet {
        guard !isEmpty, !other.isEmpty else { return self }
        return FieldSet(
            members: members.merged(other.members, by: { $0 < $1 }) { $1 == nil ? $0 : nil },
            children: children.compactMap { child in
                guard !other.contains(child.element) else { return nil }
                guard let below = other.child(child.element) else { return child }
                let set = child.set.subtractingTrees(below)
                return set.isEmpty ? nil : Child(element: child.element, set: set)
            }
        )
    }

    /// The members that lead nowhere further.
    var leaves: FieldSet {
        FieldSet(
            members: members.filter { child($0) == nil },
            children: children.map { Child(element: $0.element, set: $0.set.leaves) }
        )
    }
}

extension Array {
    /// Where the first element stands that is not before what is looked for.
    fileprivate func place(isBefore: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Walks two sorted lists together; `join` makes what is kept of equal elements.
    fileprivate func merged(
        _ other: [Element],
        by precedes: (Element, Element) -> Bool,
        _ join: (Element?, Element?) -> Element?
    ) -> [Element] {
        var result: [Element] = []
        var (one, two) = (0, 0)
        while one < count || two < other.count {
            if two >= other.count || (one < count && precedes(self[one], other[two])) {
                if let kept = join(self[one], nil) { result.append(kept) }
                one += 1
            } else if one >= count || precedes(other[two], self[one]) {
                if let kept = join(nil, other[two]) { result.append(kept) }
                two += 1
            } else {
                if let kept = join(self[one], other[two]) { result.append(kept) }
                one += 1
                two += 1
            }
        }
        return result
    }
}
