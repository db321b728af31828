// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The query parameters of create, update and patch.
struct WriteParameters: Sendable {
    var isDryRun = false
    var validation = WriteOptions.FieldValidation.warn
    var fieldManager = ""

    init() {}

    /// `kind` is how the real server calls these options in its errors, such as `CreateOptions`.
    init(_ query: Query, kind: String) throws(KubeStatus) {
        var errors = FieldErrors()
        isDryRun = Self.dryRun(query.all("dryRun").filter { !$0.isEmpty }, &errors)
        let text = query["fieldValidation"] ?? ""
        if let known = WriteOptions.FieldValidation(rawValue: text) {
            validation = known
        } else if !text.isEmpty {
            errors.notSupported("fieldValidation", text, ["", "Ignore", "Strict", "Warn"])
        }
        fieldManager = query["fieldManager"] ?? ""
        if fieldManager.utf8.count > 128 { errors.tooLong("fieldManager", 128) }
        guard errors.isEmpty else { throw .invalid(errors, kind: kind, group: "meta.k8s.io", name: "") }
    }

    static func dryRun(_ values: [String], _ errors: inout FieldErrors) -> Bool {
        guard !values.isEmpty else { return false }
        if values.contains(where: { $0 != "All" }) {
            let shown = JSON.array(values.map { .string($0) }).text
            errors.add(.notSupported, "dryRun", "Unsupported value: \(shown): supported values: \"All\"")
        }
        return true
    }
}

/// What a delete asks for: the body's members win over the query's.
struct DeleteParameters: Sendable {
    enum Propagation: String, Sendable, CaseIterable {
        case foreground = "Foreground"
        case background = "Background"
        case orphan = "Orphan"
    }

    static let graceLimit = Int(Int32.max)

    var isDryRun = false
    var graceSeconds: Int?
    var propagation: Propagation?
    var uid: String?
    var version: String?

    init() {}

    init(_ query: Query, body: JSON?) throws(KubeStatus) {
        var errors = FieldErrors()
        let options = body ?? [:]
        let dryRuns = options["dryRun"]?.array?.compactMap(\.string) ?? query.all("dryRun").filter { !$0.isEmpty }
        isDryRun = WriteParameters.dryRun(dryRuns, &errors)
        graceSeconds = try query.integer("gracePeriodSeconds")
        if let given = options["gracePeriodSeconds"]?.int { graceSeconds = given }
        // Less than nothing means as fast as possible; nothing needs to last longer than a lifetime.
        graceSeconds = graceSeconds.map { $0 < 0 ? 1 : min($0, Self.graceLimit) }
        uid = options[path: "preconditions", "uid"]?.string
        version = options[path: "preconditions", "resourceVersion"]?.string
        let orphans =
            options["orphanDependents"]?.bool
            ?? (query["orphanDependents"] == nil ? nil : query.flag("orphanDependents"))
        if let text = options["propagationPolicy"]?.string ?? query["propagationPolicy"], !text.isEmpty {
            propagation = Propagation(rawValue: text)
            if propagation == nil {
                let supported = (Propagation.allCases.map(\.rawValue) + ["nil"])
                errors.notSupported("propagationPolicy", text, supported)
            }
            if orphans != nil {
                errors.invalid(
                    "propagationPolicy",
                    text,
                    "orphanDependents and deletionPropagation cannot be both set"
                )
            }
        } else if let orphans {
            propagation = orphans ? .orphan : .background
        }
        guard errors.isEmpty else { throw .invalid(errors, kind: "DeleteOptions", group: "meta.k8s.io", name: "") }
    }
}
