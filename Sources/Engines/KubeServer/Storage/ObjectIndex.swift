// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The newest version of every key, sorted by key (in byte order).
///
/// A value: a copy is a snapshot, made in constant time. Keys live in blocks, so that a write to a copied index
/// copies one block and the list of blocks, not the whole.
struct ObjectIndex: Sendable {
    private var blocks: [[StoredObject]] = []
    private(set) var count = 0

    private static let blockLimit = 256

    init() {}

    /// `objects` must be sorted by key, each key once.
    init(sorted objects: [StoredObject]) {
        let size = Self.blockLimit / 2
        for start in stride(from: 0, to: objects.count, by: size) {
            blocks.append(Array(objects[start..<min(start + size, objects.count)]))
        }
        count = objects.count
    }

    subscript(_ key: String) -> StoredObject? {
        guard let block = block(of: key) else { return nil }
        let slot = Self.slot(of: key, in: blocks[block])
        guard slot < blocks[block].count, blocks[block][slot].key == key else { return nil }
        return blocks[block][slot]
    }

    mutating func set(_ object: StoredObject) {
        guard let block = block(of: object.key) else {
            blocks = [[object]]
            count = 1
            return
        }
        let slot = Self.slot(of: object.key, in: blocks[block])
        if slot < blocks[block].count, blocks[block][slot].key == object.key {
            blocks[block][slot] = object
            return
        }
        blocks[block].insert(object, at: slot)
        count += 1
        if blocks[block].count > Self.blockLimit { split(block) }
    }

    mutating func remove(_ key: String) {
        guard let block = block(of: key) else { return }
        let slot = Self.slot(of: key, in: blocks[block])
        guard slot < blocks[block].count, blocks[block][slot].key == key else { return }
        blocks[block].remove(at: slot)
        count -= 1
        if blocks[block].isEmpty { blocks.remove(at: block) }
    }

    private mutating func split(_ block: Int) {
        let half = blocks[block].count / 2
        let tail = Array(blocks[block][half...])
        blocks[block].removeSubrange(half...)
        blocks.insert(tail, at: block + 1)
    }

    /// The objects under a prefix in order, from the first key above `after`, and how many more there are above `limit`.
    func page(prefix: String, after: String?, limit: Int?) -> (items: [StoredObject], remaining: Int) {
        var items: [StoredObject] = []
        var remaining = 0
        let start = max(prefix, after ?? "")
        guard let first = block(of: start) else { return ([], 0) }
        for block in first..<blocks.count {
            let from = block == first ? Self.slot(of: start, in: blocks[block]) : 0
            for object in blocks[block][from...] {
                guard object.key.hasPrefix(prefix) else { return (items, remaining) }
                if object.key == after { continue }
                if let limit, items.count >= limit {
                    remaining += 1
                } else {
                    items.append(object)
                }
            }
        }
        return (items, remaining)
    }

    /// The block that holds the key or would; `nil` where there are no blocks.
    private func block(of key: String) -> Int? {
        guard !blocks.isEmpty else { return nil }
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle][0].key <= key { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// The place of the first key that is not below `key`.
    private static func slot(of key: String, in block: [StoredObject]) -> Int {
        var low = 0
        var high = block.count
        while low < high {
            let middle = (low + high) / 2
            if block[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
