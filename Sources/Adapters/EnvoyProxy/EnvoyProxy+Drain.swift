// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Ports
import Telemetry

extension EnvoyProxy: EndpointDrain {
    /// Envoy tells when it has taken a configuration without the address; the kernel, when its last connection to the
    /// address has ended: one of the edge's ends with its request, one through a Service's address when its owner likes.
    package func drained(_ address: String, within limit: Duration) async {
        let ports = state.portsInUse(address)
        guard !ports.isEmpty else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await clock.sleep(for: limit) }
            group.addTask {
                await state.waitUntilUnused(address)
                await waitUntilSilent(address, ports)
            }
            await group.next()
            group.cancelAll()
        }
        if !Task.isCancelled, !state.portsInUse(address).isEmpty { telemetry.emit(DrainUnfinished(address: address)) }
    }

    /// Envoy's threads hear of a change a moment after it is acknowledged, later on a busy machine; so one silent moment is
    /// not enough.
    private func waitUntilSilent(_ address: String, _ ports: Set<Int>) async {
        var silences = 0
        while silences < 6, !Task.isCancelled {
            silences = ConnectionTable.isConnected(to: address, ports) ? 0 : silences + 1
            try? await clock.sleep(for: .milliseconds(20))
        }
    }
}

/// A pod ends although requests may still be led to it.
struct DrainUnfinished: TelemetryEvent {
    let address: String

    func record(on telemetry: Telemetry) {
        telemetry.log.warning(
            "a pod ends before envoy has acknowledged that it is gone",
            metadata: ["address": "\(address)"]
        )
        telemetry.count("envoy_drains_unfinished_total")
    }
}
