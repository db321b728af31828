// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct NodeColumns: TableColumns {
    let columns: [TableColumn] = [
        .name, .text("Status"), .text("Roles"), .age, .text("Version"), .text("Internal-IP", wide: true),
        .text("External-IP", wide: true), .text("OS-Image", wide: true), .text("Kernel-Version", wide: true),
        .text("Container-Runtime", wide: true),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let info = object[path: "status", "nodeInfo"] ?? [:]
        return [
            Cell.name(object), .string(status(object)), .string(roles(object)), Age.of(object, now),
            Cell.text(info["kubeletVersion"]), address("InternalIP", object), address("ExternalIP", object),
            Cell.text(info["osImage"], or: "<unknown>"), Cell.text(info["kernelVersion"], or: "<unknown>"),
            Cell.text(info["containerRuntimeVersion"], or: "<unknown>"),
        ]
    }

    private func status(_ object: JSON) -> String {
        let ready = object[path: "status", "conditions"]?.array?.first { $0["type"]?.string == "Ready" }
        var words = [ready.map { $0["status"]?.string == "True" ? "Ready" : "NotReady" } ?? "Unknown"]
        if object[path: "spec", "unschedulable"]?.bool == true { words.append("SchedulingDisabled") }
        return words.joined(separator: ",")
    }

    private func roles(_ object: JSON) -> String {
        let prefix = "node-role.kubernetes.io/"
        var roles: Set<String> = []
        for (key, value) in object[path: "metadata", "labels"]?.stringMap ?? [:] {
            if key.hasPrefix(prefix), key.count > prefix.count { roles.insert(String(key.dropFirst(prefix.count))) }
            if key == "kubernetes.io/role", !value.isEmpty { roles.insert(value) }
        }
        return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
    }

    private func address(_ type: String, _ object: JSON) -> JSON {
        let found = object[path: "status", "addresses"]?.array?.first { $0["type"]?.string == type }
        return Cell.text(found?["address"], or: "<none>")
    }
}

struct EventColumns: TableColumns {
    let columns: [TableColumn] = [
        .text("Last Seen"), .text("Type"), .text("Reason"), .text("Object"), .text("Subobject", wide: true),
        .text("Source", wide: true), .text("Message"), .text("First Seen", wide: true), .text("Count", wide: true),
        TableColumn(name: "Name", format: "name", priority: 1, description: "The object's name."),
    ]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let eventTime = object["eventTime"]
        func seen(_ member: String) -> String {
            let own = object[member]
            return Age.since(own?.string == nil ? eventTime : own, now)
        }
        let series = object["series"]
        let last = series.map { Age.since($0["lastObservedTime"], now) } ?? seen("lastTimestamp")
        let count = series?["count"]?.int ?? object["count"]?.int ?? 0
        let involved = object["involvedObject"] ?? object["regarding"] ?? [:]
        let name = involved["name"]?.string ?? ""
        let kind = (involved["kind"]?.string ?? "").lowercased()
        return [
            .string(last), Cell.text(object["type"]), Cell.text(object["reason"]),
            .string(name.isEmpty ? kind : "\(kind)/\(name)"), Cell.text(involved["fieldPath"]),
            .string(source(object)), .string(trimmed(object["message"]?.string ?? object["note"]?.string ?? "")),
            .string(seen("firstTimestamp")), JSON(count == 0 ? 1 : count), Cell.name(object),
        ]
    }

    private func source(_ object: JSON) -> String {
        let component = SelectableFields.text(object[path: "source", "component"])
        let host = SelectableFields.text(object[path: "source", "host"])
        let parts = [
            component.isEmpty ? SelectableFields.text(object["reportingComponent"]) : component,
            host.isEmpty ? SelectableFields.text(object["reportingInstance"]) : host,
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private func trimmed(_ text: String) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
