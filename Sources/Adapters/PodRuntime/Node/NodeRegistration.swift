// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Telemetry

/// Keeps the `Node` object and its `Lease` current, so that the cluster knows this node lives.
struct NodeRegistration: Sendable {
    let services: PodServices
    let podCIDR: String
    let runcVersion: String

    private static let leaseNamespace = "kube-node-lease"
    private static let leaseDuration = 40
    private static let renewal: Duration = .seconds(10)
    /// How old a status may grow while nothing changes.
    private static let heartbeat: Duration = .seconds(300)

    private var name: String { services.configuration.nodeName }
    private var reference: ObjectReference { ObjectReference(.nodes, name: name) }

    /// Registers the node; returns once the API has it, or throws on cancellation.
    func register() async throws {
        var wait: Duration = .milliseconds(100)
        while true {
            do {
                return try await writeNode()
            } catch {
                services.telemetry.emit(NodeTrouble(what: "node not registered", subject: name, error: error))
            }
            try await services.clock.sleep(for: wait)
            wait = min(wait * 2, .seconds(5))
        }
    }

    /// Renews lease and status until cancelled.
    func keepCurrent() async {
        var last = Report(time: services.wall.now, pressures: Pressures.read(services.folders.data))
        while !Task.isCancelled {
            do {
                try await renew(&last)
            } catch {
                services.telemetry.emit(NodeTrouble(what: "node not renewed", subject: name, error: error))
            }
            try? await services.clock.sleep(for: Self.renewal)
        }
    }

    /// When the status was written last, and what it said that may change.
    struct Report: Sendable {
        var time: Timestamp
        var pressures: Pressures
    }

    /// Renews the lease, and the status where it is old or wrong. After a pause of this machine the cluster has written
    /// the node off, and it is for the node to say that it is back.
    func renew(_ last: inout Report) async throws {
        try await renewLease()
        let now = services.wall.now
        let current = Pressures.read(services.folders.data)
        let isReady = try await services.api.find(reference)?.condition("Ready")?["status"] == "True"
        guard !isReady || current != last.pressures || now - last.time >= Self.heartbeat else { return }
        try await writeNode()
        last = Report(time: now, pressures: current)
    }

    // MARK: Node

    private func writeNode() async throws {
        var known = try await services.api.find(reference)
        if let other = known?.spec["podCIDR"]?.string, !other.isEmpty, !podCIDR.isEmpty, other != podCIDR {
            // A node's range is given once; with another one it is another node.
            try await services.api.delete(reference)
            known = nil
        }
        if known == nil { _ = try await services.api.create(object, as: .nodes) }
        let previous = known?.status ?? [:]
        let body: JSON = ["metadata": ["labels": JSON(labels)], "spec": spec]
        if known != nil { _ = try await services.api.patch(reference, .merge, body) }
        let status = status(previous: previous, at: services.wall.now)
        _ = try await services.api.patch(
            reference,
            subresource: "status",
            .merge,
            ["status": status],
            options: WriteOptions()
        )
        if known == nil || previous["nodeInfo"]?["bootID"] != status["nodeInfo"]?["bootID"] { announce() }
    }

    private func announce() {
        let subject = KubeObject([
            "apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(name), "uid": .string(name)],
        ])
        services.events.record(
            PodEvent(.normal, "Starting", "Starting kubelet."),
            about: subject,
            at: services.wall.now
        )
    }

    private var labels: [String: String] {
        [
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
            "kubernetes.io/arch": services.machine.architecture,
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": services.machine.architecture,
        ]
    }

    private var object: KubeObject {
        var node = KubeObject(.nodes, name: name, labels: labels)
        node["spec"] = spec
        return node
    }

    private var spec: JSON {
        podCIDR.isEmpty ? [:] : ["podCIDR": .string(podCIDR), "podCIDRs": [.string(podCIDR)]]
    }

    private func status(previous: JSON, at now: Timestamp) -> JSON {
        let machine = services.machine
        let capacity: JSON = [
            "cpu": "\(machine.cores)", "memory": "\(machine.memory / 1024)Ki",
            "ephemeral-storage": "\(Pressures.diskSize(services.folders.data) / 1024)Ki",
            "pods": "\(services.configuration.maximumPods)",
        ]
        return [
            "capacity": capacity, "allocatable": capacity,
            "conditions": .array(conditions(previous["conditions"]?.array ?? [], at: now)),
            "addresses": [
                ["type": "InternalIP", "address": .string(services.hostAddress)],
                ["type": "Hostname", "address": .string(name)],
            ],
            "nodeInfo": [
                "machineID": .string(machine.machineID), "systemUUID": .string(machine.machineID),
                "bootID": .string(machine.bootID), "kernelVersion": .string(machine.kernel),
                "osImage": .string(machine.osImage), "containerRuntimeVersion": "runc://\(runcVersion)",
                "kubeletVersion": .string(services.configuration.kubeletVersion), "kubeProxyVersion": "",
                "operatingSystem": "linux", "architecture": .string(machine.architecture),
            ],
        ]
    }

