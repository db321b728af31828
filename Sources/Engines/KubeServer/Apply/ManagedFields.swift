// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Who owns which fields of one object: `metadata.managedFields`, read.
struct ManagedFields: Sendable {
    /// What tells entries apart. An applier has one entry over all versions.
    struct Key: Sendable, Hashable {
        var manager: String
        var isApply: Bool
        var apiVersion = ""
        var subresource = ""

        init(_ manager: String, isApply: Bool, apiVersion: String, subresource: String) {
            self.manager = manager.isEmpty ? "unknown" : manager
            self.isApply = isApply
            self.apiVersion = isApply ? "" : apiVersion
            self.subresource = subresource
        }

        /// As conflicts name the manager.
        var shown: String {
            var text = FieldErrors.quoted(manager)
            if !subresource.isEmpty { text += " with subresource \(FieldErrors.quoted(subresource))" }
            return isApply ? text : text + " using \(apiVersion)"
        }

        /// What entries are sorted by in conflicts.
        var order: [String] { [manager, isApply ? "Apply" : "Update", apiVersion, subresource] }
    }

    struct Entry: Sendable {
        var apiVersion: String
        var time: String?
        var set: FieldSet { didSet { fieldsV1 = nil } }
        /// The text the set was read from, as long as it holds.
        fileprivate(set) var fieldsV1: JSON?

        init(apiVersion: String, time: String?, set: FieldSet) {
            self.apiVersion = apiVersion
            self.time = time
            self.set = set
        }
    }

    var entries: [Key: Entry] = [:]

    init() {}

    var isEmpty: Bool { entries.isEmpty }

    /// The keys in the order in which conflicts list them.
    var keys: [Key] { entries.keys.sorted { $0.order.lexicographicallyPrecedes($1.order, by: ByteOrder.precedes) } }

    /// Reads the list; of entries with equal keys the last wins.
    init(json: JSON?) throws(FieldSetError) {
        guard let json, !json.isNull else { return }
        guard let list = json.array else { throw FieldSetError(text: "managedFields is no list") }
        for (place, entry) in list.enumerated() { try take(entry, place) }
    }

    private mutating func take(_ entry: JSON, _ place: Int) throws(FieldSetError) {
        let operation = entry["operation"]?.string ?? ""
        guard operation == "Apply" || operation == "Update" else {
            throw FieldSetError(text: "operation must be `Apply` or `Update`")
        }
        let apiVersion = entry["apiVersion"]?.string ?? ""
        guard !apiVersion.isEmpty else { throw FieldSetError(text: "apiVersion must not be empty") }
        let type = entry["fieldsType"]?.string ?? ""
        guard !type.isEmpty else { throw FieldSetError(text: "missing fieldsType in managed fields entry \(place)") }
        guard type == "FieldsV1" else {
            throw FieldSetError(text: "invalid fieldsType \(FieldErrors.quoted(type)) in managed fields entry \(place)")
        }
        let key = Key(
            entry["manager"]?.string ?? "",
            isApply: operation == "Apply",
            apiVersion: apiVersion,
            subresource: entry["subresource"]?.string ?? ""
        )
        let fields = entry["fieldsV1"] ?? [:]
        var read = Entry(apiVersion: apiVersion, time: entry["time"]?.string, set: try FieldSet(fieldsV1: fields))
        read.fieldsV1 = fields
        entries[key] = read
    }

    /// The list as it is stored; `nil` for none.
    func json(isCustom: Bool) -> JSON? {
        guard !entries.isEmpty else { return nil }
        let sorted = entries.sorted { one, two in
            let left = [one.key.isApply ? "Apply" : "Update", one.value.time ?? "", one.key.manager]
            let right = [two.key.isApply ? "Apply" : "Update", two.value.time ?? "", two.key.manager]
            let tails = ([one.value.apiVersion, one.key.subresource], [two.value.apiVersion, two.key.subresource])
            return (left + tails.0).lexicographicallyPrecedes(right + tails.1, by: ByteOrder.precedes)
        }
        let list = JSON.array(sorted.map { Self.json($0.key, $0.value) })
        return isCustom ? list.sortedByKey : list
    }

    private static func json(_ key: Key, _ entry: Entry) -> JSON {
        var object: JSONObject = [
            "manager": .string(key.manager), "operation": key.isApply ? "Apply" : "Update",
            "apiVersion": .string(entry.apiVersion),
        ]
        if let time = entry.time { object["time"] = .string(time) }
        object["fieldsType"] = "FieldsV1"
        object["fieldsV1"] = entry.fieldsV1 ?? entry.set.fieldsV1
        if !key.subresource.isEmpty { object["subresource"] = .string(key.subresource) }
        return .object(object)
    }
}
