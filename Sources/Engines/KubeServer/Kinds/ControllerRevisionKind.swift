// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct ControllerRevisionStrategy: KindStrategy {
    let traits = KindTraits()

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        guard let revision = object["revision"]?.int, revision < 0 else { return }
        errors.invalid("revision", revision, "must be greater than or equal to 0")
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        guard let data = object["data"], !data.isNull else { return errors.required("data", "data is mandatory") }
        if data.object == nil { errors.required("data", "data must be a valid JSON object") }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if object["data"] != old["data"] { errors.invalid("data", object["data"] ?? .null, "field is immutable") }
    }
}

enum RevisionRules {
    static func checkCollisions(_ object: JSON, _ old: JSON, _ errors: inout FieldErrors) {
        let now = object[path: "status", "collisionCount"]?.int ?? 0
        guard let before = old[path: "status", "collisionCount"]?.int, now < before else { return }
        errors.invalid("status.collisionCount", now, "cannot be decremented")
    }
}

struct ControllerRevisionColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Controller"), .text("Revision"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let owner = (object[path: "metadata", "ownerReferences"]?.array ?? []).first { $0["controller"]?.bool == true }
        return [
            Cell.name(object), .string(owner.map(Self.text) ?? "<none>"), Cell.whole(object["revision"]),
            Age.of(object, now),
        ]
    }

    /// `statefulset.apps/web`.
    private static func text(_ owner: JSON) -> String {
        let version = owner["apiVersion"]?.string ?? ""
        let group = version.contains("/") ? ".\(version.prefix { $0 != "/" })" : ""
        return "\(owner["kind"]?.string?.lowercased() ?? "")\(group)/\(owner["name"]?.string ?? "")"
    }
}
