// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
package import Ports

/// The three patch formats of the Kubernetes API.
package enum Patch {
    /// Applies a patch and returns the changed object; the original stays as it was when it fails.
    ///
    /// `schema` is the object's type, which strategic merge patches need; without one they are refused, as a real
    /// server refuses them for custom resources. ``PatchType/apply`` is not a patch in this sense and is refused too.
    package static func apply(
        _ type: PatchType,
        _ patch: JSON,
        to object: JSON,
        schema: Schema?
    ) throws(PatchError) -> JSON {
        switch type {
        case .json: return try JSONPatch(patch).apply(to: object)
        case .merge: return try MergePatch.apply(patch, to: object)
        case .strategicMerge:
            guard let schema else { throw unsupported(["json-patch+json", "merge-patch+json", "apply-patch+yaml"]) }
            return try StrategicMergePatch.apply(patch, to: object, schema: schema)
        case .apply: throw unsupported(["json-patch+json", "merge-patch+json", "strategic-merge-patch+json"])
        }
    }

    private static func unsupported(_ types: [String]) -> PatchError {
        let message =
            "the body of the request was in an unknown format - accepted media types include: "
            + types.map { "application/\($0)" }.joined(separator: ", ")
        return PatchError(
            status: KubeStatus(code: 415, reason: "UnsupportedMediaType", message: message),
            detail: message
        )
    }
}
