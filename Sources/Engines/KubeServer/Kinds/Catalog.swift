// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// All resources that are served now: the built-in ones and those of CustomResourceDefinitions.
final class Catalog: Sendable {
    struct Snapshot: Sendable {
        fileprivate(set) var all: [Resource] = []
        /// Counts how often what is served has changed.
        fileprivate(set) var edition = 0
        private var places: [String: Int] = [:]
        /// Groups in the order in which discovery lists them, with their versions, best first.
        private(set) var groups: [(name: String, versions: [String])] = []
        private(set) var builtInGroups: Set<String> = []

        init(builtIn: [Resource], custom: [Resource]) {
            builtInGroups = Set(builtIn.map(\.type.group))
            all = builtIn + custom
            for (place, resource) in all.enumerated() {
                let type = resource.type
                places["\(type.group)/\(type.version)/\(type.plural)"] = place
                if let index = groups.firstIndex(where: { $0.name == type.group }) {
                    if !groups[index].versions.contains(type.version) { groups[index].versions.append(type.version) }
                } else {
                    groups.append((type.group, [type.version]))
                }
            }
            for index in groups.indices { groups[index].versions.sort(by: APIVersionOrder.precedes) }
        }

        func resource(group: String, version: String, plural: String) -> Resource? {
            places["\(group)/\(version)/\(plural)"].map { all[$0] }
        }

        func resources(group: String, version: String) -> [Resource] {
            all.filter { $0.type.group == group && $0.type.version == version }
        }
    }

    private let builtIn: [Resource]
    private let state: Mutex<Snapshot>

    init(builtIn: [Resource]) {
        self.builtIn = builtIn
        state = Mutex(Snapshot(builtIn: builtIn, custom: []))
    }

    var snapshot: Snapshot { state.withLock { $0 } }

    func resource(of type: ResourceType) -> Resource? {
        snapshot.resource(group: type.group, version: type.version, plural: type.plural)
    }

    /// Whether the server itself has a resource of that name, in any version: all versions lie in one place.
    func isBuiltIn(group: String, plural: String) -> Bool {
        builtIn.contains { $0.type.group == group && $0.type.plural == plural }
    }

    /// Replaces what one CustomResourceDefinition serves; an empty list takes it away.
    func serve(_ resources: [Resource], for definition: String) {
        state.withLock { snapshot in
            let others = snapshot.all.filter { $0.custom != nil && $0.custom?.definition != definition }
            let custom = (others + resources).sorted { "\($0.type)" < "\($1.type)" }
            let edition = snapshot.edition + 1
            snapshot = Snapshot(builtIn: builtIn, custom: custom)
            snapshot.edition = edition
        }
    }
}

/// Kubernetes' order of versions: stable before beta before alpha, higher numbers first, then anything else by name.
enum APIVersionOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let first = rank(left)
        let second = rank(right)
        switch (first, second) {
        case (let first?, let second?): return first.lexicographicallyPrecedes(second, by: >)
        case (_?, nil): return true
        case (nil, _?): return false
        case (nil, nil): return left < right
        }
    }

    private static func rank(_ version: String) -> [Int]? {
        guard version.first == "v" else { return nil }
        let rest = version.dropFirst()
        let major = rest.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(major) else { return nil }
        let suffix = rest.dropFirst(major.count)
        if suffix.isEmpty { return [3, number, 0] }
        for (word, stability) in [("beta", 2), ("alpha", 1)] where suffix.hasPrefix(word) {
            guard let minor = Int(suffix.dropFirst(word.count)) else { return nil }
            return [stability, number, minor]
        }
        return nil
    }
}
