// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Telemetry

/// Something that the node could not do, and will try again or leave behind.
struct NodeTrouble: TelemetryEvent {
    /// What was not done: `status not written`.
    let what: String
    /// Which pod, container or object is meant.
    let subject: String
    let error: any Error

    func record(on telemetry: Telemetry) {
        // Whoever stops the node cuts calls short; that is no trouble.
        guard !(error is CancellationError), !((error as? Failure)?.cause is CancellationError) else { return }
        telemetry.log.warning("\(what)", metadata: ["subject": "\(subject)", "error": "\(error)"])
        telemetry.count("node_troubles_total", by: ["what": what])
    }
}
