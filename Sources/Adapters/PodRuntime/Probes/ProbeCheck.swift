// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Carries out one run of a probe; the words of its failures are the kubelet's.
struct ProbeCheck: Sendable {
    let services: PodServices
    let container: RunningContainer
    let spec: ContainerSpec
    let address: String
    let settings: ProbeSettings

    func run(_ probe: JSON) async -> ProbeOutcome {
        if let command = probe[path: "exec", "command"]?.array?.compactMap(\.string) { return await exec(command) }
        if let get = probe["httpGet"] { return await http(get) }
        if let socket = probe["tcpSocket"] { return await tcp(socket) }
        if let call = probe["grpc"] { return await grpc(call) }
        return .unknown("missing probe handler for \(spec.name)")
    }

    private func exec(_ command: [String]) async -> ProbeOutcome {
        do {
            let outcome = try await ContainerExec(services: services, container: container)
                .run(command, timeout: settings.timeout)
            guard let code = outcome.code else {
                let words = command.joined(separator: " ")
                return .failure("command timed out: \"\(words)\" timed out after \(settings.timeout.goText)")
            }
            return code == 0 ? .success : .failure(outcome.output)
        } catch {
            return .unknown("OCI runtime exec failed: \(error)")
        }
    }

    private func http(_ get: JSON) async -> ProbeOutcome {
        guard let port = ProbePort.resolve(get["port"], in: spec) else { return .unknown("invalid port number") }
        if let refusal = refusal(of: get["host"]) { return refusal }
        let request = ProbeRequest(get, address: address, port: port)
        do {
            let code = try await request.statusCode(timeout: settings.timeout, clock: services.clock)
            return (200..<400).contains(code) ? .success : .failure("HTTP probe failed with statuscode: \(code)")
        } catch {
            return .failure("Get \"\(request.url)\": \(error)")
        }
    }

    private func tcp(_ socket: JSON) async -> ProbeOutcome {
        guard let port = ProbePort.resolve(socket["port"], in: spec) else { return .unknown("invalid port number") }
        if let refusal = refusal(of: socket["host"]) { return refusal }
        do {
            try await ProbeConnection(address: address, port: port).open(timeout: settings.timeout)
            return .success
        } catch {
            return .failure("\(error)")
        }
    }

    private func grpc(_ call: JSON) async -> ProbeOutcome {
        guard let port = call["port"]?.int else { return .unknown("invalid port number") }
        let health = HealthCall(address: address, port: port, service: call["service"]?.string ?? "")
        return await health.run(timeout: settings.timeout, clock: services.clock)
    }

    /// A probe of another host would let a pod have this machine ask its own services.
    private func refusal(of host: JSON?) -> ProbeOutcome? {
        guard let host = host?.string, !host.isEmpty, host != address else { return nil }
        return .unknown("probes of other hosts than the pod are not allowed on this node")
    }
}

/// A port by number or by the name that the container gives it.
enum ProbePort {
    static func resolve(_ port: JSON?, in spec: ContainerSpec) -> Int? {
        if let number = port?.int { return (1..<65536).contains(number) ? number : nil }
        guard let name = port?.string else { return nil }
        let named = spec.json["ports"]?.array?.first { $0["name"]?.string == name }
        return named?["containerPort"]?.int ?? Int(name)
    }
}
