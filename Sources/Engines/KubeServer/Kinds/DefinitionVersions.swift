// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a CustomResourceDefinition says of its versions beside their schemas: columns, subresources, selectable fields.
///
/// The real server moves what all versions share to the definition itself before it looks, which shows in the paths.
struct DefinitionVersions {
    private static let shareable = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"]

    let versions: [JSON]
    private let isGiven: Bool
    private let shared: [String: JSON]

    init(_ spec: JSON) {
        versions = spec["versions"]?.array ?? []
        isGiven = spec["versions"]?.array != nil
        var shared: [String: JSON] = [:]
        for member in Self.shareable {
            guard let value = versions.first?[member], !value.isNull,
                versions.allSatisfy({ $0[member] == value })
            else { continue }
            shared[member] = value
        }
        self.shared = shared
    }

    /// The list as the real server quotes it.
    var shown: JSON {
        guard isGiven else { return .null }
        return .array(
            versions.map { version in
                var own = version
                for member in shared.keys { own[member] = nil }
                return InternalForm.value(own, as: "CustomResourceDefinitionVersion")
            }
        )
    }

    /// What each version says for itself.
    func check(_ place: Int, _ errors: inout FieldErrors) {
        let version = versions[place]
        let field = "spec.versions[\(place)]"
        checkDeprecation(version, "\(field).deprecationWarning", &errors)
        checkParts(version, at: field, skipping: Set(shared.keys), &errors)
    }

    /// What all versions share.
    func checkShared(_ errors: inout FieldErrors) {
        var whole: JSON = [:]
        for (member, value) in shared { whole[member] = value }
        checkParts(whole, at: "spec", skipping: [], schema: versions.first?["schema"], &errors)
    }

    private func checkParts(
        _ version: JSON,
        at field: String,
        skipping: Set<String>,
        schema: JSON? = nil,
        _ errors: inout FieldErrors
    ) {
        if !skipping.contains("subresources"), let scale = version[path: "subresources", "scale"], scale.object != nil {
            checkScale(scale, "\(field).subresources.scale", &errors)
        }
        if !skipping.contains("additionalPrinterColumns") {
            for (place, column) in (version["additionalPrinterColumns"]?.array ?? []).enumerated() {
                checkColumn(column, "\(field).additionalPrinterColumns[\(place)]", &errors)
            }
        }
        if !skipping.contains("selectableFields") {
            let root = (schema ?? version["schema"])?["openAPIV3Schema"] ?? [:]
            checkSelectable(version["selectableFields"]?.array ?? [], root, "\(field).selectableFields", &errors)
        }
    }

    private func checkDeprecation(_ version: JSON, _ field: String, _ errors: inout FieldErrors) {
        guard let text = version["deprecationWarning"]?.string else { return }
        if version["deprecated"]?.bool != true {
            errors.invalid(field, text, "can only be set for deprecated versions")
        }
        if text.isEmpty { errors.invalid(field, text, "must not be an empty string") }
        if text.utf8.count > 256 {
            errors.invalid(field, text, "must be <= 256 characters, got \(text.unicodeScalars.count)")
        }
    }

    // MARK: - Scale

    private func checkScale(_ scale: JSON, _ field: String, _ errors: inout FieldErrors) {
        for (member, root) in [("specReplicasPath", "spec"), ("statusReplicasPath", "status")] {
            let path = scale[member]?.string ?? ""
            guard !path.isEmpty else {
                errors.required("\(field).\(member)")
                continue
            }
            checkPath(path, below: [root], "\(field).\(member)", "should be a json path under .\(root)", &errors)
        }
        guard let path = scale["labelSelectorPath"]?.string, !path.isEmpty else { return }
        checkPath(
            path,
            below: ["spec", "status"],
            "\(field).labelSelectorPath",
            "should be a json path under either .spec or .status",
            &errors
        )
    }

    private func checkPath(
        _ path: String,
        below roots: [String],
        _ field: String,
        _ words: String,
        _ errors: inout FieldErrors
    ) {
        if !path.hasPrefix(".") {
            errors.invalid(field, path, Self.simplePath)
        } else if !roots.contains(where: { path.hasPrefix(".\($0).") }) {
            errors.invalid(field, path, words)
        }
    }

    private static let simplePath = "must be a simple json path starting with ."

    // MARK: - Columns

    private static let columnTypes = ["boolean", "date", "integer", "number", "string"]
    private static let columnFormats = [
        "byte", "date", "date-time", "double", "float", "int32", "int64", "password",
    ]

    private func checkColumn(_ column: JSON, _ field: String, _ errors: inout FieldErrors) {
        if (column["name"]?.string ?? "").isEmpty { errors.required("\(field).name") }
        let type = column["type"]?.string ?? ""
        let types = "must be one of \(Self.columnTypes.joined(separator: ","))"
        if type.isEmpty {
            errors.required("\(field).type", types)
        } else if !Self.columnTypes.contains(type) {
            errors.invalid("\(field).type", type, types)
        }
        let format = column["format"]?.string ?? ""
        if !format.isEmpty, !Self.columnFormats.contains(format) {
            errors.invalid("\(field).format", format, "must be one of \(Self.columnFormats.joined(separator: ","))")
        }
        let path = column["jsonPath"]?.string ?? ""
        if path.isEmpty {
            errors.required("\(field).JSONPath")
        } else if !path.hasPrefix(".") {
            errors.invalid("\(field).JSONPath", path, Self.simplePath)
        }
    }

