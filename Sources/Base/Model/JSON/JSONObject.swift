// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The members of a JSON object in the order in which they were written.
///
/// Look-up is linear for a few members and by hash above that. A repeated key keeps its first place and its last value.
package struct JSONObject: Sendable {
    package typealias Member = (key: String, value: JSON)

    private var members: [Member] = []
    private var index: [String: Int] = [:]

    private static let linearLimit = 16
    /// Objects built once and read rarely go without an index up to this size.
    private static let sparseLimit = 48

    package init() {}

    package init(_ members: some Sequence<(String, JSON)>) {
        for (key, value) in members { self[key] = value }
    }

    /// An object that will get about that many members.
    package init(capacity: Int) { members.reserveCapacity(capacity) }

    /// Takes members whose keys the caller knows to be all different.
    package init(unique members: [Member]) {
        self.members = members
        if members.count > Self.sparseLimit { rebuildIndex() }
    }

    /// Sets a member and tells whether it is new; an old one keeps its place.
    package mutating func insert(_ key: String, _ value: JSON) -> Bool {
        if let place = position(of: key) {
            members[place].value = value
            return false
        }
        append(key, value)
        return true
    }

    /// Adds a member whose key the caller knows to be new.
    package mutating func appendUnique(_ key: String, _ value: JSON) {
        members.append((key, value))
        if !index.isEmpty {
            index[key] = members.count - 1
        } else if members.count > Self.sparseLimit {
            rebuildIndex()
        }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    package subscript(_ key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        _modify {
            let place = position(of: key)
            var value: JSON?
            if let place {
                value = members[place].value
                members[place].value = .null
            }
            defer { store(value, for: key, at: place) }
            yield &value
        }
    }

    private mutating func store(_ value: JSON?, for key: String, at place: Int?) {
        switch (place, value) {
        case (let place?, let value?): members[place].value = value
        case (nil, let value?): append(key, value)
        case (let place?, nil): remove(at: place)
        case (nil, nil): break
        }
    }

    private mutating func append(_ key: String, _ value: JSON) {
        members.append((key, value))
        if members.count > Self.linearLimit {
            if index.isEmpty {
                rebuildIndex()
            } else {
                index[key] = members.count - 1
            }
        }
    }

    private mutating func remove(at place: Int) {
        members.remove(at: place)
        if !index.isEmpty { rebuildIndex() }
    }

    private mutating func rebuildIndex() {
        index.removeAll(keepingCapacity: true)
        guard members.count > Self.linearLimit else { return }
        for (place, member) in members.enumerated() { index[member.key] = place }
    }

    private func position(of key: String) -> Int? {
        guard index.isEmpty else { return index[key] }
        return members.firstIndex { $0.key == key }
    }

    /// Keeps the members for which the claim holds, in their order.
    package func filter(_ isKept: (Member) throws -> Bool) rethrows -> JSONObject {
        JSONObject(unique: try members.filter(isKept))
    }

    package func mapValues(_ transform: (JSON) throws -> JSON) rethrows -> JSONObject {
        JSONObject(unique: try members.map { ($0.key, try transform($0.value)) })
    }
}

extension JSONObject: Sequence {
    package func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for (place, member) in left.members.enumerated() {
            // Mostly the order is the same.
            let other = right.members[place]
            guard (other.key == member.key ? other.value : right[member.key]) == member.value else { return false }
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in members {
            var each = Hasher()
            each.combine(key)
            each.combine(value)
            sum &+= each.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
