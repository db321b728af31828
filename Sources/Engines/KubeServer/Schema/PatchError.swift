// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Why a patch was not applied, with the `Status` a real server answers.
package struct PatchError: Error, Equatable, CustomStringConvertible {
    package let status: KubeStatus
    /// What exactly went wrong, for our own log; the server's text may say less.
    package let detail: String

    package var description: String { detail }

    /// The patch itself is malformed.
    static func badRequest(_ message: String) -> PatchError {
        PatchError(
            status: KubeStatus(code: 400, reason: "BadRequest", message: message, details: .null),
            detail: message
        )
    }

    /// The patch does not fit the object: the real server hides the cause behind a general sentence.
    static func unprocessable(_ detail: String) -> PatchError {
        PatchError(
            status: KubeStatus(
                code: 422,
                reason: "Invalid",
                message: "the server rejected our request due to an error in our request"
            ),
            detail: detail
        )
    }

    static func tooLarge(_ message: String) -> PatchError {
        PatchError(
            status: KubeStatus(
                code: 413,
                reason: "RequestEntityTooLarge",
                message: "Request entity too large: \(message)"
            ),
            detail: message
        )
    }

    /// The real server lets some errors of strategic merge patches through as 500 without a reason.
    static func unexpected(_ message: String) -> PatchError {
        PatchError(status: KubeStatus(code: 500, reason: "", message: message), detail: message)
    }

    /// The patched object does not decode, or strict field validation found something in it.
    ///
    /// `value` is what the server shows: the patched object's JSON text, or for a strategic merge patch its ``JSON/goText``.
    package static func invalidResult(_ value: String, _ problem: String) -> PatchError {
        let message = "Invalid value: \(JSON.string(value).text): \(problem)"
        return PatchError(
            status: KubeStatus(
                code: 422,
                reason: "Invalid",
                message: " \"\" is invalid: patch: \(message)",
                causes: [KubeStatus.Cause(reason: "FieldValueInvalid", message: message, field: "patch")]
            ),
            detail: problem
        )
    }
}