    /// One condition of the node: what the kubelet says while it holds and while it does not.
    private struct Rule {
        var type: String
        var holds: (reason: String, message: String)
        var fails: (reason: String, message: String)
    }

    private static let rules = [
        Rule(
            type: "MemoryPressure",
            holds: ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
            fails: ("KubeletHasSufficientMemory", "kubelet has sufficient memory available")
        ),
        Rule(
            type: "DiskPressure",
            holds: ("KubeletHasDiskPressure", "kubelet has disk pressure"),
            fails: ("KubeletHasNoDiskPressure", "kubelet has no disk pressure")
        ),
        Rule(
            type: "PIDPressure",
            holds: ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
            fails: ("KubeletHasSufficientPID", "kubelet has sufficient PID available")
        ),
        Rule(
            type: "Ready",
            holds: ("KubeletReady", "kubelet is posting ready status"),
            fails: ("KubeletNotReady", "kubelet is not posting ready status")
        ),
    ]

    private func conditions(_ previous: [JSON], at now: Timestamp) -> [JSON] {
        let pressures = Pressures.read(services.folders.data)
        let holding = Set(
            ["Ready"] + (pressures.memory ? ["MemoryPressure"] : []) + (pressures.disk ? ["DiskPressure"] : [])
        )
        return Self.rules.map { rule in
            let isTrue = holding.contains(rule.type)
            let (reason, message) = isTrue ? rule.holds : rule.fails
            let status: JSON = isTrue ? "True" : "False"
            let old = previous.first { $0["type"]?.string == rule.type }
            let since = old?["status"] == status ? old?["lastTransitionTime"] : nil
            return [
                "type": .string(rule.type), "status": status, "lastHeartbeatTime": .string(now.description),
                "lastTransitionTime": since ?? .string(now.description), "reason": .string(reason),
                "message": .string(message),
            ]
        }
    }

    // MARK: Lease

    private func renewLease() async throws {
        let now = services.wall.now.microText
        let lease = ObjectReference(.leases, namespace: Self.leaseNamespace, name: name)
        do {
            _ = try await services.api.patch(lease, .merge, ["spec": ["renewTime": .string(now)]])
        } catch let failure as Failure where failure.code == .notFound {
            try await createLease(now)
        }
    }

    private func createLease(_ now: String) async throws {
        var lease = KubeObject(.leases, namespace: Self.leaseNamespace, name: name)
        lease["spec"] = [
            "holderIdentity": .string(name), "leaseDurationSeconds": JSON(Self.leaseDuration),
            "renewTime": .string(now),
        ]
        if let node = try await services.api.find(reference) {
            lease.json.set(
                [["apiVersion": "v1", "kind": "Node", "name": .string(name), "uid": .string(node.uid)]],
                at: ["metadata", "ownerReferences"]
            )
        }
        do {
            _ = try await services.api.create(lease, as: .leases)
        } catch let failure as Failure where failure.code == .notFound {
            _ = try await services.api.create(KubeObject(.namespaces, name: Self.leaseNamespace), as: .namespaces)
            _ = try await services.api.create(lease, as: .leases)
        }
    }
}

/// Where the machine runs short, by the kubelet's thresholds.
struct Pressures: Equatable {
    /// Less than 100 MiB left.
    var memory: Bool
    /// Less than a tenth of the disk left.
    var disk: Bool

    static func read(_ folder: String) -> Pressures {
        var disk = statvfs()
        let isKnown = unsafe statvfs(folder, &disk) == 0 && disk.f_blocks > 0
        return Pressures(
            memory: availableMemory().map { $0 < 100 << 20 } ?? false,
            disk: isKnown && disk.f_bavail * 10 < disk.f_blocks
        )
    }

    static func diskSize(_ folder: String) -> Int64 {
        var disk = statvfs()
        guard unsafe statvfs(folder, &disk) == 0 else { return 0 }
        return Int64(disk.f_blocks) * Int64(disk.f_frsize)
    }

    private static func availableMemory() -> Int64? {
        let text = (try? FileText.read("/proc/meminfo")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int64($0) }.map { $0 * 1024 }
    }
}
