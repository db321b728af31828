// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension FieldType {
    /// `live` with `config` laid over it. Nothing is removed.
    func merge(_ live: JSON?, _ config: JSON?) -> JSON? {
        guard let config else { return live }
        guard let live else { return config }
        let atom = atom
        switch (TypedForm(live, atom), TypedForm(config, atom)) {
        case (_, .map(let map)) where !map.isAtomic && config.object != nil:
            guard let old = live.object else { return config }
            return .object(mergeMembers(old, config.object ?? [:], map))
        case (_, .list(let list)) where list.kind != .atomic && config.array != nil:
            guard live.array != nil else { return config }
            return .array(mergeElements(live, config, list))
        case (.map(let map), .map) where !map.isAtomic && config.isNull && live.object?.isEmpty == false: return live
        case (.list(let list), _) where list.kind != .atomic && config.isNull && live.array?.isEmpty == false:
            return live
        default: return config
        }
    }

    private func mergeMembers(_ live: JSONObject, _ config: JSONObject, _ map: MapAtom) -> JSONObject {
        var result = live
        for (name, value) in config {
            guard let type = map.member(name)?.type, let merged = type.merge(live[name], value) else { continue }
            result[name] = merged
        }
        return result
    }

    /// The applied elements in their own order; the others keep their place beside their neighbours.
    private func mergeElements(_ live: JSON, _ config: JSON, _ list: ListAtom) -> [JSON] {
        let (left, right) = (list.grouped(live), list.grouped(config))
        let liveElements = (live.array ?? []).filter { list.pathElement($0) != nil }
        let shared = right.order.filter { !left[$0].isEmpty }
        var result: [JSON] = []
        var done: Set<PathElement> = []
        var (one, two, next) = (0, 0, 0)
        func merged(_ path: PathElement) -> JSON {
            let wanted = right[path][0]
            guard left[path].count == 1 else { return wanted }
            return list.element.merge(left[path][0], wanted) ?? wanted
        }
        while one < left.order.count || two < right.order.count {
            if one < left.order.count, two < right.order.count {
                let path = left.order[one]
                if path == right.order[two] {
                    result.append(merged(path))
                    done.insert(path)
                    one += 1
                    two += 1
                    next += 1
                    continue
                }
                if !right[path].isEmpty, next < shared.count, shared[next] != path {
                    one += 1
                    continue
                }
            }
            if one < left.order.count {
                let path = left.order[one]
                if right[path].isEmpty {
                    result.append(liveElements[one])
                    one += 1
                    continue
                }
                if done.contains(path) {
                    one += 1
                    if two >= right.order.count { continue }
                }
            }
            guard two < right.order.count else {
                one += 1
                continue
            }
            let path = right.order[two]
            result.append(merged(path))
            done.insert(path)
            if next < shared.count, shared[next] == path { next += 1 }
            two += 1
        }
        return result
    }

    /// The value without the members and elements that `set` names.
    func removing(_ set: FieldSet, from value: JSON) -> JSON {
        guard !set.isEmpty else { return value }
        switch TypedForm(value, atom) {
        case .map(let map) where !map.isAtomic && value.object != nil:
            var result = JSONObject(capacity: value.object?.count ?? 0)
            for (name, member) in value.object ?? [:] {
                if set.contains(.field(name)) { continue }
                if let below = set.child(.field(name)), let type = map.member(name)?.type {
                    result.appendUnique(name, type.removing(below, from: member))
                } else {
                    result.appendUnique(name, member)
                }
            }
            return .object(result)
        case .list(let list) where list.kind != .atomic && value.array != nil:
            return .array(
                (value.array ?? []).compactMap { element in
                    guard let path = list.pathElement(element) else { return element }
                    if set.contains(path) { return nil }
                    return set.child(path).map { list.element.removing($0, from: element) } ?? element
                }
            )
        case .map where value.object != nil: return .object([:])
        case .list where value.array != nil: return .array([])
        default: return value
        }
    }
}
