// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One column of a kind's table.
struct TableColumn: Sendable {
    var name: String
    var type = "string"
    var format = ""
    /// 0 is always shown, higher ones only on `-o wide`.
    var priority = 0
    var description = ""

    static let name = TableColumn(name: "Name", format: "name", description: "The object's name.")
    static let age = TableColumn(name: "Age", description: "How long ago the object was created.")

    static func text(_ name: String, wide: Bool = false) -> TableColumn {
        TableColumn(name: name, priority: wide ? 1 : 0)
    }

    static func whole(_ name: String) -> TableColumn { TableColumn(name: name, type: "integer") }

    var json: JSON {
        [
            "name": .string(name), "type": .string(type), "format": .string(format),
            "description": .string(description), "priority": JSON(priority),
        ]
    }
}

/// How a kind looks in `kubectl get`.
protocol TableColumns: Sendable {
    var columns: [TableColumn] { get }
    /// One cell a column; the object comes without its type.
    func cells(_ object: JSON, now: Timestamp) -> [JSON]
}

/// Puts objects into the API's `Table` form.
struct Table {
    enum Includes: String { case none = "None", metadata = "Metadata", object = "Object" }

    private let resource: Resource
    private let version: String
    private let includes: Includes
    private let now: Timestamp
    var showsColumns = true

    init(_ call: Call, now: Timestamp) {
        resource = call.resource
        version = call.representation.version
        includes = call.query["includeObject"].flatMap(Includes.init(rawValue:)) ?? .metadata
        self.now = now
    }

    func json(_ objects: [JSON], metadata: JSON) -> JSON {
        [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
            "columnDefinitions": showsColumns ? .array(resource.columns.columns.map(\.json)) : .null,
            "rows": .array(objects.map { row($0) }),
        ]
    }

    private func row(_ object: JSON) -> JSON {
        var row: JSONObject = ["cells": .array(resource.columns.cells(object, now: now))]
        switch includes {
        case .none: row["object"] = .null
        case .metadata: row["object"] = KubernetesServer.partial(withoutMirrors(object), version)
        case .object: row["object"] = StoredJSON.typed(object, resource.type)
        }
        if let conditions = conditions(of: object) { row["conditions"] = conditions }
        return .object(row)
    }

    /// The real server keeps the count of a daemon set's templates elsewhere, and its tables do not show it.
    private func withoutMirrors(_ object: JSON) -> JSON {
        guard resource.type == .daemonSets else { return object }
        var object = object
        object.set(nil, at: ["metadata", "annotations", DaemonSetStrategy.generationKey])
        if object[path: "metadata", "annotations"] == [:] { object.set(nil, at: ["metadata", "annotations"]) }
        return object
    }

    /// Rows of pods that have ended are marked, so that clients can hide them.
    private func conditions(of object: JSON) -> JSON? {
        guard resource.type == .pods, let phase = object[path: "status", "phase"]?.string,
            phase == "Succeeded" || phase == "Failed"
        else { return nil }
        let message = phase == "Succeeded" ? "The pod has completed successfully." : "The pod failed."
        return [["type": "Completed", "status": "True", "reason": .string(phase), "message": .string(message)]]
    }
}

/// Moments as tables show them.
enum Age {
    /// How long ago; `<unknown>` where there is no moment.
    static func since(_ moment: JSON?, _ now: Timestamp) -> String {
        guard let moment = moment?.string.flatMap({ Timestamp($0) }) else { return "<unknown>" }
        return text(now - moment)
    }

    static func of(_ object: JSON, _ now: Timestamp) -> JSON {
        .string(since(object[path: "metadata", "creationTimestamp"], now))
    }

    /// `5s`, `3m12s`, `12m`, `3h5m`, `26h`, `3d4h`, `12d`, `2y10d`, `9y`: two units while they are few.
    static func text(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = seconds / 3600
        if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return pair(days, "d", hours % 24, "h") }
        if days < 730 { return "\(days)d" }
        let years = days / 365
        if years < 8 { return pair(years, "y", days % 365, "d") }
        return "\(years)y"
    }

    private static func pair(_ first: Int, _ unit: String, _ second: Int, _ smaller: String) -> String {
        second == 0 ? "\(first)\(unit)" : "\(first)\(unit)\(second)\(smaller)"
    }
}
