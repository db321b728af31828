// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import KubernetesClient
import Model
import Ports

/// Creates ConfigMaps in any cluster, with several clients at once, and tells how fast it answered.
///
/// `ClusterLoad KUBECONFIG NAMESPACE COUNT CLIENTS`; the namespace must exist. Each ConfigMap holds 1 KiB.
@main
struct ClusterLoad {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 4, let count = Int(arguments[3]), let clients = Int(arguments[4]),
            count > 0, clients > 0
        else {
            throw Failure(.invalidInput, "usage: ClusterLoad KUBECONFIG NAMESPACE COUNT CLIENTS")
        }
        let client = try KubernetesClient(KubeConfig.load(path: arguments[1]))
        let load = ClusterLoad(client: client, namespace: arguments[2])
        let clock = ContinuousClock()
        let started = clock.now
        let latencies = try await load.create(count, clients: clients).sorted()
        let elapsed = (clock.now - started) / .seconds(1)
        print("creates: \(Int(Double(count) / elapsed))/s, \(count) ConfigMaps of 1 KiB by \(clients) clients")
        print("create p50: \(latencies[count / 2] / .milliseconds(1)) ms")
        print("create p99: \(latencies[count * 99 / 100] / .milliseconds(1)) ms")
        await client.shutdown()
    }

    let client: KubernetesClient
    let namespace: String

    /// Each client creates its share, one after the other; the answer is how long each request took.
    private func create(_ count: Int, clients: Int) async throws -> [Duration] {
        try await withThrowingTaskGroup(of: [Duration].self) { group in
            for share in 0..<clients {
                group.addTask {
                    var latencies: [Duration] = []
                    for number in stride(from: share, to: count, by: clients) {
                        latencies.append(try await ContinuousClock().measure { try await create(number) })
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func create(_ number: Int) async throws {
        var object = KubeObject(.configMaps, namespace: namespace, name: "load-\(number)", labels: ["app": "load"])
        object["data"] = ["text": .string(String(repeating: "x", count: 1024))]
        _ = try await client.create(object, as: .configMaps)
    }
}
