// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What goes once plain writes have become ours: fields that they set and that the release does not name.
///
/// A dry run of the apply knows nothing of it, since the fields are not ours yet. What the server fills in of itself comes
/// back: that is read off `fresh`, the same wish as an object that does not exist yet.
struct LetGoFields {
    /// The fields that will be ours.
    private let own: JSON
    /// Those that others keep.
    private let others: [JSON]

    /// `entries` are those of `managedFields` as they will be.
    init(_ entries: [ManagedEntry]) {
        let isOwn = { (entry: ManagedEntry) in
            entry.manager == FieldManagers.own && entry.operation == "Apply" && entry.subresource.isEmpty
        }
        own = entries.first(where: isOwn)?.fields ?? [:]
        others = entries.filter { !isOwn($0) }.map(\.fields)
    }

    /// `next`, which the server made of the wish and of what is stored, without what goes.
    func taken(from next: KubeObject, wanted: KubeObject, fresh: KubeObject) -> KubeObject {
        KubeObject(settled(own, others, wanted.json, next.json, fresh.json) ?? next.json)
    }

    private func settled(_ tree: JSON, _ others: [JSON], _ wanted: JSON?, _ next: JSON?, _ fresh: JSON?) -> JSON? {
        guard let next else { return nil }
        let children = FieldTree.children(of: tree)
        if wanted == nil {
            if others.isEmpty { return fresh }
            if children.isEmpty || others.contains(where: { FieldTree.children(of: $0).isEmpty }) { return next }
        }
        var result = next
        for child in children {
            let below = others.compactMap { $0[child.key] }
            let rest = String(child.key.dropFirst(2))
            switch child.key.prefix(2) {
            case "f:":
                result[rest] = settled(child.value, below, wanted?[rest], result[rest], fresh?[rest])
            case "k:":
                guard let identity = try? JSON(parsing: rest), let place = Self.place(of: identity, in: result) else {
                    continue
                }
                let element = settled(
                    child.value,
                    below,
                    Self.element(identity, in: wanted),
                    result[place],
                    Self.element(identity, in: fresh)
                )
                Self.replace(place, of: &result, by: element)
            case "v:":
                guard let value = try? JSON(parsing: rest), below.isEmpty,
                    ![wanted, fresh].contains(where: { $0?.array?.contains(value) == true }),
                    let place = result.array?.firstIndex(of: value)
                else { continue }
                Self.replace(place, of: &result, by: nil)
            default: continue
            }
        }
        return result
    }

    // MARK: Lists

    private static let defaults: [String: JSON] = ["protocol": "TCP"]

    private static func place(of identity: JSON, in list: JSON?) -> Int? {
        list?.array?.firstIndex { element in
            (identity.object ?? [:]).allSatisfy { (element[$0.key] ?? defaults[$0.key]) == $0.value }
        }
    }

    private static func element(_ identity: JSON, in list: JSON?) -> JSON? {
        place(of: identity, in: list).flatMap { list?[$0] }
    }

    private static func replace(_ place: Int, of list: inout JSON, by element: JSON?) {
        guard case .array(var elements) = list else { return }
        if let element { elements[place] = element } else { elements.remove(at: place) }
        list = .array(elements)
    }
}
