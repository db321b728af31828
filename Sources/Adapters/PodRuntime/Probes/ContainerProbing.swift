// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Keeps one container's probes going until it is cancelled: the startup probe first, then the others side by side.
struct ContainerProbing: Sendable {
    let services: PodServices
    let pod: PodSpec
    let spec: ContainerSpec
    let container: RunningContainer
    let address: String
    /// Called with every change of a verdict.
    let report: @Sendable (ProbeKind, _ succeeds: Bool) -> Void

    func run() async {
        if spec.probe(.startup) != nil, await follow(.startup, untilVerdict: true) != true { return }
        await withTaskGroup { group in
            for kind in [ProbeKind.liveness, .readiness] where spec.probe(kind) != nil {
                group.addTask { _ = await follow(kind, untilVerdict: false) }
            }
            await group.waitForAll()
        }
    }

    /// Runs one probe over and over; with `untilVerdict` only until its first verdict, which it returns.
    private func follow(_ kind: ProbeKind, untilVerdict: Bool) async -> Bool? {
        guard let probe = spec.probe(kind) else { return nil }
        let settings = ProbeSettings(probe)
        let check = ProbeCheck(
            services: services,
            container: container,
            spec: spec,
            address: address,
            settings: settings
        )
        var machine = ProbeMachine(settings)
        let delay = settings.initialDelay - (services.wall.now - container.startedAt)
        guard await pause(delay) else { return nil }
        var wait = settings.period
        var isEager = kind != .liveness && probe["exec"] == nil
        while !Task.isCancelled {
            var outcome = await check.run(probe)
            if isEager, outcome != .success { (outcome, wait) = await retry(check, probe, outcome, settings) }
            isEager = false
            guard !Task.isCancelled else { return nil }
            complain(kind, outcome)
            if let verdict = machine.observe(outcome) {
                report(kind, verdict)
                if untilVerdict { return verdict }
                // A container that is about to be ended needs no further probes.
                if kind == .liveness, !verdict { return verdict }
            }
            guard await pause(wait) else { return nil }
            wait = settings.period
        }
        return nil
    }

    /// Tries again and again within the first period, until it goes well.
    private func retry(
        _ check: ProbeCheck,
        _ probe: JSON,
        _ first: ProbeOutcome,
        _ settings: ProbeSettings
    ) async -> (ProbeOutcome, wait: Duration) {
        var schedule = EagerSchedule(period: settings.period)
        while let wait = schedule.next() {
            guard await pause(wait) else { break }
            if await check.run(probe) == .success { return (.success, settings.period) }
        }
        return (first, max(.zero, schedule.remainder))
    }

    private func pause(_ duration: Duration) async -> Bool {
        guard duration > .zero else { return !Task.isCancelled }
        return (try? await services.clock.sleep(for: duration)) != nil
    }

    private func complain(_ kind: ProbeKind, _ outcome: ProbeOutcome) {
        let message: String
        switch outcome {
        case .success: return
        case .failure(let words): message = "\(kind.rawValue) probe failed: \(words)"
        case .unknown(let words): message = "\(kind.rawValue) probe errored and resulted in unknown state: \(words)"
        }
        let event = PodEvent(.warning, "Unhealthy", message, container: spec)
        services.events.record(event, about: pod.object, at: services.wall.now)
    }
}
