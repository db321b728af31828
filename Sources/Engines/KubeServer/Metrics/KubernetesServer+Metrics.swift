// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Synchronization

/// What pods and nodes use, as `metrics.k8s.io` shows it: made anew with each sample, never stored.
final class UsageBook: Sendable {
    static let prefix = "/metrics/"
    /// What the OpenAPI documents say of its objects.
    static let schema: JSON = {
        let amounts: JSON = ["type": "object", "additionalProperties": ["type": "string"]]
        let container: JSON = ["type": "object", "properties": ["name": ["type": "string"], "usage": amounts]]
        return [
            "type": "object",
            "properties": [
                "timestamp": ["type": "string", "format": "date-time"], "window": ["type": "string"], "usage": amounts,
                "containers": ["type": "array", "items": container],
            ],
        ]
    }()

    private struct Reading {
        var time: Timestamp
        var processorTime: Duration
    }

    private struct State {
        var readings: [String: Reading] = [:]
        /// Sorted by key.
        var objects: [(key: String, value: [UInt8])] = []
    }

    private let state = Mutex(State())

    func objects(_ prefix: String, after: String?) -> [(key: String, value: [UInt8])] {
        state.withLock { $0.objects.filter { $0.key.hasPrefix(prefix) && $0.key > after ?? "" } }
    }

    func object(_ key: String) -> [UInt8]? { state.withLock { $0.objects.first { $0.key == key }?.value } }

    /// Takes in a sample; `pods` are those stored. What was not there in the sample before shows up with the next one.
    func note(_ usage: NodeUsage, pods: [JSON], at now: Timestamp) {
        state.withLock { state in
            var readings: [String: Reading] = [:]
            var objects: [(key: String, value: [UInt8])] = []
            let known = state.readings
            /// The share of a processor used since the reading before.
            func rate(_ id: String, _ used: ResourceUsage) -> (cores: Double, window: Duration)? {
                readings[id] = Reading(time: now, processorTime: used.processorTime)
                guard let before = known[id], now > before.time else { return nil }
                let window = now - before.time
                let spent = used.processorTime - before.processorTime
                return (max(0, spent / window), window)
            }
            for pod in pods {
                guard let object = Self.metrics(of: pod, usage, at: now, rate) else { continue }
                let metadata = pod["metadata"] ?? [:]
                let name = "\(metadata["namespace"]?.string ?? "")/\(metadata["name"]?.string ?? "")"
                objects.append(("\(Self.prefix)pods/\(name)", StoredJSON(object).bytesWithoutRevision))
            }
            if let (cores, window) = rate("machine", usage.machine) {
                var object: JSON = ["metadata": ["name": .string(usage.node)]]
                Self.stamp(&object, now, window)
                object["usage"] = Self.amounts(cores, usage.machine.memory)
                objects.append(("\(Self.prefix)nodes/\(usage.node)", StoredJSON(object).bytesWithoutRevision))
            }
            state.readings = readings
            state.objects = objects.sorted { $0.key < $1.key }
        }
    }

    private static func metrics(
        of pod: JSON,
        _ usage: NodeUsage,
        at now: Timestamp,
        _ rate: (String, ResourceUsage) -> (cores: Double, window: Duration)?
    ) -> JSON? {
        guard pod[path: "spec", "nodeName"]?.string == usage.node else { return nil }
        let lists = ["initContainerStatuses", "containerStatuses"].flatMap { pod[path: "status", $0]?.array ?? [] }
        var (containers, longest, isWhole): ([JSON], Duration, Bool) = ([], .zero, true)
        for status in lists {
            guard status[path: "state", "running"] != nil, let text = status["containerID"]?.string,
                let id = text.firstRange(of: "://").map({ String(text[$0.upperBound...]) }),
                let used = usage.containers[id]
            else { continue }
            guard let (cores, window) = rate(id, used) else {
                isWhole = false
                continue
            }
            longest = max(longest, window)
            containers.append(["name": status["name"] ?? "", "usage": amounts(cores, used.memory)])
        }
        guard isWhole, !containers.isEmpty else { return nil }
        var object: JSON = ["metadata": [:]]
        for member in ["name", "namespace", "labels"] {
            if let value = pod[path: "metadata", member] { object.set(value, at: ["metadata", member]) }
        }
        stamp(&object, now, longest)
        object["containers"] = .array(containers)
        return object
    }

    private static func stamp(_ object: inout JSON, _ now: Timestamp, _ window: Duration) {
        object.set(.string(now.description), at: ["metadata", "creationTimestamp"])
        object["timestamp"] = .string(now.description)
        let milliseconds = Int(window / .milliseconds(1))
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        let digits = String(rest + 1000).dropFirst()
        object["window"] = .string(rest == 0 ? "\(seconds)s" : "\(seconds).\(digits)s")
    }

    private static func amounts(_ cores: Double, _ memory: Int64) -> JSON {
        ["cpu": .string("\(Int64((cores * 1e9).rounded()))n"), "memory": .string("\(memory / 1024)Ki")]
    }
}

extension KubernetesServer {
    static let samplingInterval = Duration.seconds(15)

    /// Asks the node what its containers have used.
    func sampleUsage() async {
        guard configuration.servesMetrics, let usage = await nodeAgent?.usage(),
            let resource = catalog.resource(of: .pods), let stored = try? log.list(prefix: resource.prefix).items
        else { return }
        let pods = stored.compactMap { try? StoredJSON.parse($0.value, as: nil) }
        usageBook.note(usage, pods: pods, at: clock.now)
    }
}
