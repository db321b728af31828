// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// An error of the OCI distribution specification: its code, a sentence, and the HTTP status that goes with the code.
package struct RegistryError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case blobUnknown = "BLOB_UNKNOWN"
        case blobUploadInvalid = "BLOB_UPLOAD_INVALID"
        case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
        case digestInvalid = "DIGEST_INVALID"
        case manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
        case manifestInvalid = "MANIFEST_INVALID"
        case manifestUnknown = "MANIFEST_UNKNOWN"
        case nameInvalid = "NAME_INVALID"
        case nameUnknown = "NAME_UNKNOWN"
        case sizeInvalid = "SIZE_INVALID"
        case unsupported = "UNSUPPORTED"
        case tooManyRequests = "TOOMANYREQUESTS"
        // Not in the specification; the names that the distribution project's registry uses.
        case tagInvalid = "TAG_INVALID"
        case rangeInvalid = "RANGE_INVALID"
        case paginationNumberInvalid = "PAGINATION_NUMBER_INVALID"
        case unknown = "UNKNOWN"
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }

    package var status: Int {
        switch code {
        case .blobUnknown, .blobUploadUnknown, .manifestUnknown, .nameUnknown: 404
        case .unsupported: 405
        case .rangeInvalid: 416
        case .tooManyRequests: 429
        case .unknown: 500
        default: 400
        }
    }

    /// The body that the specification asks for.
    package var body: JSON {
        ["errors": [["code": .string(code.rawValue), "message": .string(message), "detail": .null]]]
    }
}
