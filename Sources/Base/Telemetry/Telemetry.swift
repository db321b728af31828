// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Logging
import Metrics

/// Where a component reports what happens: a logger and counters under one label.
package struct Telemetry: Sendable {
    package var log: Logger

    package init(_ label: String, log: Logger? = nil) {
        self.log = log ?? Logger(label: label)
    }

    /// The same destination under another label, for a part of a component.
    package func scoped(_ label: String) -> Telemetry {
        var scoped = self
        scoped.log[metadataKey: "part"] = "\(label)"
        return scoped
    }

    package func emit(_ event: some TelemetryEvent) { event.record(on: self) }

    package func count(_ name: String, by labels: [String: String] = [:]) {
        Counter(label: "ballast_\(name)", dimensions: labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            .increment()
    }
}

/// Something worth a log line and a count; one type per event, so that the two never drift apart.
package protocol TelemetryEvent: Sendable {
    func record(on telemetry: Telemetry)
}
