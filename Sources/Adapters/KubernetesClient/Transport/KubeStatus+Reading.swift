// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

extension KubeStatus {
    /// Reads a `Status` object; `nil` where it is none.
    package init?(_ json: JSON) {
        guard json["kind"]?.string == "Status" else { return nil }
        var details = json["details"] ?? [:]
        let causes = (details["causes"]?.array ?? []).map { cause in
            Cause(
                reason: cause["reason"]?.string ?? "",
                message: cause["message"]?.string ?? "",
                field: cause["field"]?.string
            )
        }
        details["causes"] = nil
        self.init(
            code: json["code"]?.int ?? 500,
            reason: json["reason"]?.string ?? "",
            message: json["message"]?.string ?? "no message",
            causes: causes,
            details: details
        )
    }
}
