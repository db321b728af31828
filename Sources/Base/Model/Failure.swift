// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What went wrong, in terms a caller can act on.
///
/// The one error that crosses module borders. Engines and parsers throw small types of their own, which
/// are translated to this one at the module's face.
package struct Failure: Error, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case invalidInput, denied, notFound, conflict, expired, unavailable, deadlineExceeded, fault
    }

    package var code: Code
    /// Lower case, no full stop, no secrets: "release 'cart-42' is already frozen".
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        // An API's status says what the message says already.
        guard let cause = cause.map({ ErrorWords.text(of: $0) }), !message.contains(cause) else { return message }
        return "\(message): \(cause)"
    }
}

extension Failure.Code {
    /// One table for the HTTP status; no other place decides it.
    package var httpStatus: Int {
        switch self {
        case .invalidInput: 400
        case .denied: 403
        case .notFound: 404
        case .conflict: 409
        case .expired: 410
        case .unavailable: 503
        case .deadlineExceeded: 504
        case .fault: 500
        }
    }

    /// The exit code of the command line; 0 is success only.
    package var exitCode: Int32 {
        switch self {
        case .invalidInput: 2
        case .deadlineExceeded: 3
        default: 1
        }
    }
}
