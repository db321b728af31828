// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Events, of the core group or of `events.k8s.io`, which asks for more.
struct EventStrategy: KindStrategy {
    let traits = KindTraits(allowsCreateOnUpdate: true)
    /// Whether the request came through `events.k8s.io`. Objects have the core form in either case.
    var isNewer = false

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let involved = object["involvedObject"]?["namespace"]?.string ?? ""
        let own = object[path: "metadata", "namespace"]?.string ?? ""
        let mismatch = "does not match event.namespace"
        guard object["eventTime"]?.string != nil else {
            // Events about cluster-scoped objects live in the default namespace.
            if involved.isEmpty ? own != "default" && !own.isEmpty : involved != own {
                errors.invalid("involvedObject.namespace", involved, mismatch)
            }
            return
        }
        if involved.isEmpty, own != "default", own != "kube-system" {
            errors.invalid("involvedObject.namespace", involved, mismatch)
        }
        checkReporter(object, &errors)
    }

    /// What an event that says when it happened must say beside.
    private func checkReporter(_ object: JSON, _ errors: inout FieldErrors) {
        let field = isNewer ? "reportingController" : "reportingComponent"
        let controller = object["reportingComponent"]?.string ?? ""
        if controller.isEmpty { errors.required(field) }
        for problem in NameRules.qualifiedNameProblems(controller) { errors.invalid(field, controller, problem) }
        for member in ["reportingInstance", "action", "reason"] {
            let text = object[member]?.string ?? ""
            if text.isEmpty { errors.required(member) }
            checkLength(text, 128, member, &errors)
        }
        checkLength(object["message"]?.string ?? "", 1024, "message", &errors)
    }

    private func checkLength(_ text: String, _ limit: Int, _ field: String, _ errors: inout FieldErrors) {
        if text.utf8.count > limit { errors.invalid(field, "", "can have at most \(limit) characters") }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        guard isNewer else { return }
        checkSeries(object, &errors)
        if object["eventTime"]?.string == nil { errors.required("eventTime") }
        let type = object["type"]?.string ?? ""
        if type != "Normal", type != "Warning" { errors.invalid("type", "", "has invalid value: \(type)") }
        for member in ["firstTimestamp", "lastTimestamp"] where object[member]?.string != nil {
            errors.invalid(member, "", "needs to be unset")
        }
        if (object["count"]?.int ?? 0) != 0 { errors.invalid("count", "", "needs to be unset") }
        let source = object["source"] ?? [:]
        if ["component", "host"].contains(where: { !(source[$0]?.string ?? "").isEmpty }) {
            errors.invalid("source", "", "needs to be unset")
        }
    }

    private func checkSeries(_ object: JSON, _ errors: inout FieldErrors) {
        guard let series = object["series"], series.object != nil else { return }
        if (series["count"]?.int ?? 0) < 2 { errors.invalid("series.count", "", "should be at least 2") }
        if series["lastObservedTime"]?.string == nil { errors.required("series.lastObservedTime") }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        guard isNewer else { return }
        if object["series"] != old["series"] { checkSeries(object, &errors) }
        let members = [
            "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason",
            "type", "eventTime", "action", "related", "reportingComponent", "reportingInstance",
        ]
        for member in members where (object[member] ?? .null) != (old[member] ?? .null) {
            let field = member == "reportingComponent" ? "reportingController" : member
            errors.invalid(field, object[member] ?? .null, "field is immutable")
        }
    }
}
