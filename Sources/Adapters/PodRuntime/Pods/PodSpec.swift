// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A pod as the node reads it: typed views over the object.
struct PodSpec: Sendable {
    enum RestartPolicy: String, Sendable {
        case always = "Always"
        case onFailure = "OnFailure"
        case never = "Never"
    }

    let object: KubeObject
    let restartPolicy: RestartPolicy
    /// Initial containers and sidecars in their order, then the regular ones.
    let containers: [ContainerSpec]

    init(_ object: KubeObject) {
        self.object = object
        let spec = object.spec
        restartPolicy = spec["restartPolicy"]?.string.flatMap(RestartPolicy.init) ?? .always
        containers =
            (spec["initContainers"]?.array ?? []).map { ContainerSpec($0, isInitial: true) }
            + (spec["containers"]?.array ?? []).map { ContainerSpec($0, isInitial: false) }
    }

    var namespace: String { object.namespace ?? "default" }
    var name: String { object.name }
    var uid: String { object.uid }
    var reference: ObjectReference { ObjectReference(.pods, namespace: namespace, name: name) }
    var spec: JSON { object.spec }
    var securityContext: JSON { spec["securityContext"] ?? [:] }
    /// `name_namespace(uid)`, as the kubelet's messages name a pod.
    var label: String { "\(name)_\(namespace)(\(uid))" }

    var hostname: String {
        let wanted = spec["hostname"]?.string ?? ""
        return String((wanted.isEmpty ? name : wanted).prefix(63))
    }

    var gracePeriod: Duration { .seconds(spec["terminationGracePeriodSeconds"]?.int ?? 30) }
    var deletionGracePeriod: Duration? { object.metadata["deletionGracePeriodSeconds"]?.int.map { .seconds($0) } }
    var activeDeadline: Duration? { spec["activeDeadlineSeconds"]?.int.map { .seconds($0) } }
    var readinessGates: [String] { spec["readinessGates"]?.array?.compactMap { $0["conditionType"]?.string } ?? [] }
    var imagePullSecrets: [String] { spec["imagePullSecrets"]?.array?.compactMap { $0["name"]?.string } ?? [] }
    var serviceAccount: String { spec["serviceAccountName"]?.string ?? "default" }

    var qualityOfService: String { object.status["qosClass"]?.string ?? QualityOfService.of(self) }
}

/// One container of a pod.
struct ContainerSpec: Sendable {
    enum Role: Sendable {
        /// Runs to its end before what follows it starts.
        case initial
        /// Starts in the order of the initial ones and stays.
        case sidecar
        case regular
    }

    let json: JSON
    let role: Role

    init(_ json: JSON, isInitial: Bool) {
        self.json = json
        role = !isInitial ? .regular : json["restartPolicy"]?.string == "Always" ? .sidecar : .initial
    }

    var name: String { json["name"]?.string ?? "" }
    var image: String { json["image"]?.string ?? "" }
    var securityContext: JSON { json["securityContext"] ?? [:] }
    var command: [String] { json["command"]?.array?.compactMap(\.string) ?? [] }
    var arguments: [String] { json["args"]?.array?.compactMap(\.string) ?? [] }
    /// Somebody may write to its standard input.
    var takesInput: Bool { json["stdin"]?.bool ?? false }
    var takesInputOnce: Bool { json["stdinOnce"]?.bool ?? false }
    var hasTerminal: Bool { json["tty"]?.bool ?? false }
    var postStart: JSON? { json[path: "lifecycle", "postStart"] }
    var preStop: JSON? { json[path: "lifecycle", "preStop"] }
    var terminationMessagePath: String { json["terminationMessagePath"]?.string ?? "/dev/termination-log" }
    var terminationMessageFallsBackToLogs: Bool { json["terminationMessagePolicy"]?.string == "FallbackToLogsOnError" }

    var pullPolicy: ImagePullPolicy {
        if let policy = json["imagePullPolicy"]?.string.flatMap(ImagePullPolicy.init) { return policy }
        guard let reference = ImageReference(image), reference.digest == nil else { return .ifNotPresent }
        return (reference.tag ?? "latest") == "latest" ? .always : .ifNotPresent
    }

    func probe(_ kind: ProbeKind) -> JSON? { json[kind.field] }

    /// An amount in `resources`, such as `limits` of `memory`.
    func amount(_ list: String, _ resource: String) -> Quantity? {
        json[path: "resources", list, resource].flatMap { $0.string ?? $0.int.map(String.init) }.flatMap {
            Quantity($0)
        }
    }
}

enum ProbeKind: String, Sendable, CaseIterable {
    case startup = "Startup"
    case liveness = "Liveness"
    case readiness = "Readiness"

    var field: String { rawValue.lowercased() + "Probe" }
}

/// A pod's class when memory runs short.
enum QualityOfService {
    static func of(_ pod: PodSpec) -> String {
        var isGuaranteed = true
        var isBestEffort = true
        for container in pod.containers {
            for resource in ["cpu", "memory"] {
                let limit = container.amount("limits", resource)
                let request = container.amount("requests", resource) ?? limit
                let hasAny = (limit?.nanos ?? 0) > 0 || (request?.nanos ?? 0) > 0
                if hasAny { isBestEffort = false }
                if limit == nil || limit?.nanos == 0 || limit != request { isGuaranteed = false }
            }
        }
        return isBestEffort ? "BestEffort" : isGuaranteed ? "Guaranteed" : "Burstable"
    }

    /// How readily the kernel ends a container's processes: the kubelet's rule, in parts of the machine's memory.
    static func oomScoreAdjustment(_ container: ContainerSpec, of pod: PodSpec, machineMemory: Int64) -> Int {
        switch pod.qualityOfService {
        case "Guaranteed": return -997
        case "BestEffort": return 1000
        default:
            let request = container.amount("requests", "memory")?.value ?? 0
            let score = 1000 - Int(1000 * request / max(1, machineMemory))
            return min(999, max(2, score))
        }
    }
}
