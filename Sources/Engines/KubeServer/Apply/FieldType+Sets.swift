// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What applies to one value at one place: the alternative of the type that the value picks.
enum TypedForm {
    case scalar
    case list(FieldType.ListAtom)
    case map(FieldType.MapAtom)
    /// The type has nothing for such a value.
    case none

    /// Nothing and `null` pick by preference: map, scalar, list.
    init(_ value: JSON?, _ atom: FieldType.Atom) {
        switch value {
        case .array?: self = atom.list.map { .list($0) } ?? .none
        case .object?: self = atom.map.map { .map($0) } ?? .none
        case nil, .null?:
            if let map = atom.map {
                self = .map(map)
            } else if atom.scalar != nil {
                self = .scalar
            } else {
                self = atom.list.map { .list($0) } ?? .none
            }
        default: self = atom.scalar == nil ? .none : .scalar
        }
    }

    /// Whether the value counts as a whole.
    var isLeaf: Bool {
        switch self {
        case .scalar, .none: true
        case .list(let list): list.kind == .atomic
        case .map(let map): map.isAtomic
        }
    }
}

extension FieldType.ListAtom {
    /// The path element of a list's element; `nil` for one that has no key at all or is no scalar of a set.
    func pathElement(_ value: JSON) -> PathElement? {
        switch kind {
        case .atomic: return nil
        case .set:
            switch value {
            case .array, .object, .null: return nil
            default: return .value(value)
            }
        case .keyed(let names):
            guard let object = value.object else { return nil }
            let parts = names.compactMap { name in
                (object[name] ?? element.keyDefault(name)).map { PathElement.KeyPart(name: name, value: $0) }
            }
            return parts.isEmpty ? nil : PathElement(key: parts)
        }
    }

    /// The elements under their path elements, in the order of first occurrence; duplicates stand together.
    func grouped(_ value: JSON?) -> KeyedElements { KeyedElements(value?.array ?? [], self) }
}

/// A list's elements by what tells them apart.
struct KeyedElements {
    private(set) var order: [PathElement] = []
    private(set) var byElement: [PathElement: [JSON]] = [:]

    init(_ elements: [JSON], _ list: FieldType.ListAtom) {
        order.reserveCapacity(elements.count)
        for element in elements {
            guard let path = list.pathElement(element) else { continue }
            order.append(path)
            byElement[path, default: []].append(element)
        }
    }

    subscript(_ path: PathElement) -> [JSON] { byElement[path] ?? [] }
}

extension FieldType {
    /// The paths that applying `value` owns.
    func fieldSet(_ value: JSON) -> FieldSet {
        var set = FieldSet()
        switch TypedForm(value, atom) {
        case .scalar, .none: break
        case .list(let list):
            guard list.kind != .atomic else { break }
            let elements = list.grouped(value)
            for (path, found) in elements.byElement {
                set.insert(path)
                if found.count == 1 { set.add(list.element.fieldSet(found[0]), below: path) }
            }
        case .map(let map):
            guard !map.isAtomic else { break }
            for (name, member) in value.object ?? [:] {
                guard let (type, isDeclared) = map.member(name) else { continue }
                if type.ownsItself(member, isDeclared: isDeclared) { set.insert(.field(name)) }
                if !TypedForm(member, type.atom).isLeaf { set.add(type.fieldSet(member), below: .field(name)) }
            }
        }
        return set
    }

    private func ownsItself(_ value: JSON, isDeclared: Bool) -> Bool {
        if !isDeclared || value.isNull || value.object?.isEmpty == true { return true }
        return TypedForm(value, atom).isLeaf
    }

    /// The set with every declared field that leads to a member made a member itself.
    func ensured(_ set: FieldSet) -> FieldSet {
        guard !set.children.isEmpty else { return set }
        let atom = atom
        var result = set
        for child in set.children {
            switch child.element {
            case .field(let name):
                guard let map = atom.map, let (type, isDeclared) = map.member(name) else { continue }
                if isDeclared { result.insert(child.element) }
                result.add(type.ensured(child.set), below: child.element)
            case .key, .value, .index:
                guard let list = atom.list else { continue }
                result.add(list.element.ensured(child.set), below: child.element)
            }
        }
        return result
    }

    /// Whether the set owns parts of what is one value under this schema.
    func splitsWhatIsWhole(_ set: FieldSet) -> Bool {
        guard !set.children.isEmpty else { return false }
        let atom = atom
        return set.children.contains { child in
            switch child.element {
            case .field(let name):
                guard let (type, isDeclared) = atom.map?.member(name) else { return false }
                return (isDeclared && type.isOneValue) || type.splitsWhatIsWhole(child.set)
            case .key, .value, .index:
                guard let type = atom.list?.element else { return false }
                return type.isOneValue || type.splitsWhatIsWhole(child.set)
            }
        }
    }

    /// The set as it must be under this schema: what was taken apart and is one value now is owned as a whole.
    func reconciled(_ set: FieldSet) -> FieldSet {
        guard !set.children.isEmpty else { return set }
        let atom = atom
        var result = FieldSet()
        for member in set.members { result.insert(member) }
        for child in set.children {
            let below: FieldType?
            switch child.element {
            case .field(let name):
                guard let (type, isDeclared) = atom.map?.member(name), isDeclared else {
                    result.add(atom.map?.member(name)?.type.reconciled(child.set) ?? child.set, below: child.element)
                    continue
                }
                below = type
            case .key, .value, .index: below = atom.list?.element
            }
            guard let below else {
                result.add(child.set, below: child.element)
                continue
            }
            if below.isOneValue {
                result.insert(child.element)
            } else {
                result.add(below.reconciled(child.set), below: child.element)
            }
        }
        return result
    }

    /// Whether nothing can be owned below this place.
    private var isOneValue: Bool {
        if case .deduced = self { return false }
        let atom = atom
        if let map = atom.map, !map.isAtomic { return false }
        if let list = atom.list, list.kind != .atomic { return false }
        return atom.map != nil || atom.list != nil
    }
}
