// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Why a rollout does not get on, with a stable number, what was seen, and what to do next.
package struct Diagnosis: Sendable, Hashable, CustomStringConvertible {
    /// Numbers never change their meaning: 1xx image, 2xx container, 3xx probe, 4xx cluster, 5xx time.
    package enum Code: Int, Sendable, CaseIterable {
        case imageMissing = 101
        case registryDenies = 102
        case imageNameInvalid = 103
        case imagePullFails = 104
        case crashLoop = 201
        case outOfMemory = 202
        case cannotStart = 203
        case configurationMissing = 204
        case wrongArchitecture = 205
        case readinessFails = 301
        case livenessFails = 302
        case startupFails = 303
        case podsRefused = 401
        case unschedulable = 402
        case volumeFails = 403
        case sandboxFails = 404
        case deploymentPaused = 405
        case deploymentGone = 406
        case takenOver = 407
        case deadline = 501
        case unreachable = 502

        /// Of a probe's event, such as "Liveness probe failed: …".
        init(probeMessage: String) {
            self =
                if probeMessage.hasPrefix("Liveness") {
                    .livenessFails
                } else if probeMessage.hasPrefix("Startup") {
                    .startupFails
                } else {
                    .readinessFails
                }
        }

        /// What the caller can act on: time ran out, or something is broken.
        var failure: Failure.Code {
            switch self {
            case .takenOver: .conflict
            case .unreachable: .unavailable
            case .readinessFails, .startupFails, .deadline: .deadlineExceeded
            default: .fault
            }
        }
    }

    package var code: Code
    /// Lower case: "the container 'cart' ended with exit code 1, 3 times".
    package var cause: String
    package var advice: String
    /// The pod it was seen on.
    package var pod: String?
    /// Its container.
    package var container: String?

    package var description: String { "B\(code.rawValue) \(cause); \(advice)" }
}
