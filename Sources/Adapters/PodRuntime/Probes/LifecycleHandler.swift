// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Runs a postStart or preStop hook.
struct LifecycleHandler: Sendable {
    let services: PodServices
    let container: RunningContainer
    let spec: ContainerSpec
    let address: String

    /// Runs the hook to its end, at most for `timeout`; returns what went wrong.
    func run(_ hook: JSON, timeout: Duration) async -> String? {
        do {
            if let command = hook[path: "exec", "command"]?.array?.compactMap(\.string) {
                return try await exec(command, timeout: timeout)
            }
            if let seconds = hook[path: "sleep", "seconds"]?.int {
                try await services.clock.sleep(for: min(timeout, .seconds(seconds)))
                return nil
            }
            if let get = hook["httpGet"] { return await http(get, timeout: timeout) }
            return "the hook is of a kind that this node does not run"
        } catch {
            return "\(error)"
        }
    }

    private func exec(_ command: [String], timeout: Duration) async throws -> String? {
        let outcome = try await ContainerExec(services: services, container: container).run(command, timeout: timeout)
        let words = command.joined(separator: " ")
        guard let code = outcome.code else { return "command '\(words)' timed out after \(timeout.goText)" }
        return code == 0 ? nil : "command '\(words)' exited with \(code): \(outcome.output)"
    }

    private func http(_ get: JSON, timeout: Duration) async -> String? {
        guard let port = ProbePort.resolve(get["port"] ?? 80, in: spec) else { return "invalid port" }
        if let host = get["host"]?.string, !host.isEmpty, host != address {
            return "hooks that call other hosts than the pod are not allowed on this node"
        }
        let request = ProbeRequest(get, address: address, port: port)
        do {
            let code = try await request.statusCode(timeout: min(timeout, .seconds(30)), clock: services.clock)
            return code < 400 ? nil : "Get \"\(request.url)\" answered with status \(code)"
        } catch {
            return "Get \"\(request.url)\": \(error)"
        }
    }
}
