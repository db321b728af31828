// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Telemetry

/// Says once per object what the proxy cannot honour: as an Event beside the object, and in the log.
struct ProxyNotices {
    private let api: any ClusterAPI
    private let telemetry: Telemetry
    private var said: Set<ProxyWarning> = []
    private var seen: [ProxyWarning: ContinuousClock.Instant] = [:]

    /// What holds shorter is an Ingress that was heard of before its Service, and nobody's mistake.
    private static let patience = Duration.seconds(2)

    init(api: any ClusterAPI, telemetry: Telemetry) {
        self.api = api
        self.telemetry = telemetry
    }

    /// Takes note of what cannot be honoured now, and reports what has held for a while; one that went away is reported
    /// again when it comes back.
    mutating func observe(_ warnings: [ProxyWarning], at now: ContinuousClock.Instant) async {
        let present = Set(warnings)
        said.formIntersection(present)
        seen = seen.filter { present.contains($0.key) }
        for warning in warnings where seen[warning] == nil { seen[warning] = now }
        for warning in warnings where !said.contains(warning) && now - (seen[warning] ?? now) >= Self.patience {
            said.insert(warning)
            telemetry.emit(ProxyRefused(warning: warning))
            // The event is for people; the cluster may be too busy for it.
            _ = try? await api.create(ProxyEvent(warning).object, as: .events)
        }
    }

    /// Whether something waits to be reported.
    var isWaiting: Bool { seen.keys.contains { !said.contains($0) } }
}

/// Something in the cluster asks for what the proxy does not do.
struct ProxyRefused: TelemetryEvent {
    let warning: ProxyWarning

    func record(on telemetry: Telemetry) {
        telemetry.log.warning(
            "the proxy does not do what an object asks for",
            metadata: [
                "object": "\(warning.subject)/\(warning.namespace)/\(warning.name)", "reason": "\(warning.reason)",
                "message": "\(warning.message)",
            ]
        )
        telemetry.count("proxy_refusals_total", by: ["reason": warning.reason])
    }
}
