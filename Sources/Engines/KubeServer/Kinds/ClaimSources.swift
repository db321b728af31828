// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What a claim's volume is filled from. It is said under two names, of which the newer one knows more kinds.
enum ClaimSources {
    static func settle(_ spec: inout JSON) {
        if let older = spec["dataSource"], !isKnown(older) { spec["dataSource"] = nil }
        switch (spec["dataSource"], spec["dataSourceRef"]) {
        case (let older?, nil): spec["dataSourceRef"] = older
        case (nil, let newer?) where (newer["namespace"]?.string ?? "").isEmpty: spec["dataSource"] = newer
        default: break
        }
    }

    /// The older name takes only claims and their snapshots; anything else is dropped.
    private static func isKnown(_ source: JSON) -> Bool {
        switch source["kind"] {
        case "PersistentVolumeClaim"?: group(source).isEmpty
        case "VolumeSnapshot"?: group(source) == "snapshot.storage.k8s.io"
        default: false
        }
    }

    private static func group(_ source: JSON) -> String { source["apiGroup"]?.string ?? "" }

    static func check(_ spec: JSON, _ at: String, _ errors: inout FieldErrors) {
        for member in ["dataSource", "dataSourceRef"] {
            guard let source = spec[member] else { continue }
            let field = "\(at).\(member)"
            let kind = source["kind"]?.string ?? ""
            if (source["name"]?.string ?? "").isEmpty { errors.required("\(field).name") }
            if kind.isEmpty { errors.required("\(field).kind") }
            if group(source).isEmpty, kind != "PersistentVolumeClaim" {
                let words = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                errors.invalid("\(field).kind", kind, words)
            }
        }
    }
}