    // MARK: - Selectable fields

    private static let mostSelectable = 8

    private func checkSelectable(_ fields: [JSON], _ schema: JSON, _ field: String, _ errors: inout FieldErrors) {
        var seen: Set<String> = []
        for (place, entry) in fields.enumerated() {
            let at = "\(field)[\(place)].jsonPath"
            let path = entry["jsonPath"]?.string ?? ""
            guard !path.isEmpty else {
                errors.required(at)
                continue
            }
            guard let found = Self.schema(at: path, in: schema) else {
                let isRooted = path.hasPrefix(".") || path.hasPrefix("[")
                let words = isRooted ? "does not refer to a valid field" : "expected [ or . but got: \(path)"
                errors.invalid(at, path, "is an invalid path: \(words)")
                continue
            }
            if path.hasPrefix(".metadata.") { errors.invalid(at, path, "must not point to fields in metadata") }
            if !["string", "boolean", "integer"].contains(found["type"]?.string ?? "") {
                errors.invalid(
                    at,
                    path,
                    "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                        + "formats are allowed."
                )
            }
            if !seen.insert(path).inserted { errors.duplicate(at, .string(path)) }
        }
        if seen.count > Self.mostSelectable { errors.tooMany(field, seen.count, Self.mostSelectable) }
    }

    /// What the schema says at a path such as `.spec.color`.
    private static func schema(at path: String, in schema: JSON) -> JSON? {
        guard path.hasPrefix(".") else { return nil }
        let names = path.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return names.reduce(Optional(schema)) { $0?[path: "properties", $1] }
    }
}

/// How a CustomResourceDefinition's versions are turned into each other.
enum DefinitionConversion {
    static func check(_ conversion: JSON, _ errors: inout FieldErrors) {
        let field = "spec.conversion"
        let strategy = conversion["strategy"]?.string ?? ""
        if strategy.isEmpty {
            errors.required("\(field).strategy")
        } else if !["None", "Webhook"].contains(strategy) {
            errors.notSupported("\(field).strategy", strategy, ["None", "Webhook"])
        }
        let client = conversion[path: "webhook", "clientConfig"]
        let reviewed = (conversion[path: "webhook", "conversionReviewVersions"]?.array ?? []).compactMap(\.string)
        guard strategy == "Webhook" else {
            let words = "should not be set when strategy is not set to Webhook"
            if client != nil { errors.forbidden("\(field).webhookClientConfig", words) }
            if !reviewed.isEmpty { errors.forbidden("\(field).conversionReviewVersions", words) }
            return
        }
        if let client {
            checkClient(client, "\(field).webhookClientConfig", &errors)
        } else {
            errors.required("\(field).webhookClientConfig", "required when strategy is set to Webhook")
        }
        checkReviewed(reviewed, "\(field).conversionReviewVersions", &errors)
    }

    private static func checkClient(_ client: JSON, _ field: String, _ errors: inout FieldErrors) {
        switch (client["url"]?.string, client["service"]) {
        case (let url?, nil): checkAddress(url, "\(field).url", &errors)
        case (nil, let service?):
            for member in ["name", "namespace"] where (service[member]?.string ?? "").isEmpty {
                // The real server names the same field for both.
                errors.required("\(field).service.name")
            }
        default: errors.required(field, "exactly one of url or service is required")
        }
    }

    private static func checkAddress(_ text: String, _ field: String, _ errors: inout FieldErrors) {
        let form = "; desired format: https://host[/path]"
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let scheme = parts.count > 1 ? parts[0] : ""
        if scheme != "https" { errors.invalid(field, scheme, "'https' is the only allowed URL scheme" + form) }
        let host = parts.count > 1 ? parts[1].prefix { !"/?#".contains($0) } : ""
        if host.isEmpty { errors.invalid(field, "", "host must be specified" + form) }
    }

    private static func checkReviewed(_ versions: [String], _ field: String, _ errors: inout FieldErrors) {
        if versions.isEmpty { return errors.required(field) }
        var seen: Set<String> = []
        for (place, version) in versions.enumerated() {
            guard seen.insert(version).inserted else {
                errors.invalid("\(field)[\(place)]", version, "duplicate version")
                continue
            }
            for problem in NameRules.dns1035Problems(version) { errors.invalid("\(field)[\(place)]", version, problem) }
        }
        if seen.isDisjoint(with: ["v1", "v1beta1"]) {
            let list = JSON.array(versions.map { .string($0) })
            errors.invalid(field, list, "must include at least one of v1, v1beta1")
        }
    }
}
