// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Why what is awaited does not come, with a stable number, what was seen, and what to do next.
package struct Diagnosis: Sendable, Hashable, CustomStringConvertible {
    /// Numbers never change their meaning: 1xx image, 2xx container, 3xx probe, 4xx cluster, 5xx time.
    package enum Code: Int, Sendable, CaseIterable {
        case imageMissing = 101
        case registryDenies = 102
        case imageNameInvalid = 103
        case imagePullFails = 104
        case imageNeverPulled = 105
        case signatureInvalid = 106
        case rateLimited = 107
        case registryUntrusted = 108
        case nodeDiskFull = 109
        case crashLoop = 201
        case outOfMemory = 202
        case cannotStart = 203
        case configurationMissing = 204
        case wrongArchitecture = 205
        case initFails = 206
        case evicted = 207
        case hookFails = 208
        case jobFails = 209
        case mustNotBeRoot = 210
        case readinessFails = 301
        case livenessFails = 302
        case startupFails = 303
        case readinessGateOpen = 304
        case podsRefused = 401
        case unschedulable = 402
        case volumeFails = 403
        case sandboxFails = 404
        case deploymentPaused = 405
        case deploymentGone = 406
        case takenOver = 407
        case quotaExceeded = 408
        case admissionDenied = 409
        case claimPending = 410
        case nodeGone = 411
        case objectFails = 412
        case serviceAccountMissing = 413
        case limitsViolated = 414
        case priorityClassMissing = 415
        case runtimeClassMissing = 416
        case webhookSilent = 417
        case nodeRefuses = 418
        case deadline = 501
        case unreachable = 502
        case jobTooSlow = 503
        case initTooSlow = 504
        case pullTooSlow = 505

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

        /// Whether the container's last lines may tell more.
        var isOfAProgram: Bool {
            switch self {
            case .configurationMissing, .evicted, .mustNotBeRoot, .readinessGateOpen: false
            case .initTooSlow: true
            default: [2, 3].contains(rawValue / 100)
            }
        }

        /// What the caller can act on: time ran out, or something is broken.
        var failure: Failure.Code {
            switch self {
            case .takenOver: .conflict
            case .unreachable: .unavailable
            case .readinessFails, .startupFails, .readinessGateOpen, .deadline, .jobTooSlow, .initTooSlow, .pullTooSlow:
                .deadlineExceeded
            default: .fault
            }
        }
    }

    package var code: Code
    /// Lower case: "the container 'cart' ended with exit code 1, 3 times".
    package var cause: String
    package var advice: String
    /// The awaited object it is about.
    package var object: ObjectReference?
    /// The pod it was seen on.
    package var pod: String?
    /// Its container.
    package var container: String?

    package init(
        code: Code,
        cause: String,
        advice: String,
        object: ObjectReference? = nil,
        pod: String? = nil,
        container: String? = nil
    ) {
        self.code = code
        self.cause = cause
        self.advice = advice
        self.object = object
        self.pod = pod
        self.container = container
    }

    package var description: String { "B\(code.rawValue) \(cause); \(advice)" }
}
