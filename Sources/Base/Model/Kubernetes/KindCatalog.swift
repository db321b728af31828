// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The kinds of objects that one cluster serves, and the names by which people call them.
package struct KindCatalog: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var type: ResourceType
        /// Lower case: `deployment`.
        package var singular: String
        package var shortNames: [String]
        package var categories: [String]
        /// Such as `get`, `list`, `watch`; empty where that is not known.
        package var verbs: [String]
        /// Such as `status` and `scale`.
        package var subresources: [String]

        package init(
            type: ResourceType,
            singular: String? = nil,
            shortNames: [String] = [],
            categories: [String] = [],
            verbs: [String] = [],
            subresources: [String] = []
        ) {
            self.type = type
            self.singular = singular.flatMap { $0.isEmpty ? nil : $0 } ?? type.kind.lowercased()
            self.shortNames = shortNames
            self.categories = categories
            self.verbs = verbs
            self.subresources = subresources
        }
    }

    /// In the cluster's order: the preferred version of each group before its others.
    package let entries: [Entry]
    /// The groups and versions that the cluster could not tell about, for it asks another server for them.
    package let missing: [String]
    private let places: [Name: Int]

    private struct Name: Hashable {
        var apiVersion: String
        var kind: String
    }

    package init(_ entries: [Entry], missing: [String] = []) {
        self.entries = entries
        self.missing = missing
        places = Dictionary(
            entries.enumerated().map { (Name(apiVersion: $1.type.apiVersion, kind: $1.type.kind), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The resource of a manifest's `apiVersion` and `kind`.
    package func resource(apiVersion: String, kind: String) -> ResourceType? {
        entry(apiVersion: apiVersion, kind: kind)?.type
    }

    package func entry(apiVersion: String, kind: String) -> Entry? {
        places[Name(apiVersion: apiVersion, kind: kind)].map { entries[$0] }
    }

    /// What a person means by a name: one resource for `deployments`, `deployment`, `Deployment`, `deploy`, each also with
    /// its group or version and group after a dot; several for a category; none where nothing is called so.
    package func resources(named name: String) -> [ResourceType] {
        let wanted = name.lowercased()
        for isCalled in [Self.isPluralOrSingular, Self.isShort] {
            for (head, place) in Self.readings(of: wanted) {
                if let found = entries.first(where: { isCalled($0, head) && place.fits($0.type) }) {
                    return [found.type]
                }
            }
        }
        var seen: Set<String> = []
        return entries.filter { $0.categories.contains(wanted) && seen.insert($0.type.description).inserted }.map(
            \.type
        )
    }

    private static func isPluralOrSingular(_ entry: Entry, _ name: String) -> Bool {
        entry.type.plural == name || entry.singular == name || entry.type.kind.lowercased() == name
    }

    private static func isShort(_ entry: Entry, _ name: String) -> Bool { entry.shortNames.contains(name) }

    private struct Place {
        var group: String?
        var version: String?

        func fits(_ type: ResourceType) -> Bool {
            (group == nil || group == type.group) && (version == nil || version == type.version)
        }
    }

    /// `deployments.v1.apps` may name a version and a group, or a group alone.
    private static func readings(of name: String) -> [(head: String, place: Place)] {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return [(name, Place())] }
        var readings = [(parts[0], Place(group: parts[1...].joined(separator: "."), version: nil))]
        readings.append((parts[0], Place(group: parts[2...].joined(separator: "."), version: parts[1])))
        return readings
    }
}

// MARK: Misses

extension KindCatalog {
    /// Why there is no such kind, and what to do: for a ``Failure``.
    package func miss(apiVersion: String, kind: String) -> String {
        let words = "the cluster serves no kind '\(kind)' in '\(apiVersion)'"
        let group = apiVersion.split(separator: "/").count > 1 ? String(apiVersion.split(separator: "/")[0]) : ""
        let elsewhere = entries.filter { $0.type.kind == kind }.map(\.type)
        if let near = elsewhere.first(where: { $0.group == group }) ?? elsewhere.first {
            return "\(words); it serves it as '\(near.apiVersion)'"
        }
        if let missed = missing.first(where: { $0 == apiVersion }) {
            return "\(words): the server behind '\(missed)' does not answer"
        }
        let siblings = entries.filter { $0.type.group == group }.map(\.type.kind)
        if let near = NearestName.near(kind, among: siblings) ?? NearestName.near(kind, among: entries.map(\.type.kind))
        {
            return "\(words); did you mean '\(near)'?"
        }
        return siblings.isEmpty && group.contains(".")
            ? "\(words); is the CustomResourceDefinition of '\(group)' installed?" : words
    }

    /// Why nothing is called so.
    package func miss(named name: String) -> String {
        let names = entries.flatMap { [$0.type.plural, $0.singular] + $0.shortNames + $0.categories }
        let near = NearestName.near(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        return "the cluster serves no kind of object called '\(name)'\(near)"
    }
}
