// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One list field under a strategic merge patch: which elements result, and in which order.
///
/// The order: what the patch names comes in the patch's order; what only the server has keeps its place relative to
/// the elements around it.
struct MergedList {
    private let isMerged: Bool
    private let key: String?
    private let name: String
    private let element: Schema?

    init(field: SchemaField?, element: Schema?) {
        isMerged = field?.isMerged ?? false
        key = field?.mergeKey
        name = element?.type?.shortName ?? field?.name ?? ""
        self.element = element
    }

    /// The list after `patch`; with `isDeletion` the patch names the plain values to remove.
    func merge(_ patch: [JSON], into original: [JSON], isDeletion: Bool = false) throws(PatchError) -> [JSON] {
        guard isMerged || isDeletion else { return try Self.plain(patch) }
        guard !(original.isEmpty && patch.isEmpty) else { return original }
        guard try isOfObjects(original + patch) else {
            if isDeletion { return original.filter { !patch.contains($0) } }
            let merged = Self.unique(original + patch)
            return try ordered(merged, by: patch, original: original, isByKey: false)
        }
        guard key != nil else { throw .unexpected("cannot merge lists without merge key for \(name)") }
        let (rest, changes) = try removing(patch, from: original)
        var merged = rest
        for change in changes { try merge(change, into: &merged) }
        return try ordered(merged, by: changes, original: rest, isByKey: true)
    }

    /// The list after `patch` (if any) in the order that `$setElementOrder` gives; `nil` where there is no list at all.
    func merge(_ patch: [JSON]?, into original: [JSON]?, order: [JSON]) throws(PatchError) -> [JSON]? {
        try check(patch ?? [], follows: order)
        let merged: [JSON]
        switch (original, patch) {
        case (nil, nil): return nil
        case (let original?, nil): merged = original
        case (nil, let patch?): merged = try Self.plain(patch)
        case (let original?, let patch?): merged = try merge(patch, into: original)
        }
        let isByKey = try isOfObjects((original ?? []) + (patch ?? [])) && key != nil
        return try ordered(merged, by: order, original: original ?? [], isByKey: isByKey)
    }

    private static func plain(_ patch: [JSON]) throws(PatchError) -> [JSON] {
        try StrategicMergePatch.withoutDirectives(.array(patch)).array ?? []
    }

    private static func unique(_ values: [JSON]) -> [JSON] {
        var seen: Set<JSON> = []
        return values.filter { seen.insert($0).inserted }
    }

    /// Whether the elements are objects; a mixture and lists of lists are refused.
    private func isOfObjects(_ elements: [JSON]) throws(PatchError) -> Bool {
        guard let first = elements.first else { return false }
        for each in elements {
            if case .array = each { throw .unprocessable("lists of lists are not supported") }
            guard (each.object == nil) == (first.object == nil) else {
                throw .unexpected(
                    "list element types are not identical: [\(StrategicMergePatch.goType(first)) \(StrategicMergePatch.goType(each))]"
                )
            }
        }
        return first.object != nil
    }

    private func keyValue(_ element: JSON) throws(PatchError) -> JSON {
        guard let key, let value = element[key] else {
            throw .unexpected("map: \(element.goText) does not contain declared merge key: \(key ?? "")")
        }
        return value
    }

    /// Carries out the elements with `$patch` and returns what is left of both lists.
    private func removing(_ patch: [JSON], from original: [JSON]) throws(PatchError) -> (rest: [JSON], changes: [JSON])
    {
        var rest = original
        var changes: [JSON] = []
        var isReplaced = false
        for element in patch {
            switch element[StrategicMergePatch.directive] {
            case nil: changes.append(element)
            case .string("delete")?:
                let value = try keyValue(element)
                rest.removeAll { $0[key ?? ""] == value }
            case .string("replace")?: isReplaced = true
            case .string("merge")?: throw .unexpected("merging lists cannot yet be specified in the patch")
            case let other?: throw .unexpected("unknown patch type: \(other.goText) in map: \(element.goText)")
            }
        }
        return isReplaced ? ([], changes) : (rest, changes)
    }

    private func merge(_ change: JSON, into merged: inout [JSON]) throws(PatchError) {
        let value = try keyValue(change)
        guard let place = merged.firstIndex(where: { $0[key ?? ""] == value }) else {
            merged.append(try StrategicMergePatch.withoutDirectives(change))
            return
        }
        merged[place] = .object(
            try StrategicMergePatch.merge(change.object ?? [:], into: merged[place].object ?? [:], schema: element)
        )
    }

    private func identity(_ element: JSON, isByKey: Bool) throws(PatchError) -> JSON {
        isByKey ? try keyValue(element) : element
    }

    private func places(of elements: [JSON], isByKey: Bool) throws(PatchError) -> [JSON: Int] {
        var places: [JSON: Int] = [:]
        for (place, element) in elements.enumerated() {
            let identity = try identity(element, isByKey: isByKey)
            if places[identity] == nil { places[identity] = place }
        }
        return places
    }

    /// Puts the elements named in `order` into that order, and lays the others between them as `original` had them.
    private func ordered(
        _ elements: [JSON],
        by order: [JSON],
        original: [JSON],
        isByKey: Bool
    ) throws(PatchError) -> [JSON] {
        let wanted = try places(of: order, isByKey: isByKey)
        let before = try places(of: original, isByKey: isByKey)
        var named: [(place: Int, before: Int?, value: JSON)] = []
        var others: [(before: Int?, value: JSON)] = []
        for element in elements {
            let identity = try identity(element, isByKey: isByKey)
            if let place = wanted[identity] {
                named.append((place, before[identity], element))
            } else {
                others.append((before[identity], element))
            }
        }
        named.sort { $0.place < $1.place }
        var result: [JSON] = []
        var next = 0
        for other in others {
            while next < named.count {
                if let mine = other.before, let theirs = named[next].before, mine < theirs { break }
                result.append(named[next].value)
                next += 1
            }
            result.append(other.value)
        }
        return result + named[next...].map(\.value)
    }

    /// Every element of the patch must be in `order`, and in the same sequence.
    private func check(_ patch: [JSON], follows order: [JSON]) throws(PatchError) {
        guard !order.isEmpty, !patch.isEmpty else { return }
        let isByKey = key != nil
        var next = order.startIndex
        for element in patch where element[StrategicMergePatch.directive] == nil {
            let wanted = try identity(element, isByKey: isByKey)
            while next < order.endIndex, try identity(order[next], isByKey: isByKey) != wanted { next += 1 }
            guard next < order.endIndex else {
                throw .unexpected(
                    "The order in patch list:\n\(JSON.array(patch).goText)\n doesn't match \(StrategicMergePatch.elementOrder) list:\n\(JSON.array(order).goText)\n"
                )
            }
            next += 1
        }
    }
}
