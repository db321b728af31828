// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Which paths differ between two values.
struct FieldComparison: Sendable, Equatable {
    var added = FieldSet()
    var modified = FieldSet()
    var removed = FieldSet()

    /// What a manager may have lost or contests.
    var changed: FieldSet { modified.union(added) }

    var isEmpty: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

    func without(_ excluded: FieldSet) -> FieldComparison {
        guard !excluded.isEmpty else { return self }
        return FieldComparison(
            added: added.subtractingTrees(excluded),
            modified: modified.subtractingTrees(excluded),
            removed: removed.subtractingTrees(excluded)
        )
    }

    fileprivate mutating func add(_ below: FieldComparison, at path: PathElement) {
        added.add(below.added, below: path)
        modified.add(below.modified, below: path)
        removed.add(below.removed, below: path)
    }
}

extension FieldType {
    /// What changes from `old` to `new`, below this place.
    func comparison(_ old: JSON?, _ new: JSON?) -> FieldComparison {
        var result = FieldComparison()
        if let old, let new, old == new { return result }
        guard let old else {
            result.added = everything(in: new)
            return result
        }
        guard let new else {
            result.removed = everything(in: old)
            return result
        }
        let atom = atom
        let (before, after) = (TypedForm(old, atom), TypedForm(new, atom))
        if case .map(let map) = Self.container(before, after, old, new), !map.isAtomic {
            compareMembers(old.object ?? [:], new.object ?? [:], map, &result)
        }
        if case .list(let list) = Self.listContainer(before, after, old, new), list.kind != .atomic {
            compareElements(list.grouped(old), list.grouped(new), list.element, &result)
        }
        return result
    }

    /// Every path below this place: what a new value adds, or one that goes takes with it.
    private func everything(in value: JSON?) -> FieldSet {
        var set = FieldSet()
        guard let value else { return set }
        switch TypedForm(value, atom) {
        case .map(let map) where !map.isAtomic:
            for (name, member) in value.object ?? [:] {
                guard let type = map.member(name)?.type else { continue }
                set.insert(.field(name))
                set.add(type.everything(in: member), below: .field(name))
            }
        case .list(let list) where list.kind != .atomic:
            let elements = list.grouped(value)
            for (path, found) in elements.byElement {
                set.insert(path)
                if found.count == 1 { set.add(list.element.everything(in: found[0]), below: path) }
            }
        default: break
        }
        return set
    }

    private static func container(_ one: TypedForm, _ two: TypedForm, _ old: JSON, _ new: JSON) -> TypedForm {
        if case .map = one, old.object != nil { return one }
        if case .map = two, new.object != nil { return two }
        return .none
    }

    private static func listContainer(_ one: TypedForm, _ two: TypedForm, _ old: JSON, _ new: JSON) -> TypedForm {
        if case .list = one, old.array != nil { return one }
        if case .list = two, new.array != nil { return two }
        return .none
    }

    private func compareMembers(
        _ old: JSONObject,
        _ new: JSONObject,
        _ map: MapAtom,
        _ result: inout FieldComparison
    ) {
        for (name, value) in old {
            guard let type = map.member(name)?.type else { continue }
            type.compareOne(value, new[name], at: .field(name), &result)
        }
        for (name, value) in new where old[name] == nil {
            guard let type = map.member(name)?.type else { continue }
            type.compareOne(nil, value, at: .field(name), &result)
        }
    }

    /// Compares what stands under one path element; at least one side is there.
    fileprivate func compareOne(_ old: JSON?, _ new: JSON?, at path: PathElement, _ result: inout FieldComparison) {
        guard let old, let new else {
            if old == nil { result.added.insert(path) } else { result.removed.insert(path) }
            result.add(comparison(old, new), at: path)
            return
        }
        guard old != new else { return }
        let atom = atom
        let (before, after) = (TypedForm(old, atom), TypedForm(new, atom))
        if Self.isWhole(before, old) && Self.isWhole(after, new) || before.isLeaf || after.isLeaf
            || Self.differ(old, new)
        {
            result.modified.insert(path)
        }
        result.add(comparison(old, new), at: path)
    }

    private static func isWhole(_ form: TypedForm, _ value: JSON) -> Bool {
        if form.isLeaf { return true }
        return value.isNull || value.array?.isEmpty == true || value.object?.isEmpty == true
    }

    private static func differ(_ old: JSON, _ new: JSON) -> Bool {
        (old.object != nil && new.array != nil) || (old.array != nil && new.object != nil)
    }

    private func compareElements(
        _ old: KeyedElements,
        _ new: KeyedElements,
        _ type: FieldType,
        _ result: inout FieldComparison
    ) {
        for path in Set(old.order).union(new.order) {
            let (before, after) = (old[path], new[path])
            if before.count > 1 && after.count > 1 {
                if before != after { result.modified.insert(path) }
            } else if before.count > 1 {
                result.removed.insert(path)
                if let only = after.first { type.compareOne(nil, only, at: path, &result) }
            } else if after.count > 1 {
                if let only = before.first { result.removed.add(type.comparison(only, nil).removed, below: path) }
                result.added.insert(path)
            } else {
                type.compareOne(before.first, after.first, at: path, &result)
            }
        }
    }
}
