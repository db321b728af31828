// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The difference of two texts by lines, in the unified format, as the real server prints it.
///
/// Lines are matched by the longest common run first, then left and right of it (Ratcliff and Obershelp). In long texts
/// lines that occur often begin no run.
struct UnifiedDiff {
    private struct Block: Equatable {
        var left: Int
        var right: Int
        var count: Int
    }

    private enum Kind { case equal, replace, delete, insert }

    private struct Operation {
        var kind: Kind
        var left: Range<Int>
        var right: Range<Int>
    }

    private let left: [String]
    private let right: [String]
    /// Where each line stands on the right.
    private var places: [String: [Int]] = [:]
    private static let context = 3

    init(_ left: [String], _ right: [String]) {
        self.left = left
        self.right = right
        for (place, line) in right.enumerated() { places[line, default: []].append(place) }
        guard right.count >= 200 else { return }
        let limit = right.count / 100 + 1
        places = places.filter { $0.value.count <= limit }
    }

    /// Each hunk with its head; every line ends with a line feed.
    var text: String {
        var output = ""
        for group in groups {
            guard let first = group.first, let last = group.last else { continue }
            let old = Self.span(first.left.lowerBound..<last.left.upperBound)
            let new = Self.span(first.right.lowerBound..<last.right.upperBound)
            output += "@@ -\(old) +\(new) @@\n"
            for operation in group { write(operation, into: &output) }
        }
        return output
    }

    private func write(_ operation: Operation, into output: inout String) {
        if operation.kind == .equal {
            for line in left[operation.left] { output += " \(line)\n" }
            return
        }
        for line in left[operation.left] { output += "-\(line)\n" }
        for line in right[operation.right] { output += "+\(line)\n" }
    }

    private static func span(_ range: Range<Int>) -> String {
        switch range.count {
        case 0: "\(range.lowerBound),0"
        case 1: "\(range.lowerBound + 1)"
        default: "\(range.lowerBound + 1),\(range.count)"
        }
    }

    /// The operations in groups of what lies near each other, with the lines around.
    private var groups: [[Operation]] {
        var operations = self.operations
        guard !operations.isEmpty else { return [] }
        let size = Self.context
        if operations[0].kind == .equal { operations[0] = Self.tail(operations[0], size) }
        let end = operations.count - 1
        if operations[end].kind == .equal { operations[end] = Self.head(operations[end], size) }
        var groups: [[Operation]] = []
        var group: [Operation] = []
        for operation in operations {
            guard operation.kind == .equal, operation.left.count > 2 * size else {
                group.append(operation)
                continue
            }
            groups.append(group + [Self.head(operation, size)])
            group = [Self.tail(operation, size)]
        }
        if !group.isEmpty, group.count != 1 || group[0].kind != .equal { groups.append(group) }
        return groups.filter { $0.contains { $0.kind != .equal } }
    }

    private static func head(_ operation: Operation, _ count: Int) -> Operation {
        var result = operation
        result.left = operation.left.lowerBound..<min(operation.left.upperBound, operation.left.lowerBound + count)
        result.right = operation.right.lowerBound..<min(operation.right.upperBound, operation.right.lowerBound + count)
        return result
    }

    private static func tail(_ operation: Operation, _ count: Int) -> Operation {
        var result = operation
        result.left = max(operation.left.lowerBound, operation.left.upperBound - count)..<operation.left.upperBound
        result.right = max(operation.right.lowerBound, operation.right.upperBound - count)..<operation.right.upperBound
        return result
    }

    private var operations: [Operation] {
        var result: [Operation] = []
        var (leftEnd, rightEnd) = (0, 0)
        for block in blocks + [Block(left: left.count, right: right.count, count: 0)] {
            let (removed, added) = (leftEnd..<block.left, rightEnd..<block.right)
            switch (removed.isEmpty, added.isEmpty) {
            case (false, false): result.append(Operation(kind: .replace, left: removed, right: added))
            case (false, true): result.append(Operation(kind: .delete, left: removed, right: added))
            case (true, false): result.append(Operation(kind: .insert, left: removed, right: added))
            case (true, true): break
            }
            (leftEnd, rightEnd) = (block.left + block.count, block.right + block.count)
            guard block.count > 0 else { continue }
            result.append(Operation(kind: .equal, left: block.left..<leftEnd, right: block.right..<rightEnd))
        }
        return result
    }

    /// The common runs from left to right; adjacent ones are one.
    private var blocks: [Block] {
        var found: [Block] = []
        var waiting = [(left.startIndex..<left.endIndex, right.startIndex..<right.endIndex)]
        while let (leftRange, rightRange) = waiting.popLast() {
            let block = longest(leftRange, rightRange)
            guard block.count > 0 else { continue }
            found.append(block)
            waiting.append((leftRange.lowerBound..<block.left, rightRange.lowerBound..<block.right))
            waiting.append(
                (block.left + block.count..<leftRange.upperBound, block.right + block.count..<rightRange.upperBound)
            )
        }
        found.sort { $0.left < $1.left }
        return found.reduce(into: []) { joined, block in
            if let last = joined.last, last.left + last.count == block.left, last.right + last.count == block.right {
                joined[joined.count - 1].count += block.count
            } else {
                joined.append(block)
            }
        }
    }

    /// The longest common run; of several the first on the left, then the first on the right.
    private func longest(_ leftRange: Range<Int>, _ rightRange: Range<Int>) -> Block {
        var best = Block(left: leftRange.lowerBound, right: rightRange.lowerBound, count: 0)
        var lengths: [Int: Int] = [:]
        for place in leftRange {
            var next: [Int: Int] = [:]
            for other in places[left[place]] ?? [] where rightRange.contains(other) {
                let length = (lengths[other - 1] ?? 0) + 1
                next[other] = length
                if length > best.count {
                    best = Block(left: place - length + 1, right: other - length + 1, count: length)
                }
            }
            lengths = next
        }
        // Frequent lines begin no run, but they lengthen one.
        while best.left > leftRange.lowerBound, best.right > rightRange.lowerBound,
            left[best.left - 1] == right[best.right - 1]
        {
            best = Block(left: best.left - 1, right: best.right - 1, count: best.count + 1)
        }
        while best.left + best.count < leftRange.upperBound, best.right + best.count < rightRange.upperBound,
            left[best.left + best.count] == right[best.right + best.count]
        {
            best.count += 1
        }
        return best
    }
}
