// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Runs a postStart or preStop hook.
struct LifecycleHandler: Sendable {
    let services: PodServices
    let container: RunningContainer
    let address: String

    /// Runs the hook to its end, at most for `timeout`; returns what went wrong.
    func run(_ hook: JSON, timeout: Duration) async -> String? {
        do {
            if let command = hook[path: "exec", "command"]?.array?.compactMap(\.string) {
                let outcome = try await ContainerExec(services: services, container: container)
                    .run(command, timeout: timeout)
                guard let code = outcome.code else { return "command '\(command.joined(separator: " "))' timed out" }
                guard code != 0 else { return nil }
                return "command '\(command.joined(separator: " "))' exited with \(code): \(outcome.output)"
            }
            if let seconds = hook[path: "sleep", "seconds"]?.int {
                try await services.clock.sleep(for: min(timeout, .seconds(seconds)))
                return nil
            }
            return "the hook is of a kind that this node does not run"
        } catch {
            return "\(error)"
        }
    }
}
