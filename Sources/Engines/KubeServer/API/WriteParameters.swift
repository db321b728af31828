// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// The query parameters of create, update and patch.
struct WriteParameters: Sendable {
    var isDryRun = false
    var validation = WriteOptions.FieldValidation.warn
    var fieldManager = ""
    /// Whose writes these are where no field manager is named: the client's own name.
    var client = ""
    /// An apply takes fields from those who own them.
    var isForced = false
    /// The object carries the managed fields it is to have.
    var isApplied = false
    /// A view through which the object is written.
    var subresource = ""

    /// The name under which fields come to be owned.
    var manager: String { fieldManager.isEmpty ? client : fieldManager }

    var applied: WriteParameters {
        var copy = self
        copy.isApplied = true
        return copy
    }

    init() {}

    /// `kind` is how the real server calls these options in its errors, such as `CreateOptions`.
    init(_ call: Call, kind: String) throws(KubeStatus) {
        let query = call.query
        var errors = FieldErrors()
        client = Self.client(call.request.userAgent)
        if kind == "PatchOptions" { readPatch(call, &errors) }
        fieldManager = query["fieldManager"] ?? ""
        Self.checkManager(fieldManager, &errors)
        isDryRun = Self.dryRun(query.all("dryRun"), &errors)
        let text = query["fieldValidation"] ?? ""
        if let known = WriteOptions.FieldValidation(rawValue: text) {
            validation = known
        } else if !text.isEmpty {
            errors.notSupported("fieldValidation", text, ["", "Ignore", "Strict", "Warn"])
        }
        guard errors.isEmpty else { throw .invalid(errors, kind: kind, group: "meta.k8s.io", name: "") }
    }

    private mutating func readPatch(_ call: Call, _ errors: inout FieldErrors) {
        let isApply = MediaType(parsing: call.request.contentType).name == PatchType.apply.rawValue
        if isApply, (call.query["fieldManager"] ?? "").isEmpty {
            errors.required("fieldManager", "is required for apply patch")
        }
        if !isApply, call.query["force"] != nil {
            errors.forbidden("force", "may not be specified for non-apply patch")
        }
        isForced = isApply && call.query.flag("force")
    }

    /// A manager's name is at most 128 bytes of printable characters.
    private static func checkManager(_ name: String, _ errors: inout FieldErrors) {
        if name.utf8.count > 128 { errors.tooLong("fieldManager", 128) }
        for (place, scalar) in name.unicodeScalars.enumerated() where !isPrintable(scalar) {
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            errors.invalid("fieldManager", name, "invalid character \(code) (at position \(place))")
        }
    }

    /// As Go sees it: letters, marks, numbers, punctuation, symbols and the ASCII space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    /// A client's name: its User-Agent up to the first slash.
    private static func client(_ userAgent: String) -> String {
        var name = ""
        for scalar in userAgent.unicodeScalars.prefix(while: { $0 != "/" })
        where scalar.properties.generalCategory != .control {
            guard name.utf8.count + UTF8.width(scalar) <= 128 else { break }
            name.unicodeScalars.append(scalar)
        }
        return name
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
        let dryRuns = options["dryRun"]?.array?.compactMap(\.string) ?? query.all("dryRun")
        isDryRun = WriteParameters.dryRun(dryRuns, &errors)
        graceSeconds = try query.integer("gracePeriodSeconds")
        if let given = options["gracePeriodSeconds"]?.int { graceSeconds = given }
        // Less than nothing means as fast as possible; nothing needs to last longer than a lifetime.
        graceSeconds = graceSeconds.map { $0 < 0 ? 1 : min($0, Self.graceLimit) }
        uid = options[path: "preconditions", "uid"]?.string ?? query["uid"]
        version = options[path: "preconditions", "resourceVersion"]?.string ?? query["resourceVersion"]
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
