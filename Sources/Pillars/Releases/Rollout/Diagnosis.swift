// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Why a rollout does not get on, with a stable number, what was seen, and what to do next.
package struct Diagnosis: Sendable, Hashable, CustomStringConvertible {
    /// Numbers never change their meaning: 1xx image, 2xx container, 3xx probe, 4xx cluster, 5xx time.
    package enum Code: Int, Sendable, CaseIterable {
        case imageMissing = 101
        case registryDenies = 102
        case imageNameInvalid = 103
        case imagePullFails = 104
        case crashLoop = 201
        case outOfMemory = 202
        case cannotStart = 203
        case configurationMissing = 204
        case wrongArchitecture = 205
        case readinessFails = 301
        case livenessFails = 302
        case startupFails = 303
        case podsRefused = 401
        case unschedulable = 402
        case volumeFails = 403
        case sandboxFails = 404
        case deadline = 501
    }

    package var code: Code
    /// Lower case: "the container 'cart' ended with exit code 1, 3 times".
    package var cause: String
    package var advice: String
    /// The pod it was seen on.
    package var pod: String?
    /// Its container.
    package var container: String?

    package var description: String { "B\(code.rawValue) \(cause); \(advice)" }
}

/// Reads causes off a rollout's pods. Knows no clock and no cluster.
package enum Diagnoser {
    /// A cause and how long it may be seen before it counts: slow nodes and flaky registries deserve patience.
    package struct Finding: Sendable, Hashable {
        package var diagnosis: Diagnosis
        package var grace: Duration
    }

    /// The gravest finding on pods of the new revision, or on what should have created them; `nil` where all looks well.
    package static func finding(in view: RolloutView) -> Finding? {
        if let refused = refusal(view) { return refused }
        return view.pods.lazy.compactMap { finding(on: $0, view) }.first
    }

    private static func refusal(_ view: RolloutView) -> Finding? {
        let sources = [view.replicaSet, view.deployment].compactMap { $0 }
        for source in sources {
            guard let condition = source.condition("ReplicaFailure"), condition["status"]?.string == "True" else {
                continue
            }
            let message = condition["message"]?.string ?? "no reason given"
            return Finding(
                diagnosis: Diagnosis(
                    code: .podsRefused,
                    cause: "the cluster refuses to create pods: \(message)",
                    advice: "raise the quota or correct what the message names"
                ),
                grace: .seconds(5)
            )
        }
        return nil
    }

    private static func finding(on pod: KubeObject, _ view: RolloutView) -> Finding? {
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod.status[$0]?.array ?? [] }
        for status in statuses {
            if let found = containerFinding(status, pod, view) { return found }
        }
        return schedulingFinding(pod) ?? eventFinding(pod, view)
    }

    private static func containerFinding(_ status: JSON, _ pod: KubeObject, _ view: RolloutView) -> Finding? {
        let name = status["name"]?.string ?? ""
        let waiting = status[path: "state", "waiting"]
        let reason = waiting?["reason"]?.string ?? ""
        let message = waiting?["message"]?.string ?? ""
        func found(_ code: Diagnosis.Code, _ cause: String, _ advice: String, grace: Duration) -> Finding {
            Finding(
                diagnosis: Diagnosis(code: code, cause: cause, advice: advice, pod: pod.name, container: name),
                grace: grace
            )
        }
        switch reason {
        case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError":
            return pullFinding(view.pullMessages[pod.name] ?? message, found)
        case "InvalidImageName":
            return found(
                .imageNameInvalid,
                "the image name is invalid: \(message)",
                "correct image.repository",
                grace: .zero
            )
        case "ErrImageNeverPull":
            return found(.imageMissing, "the image is not on the node: \(message)", "allow pulling it", grace: .zero)
        case "CreateContainerConfigError":
            return found(
                .configurationMissing,
                "the container '\(name)' cannot be set up: \(message)",
                "create what is missing, or correct the reference in the app file",
                grace: .seconds(5)
            )
        case "CreateContainerError", "RunContainerError", "StartError":
            return startFinding(name, message, found)
        case "CrashLoopBackOff":
            return crashFinding(name, status, found)
        default:
            // Two ends in a row say enough before the back-off does.
            return (status["restartCount"]?.int ?? 0) >= 2 ? crashFinding(name, status, found) : nil
        }
    }

    private typealias Make = (Diagnosis.Code, String, String, Duration) -> Finding

    private static func pullFinding(
        _ message: String,
        _ found: (Diagnosis.Code, String, String, Duration) -> Finding
    ) -> Finding {
        let lower = message.lowercased()
        if ["unauthorized", "denied", "forbidden", "authentication required", "401", "403"].contains(
            where: lower.contains
        ) {
            return found(
                .registryDenies,
                "the registry refuses the pull: \(message)",
                "check image.credentials and the rights of that account",
                .seconds(5)
            )
        }
        if ["not found", "manifest unknown", "name unknown", "404"].contains(where: lower.contains) {
            return found(
                .imageMissing,
                "the registry does not have the image: \(message)",
                "check image.repository and pullHost",
                .seconds(5)
            )
        }
        return found(
            .imagePullFails,
            "the image cannot be pulled: \(message)",
            "check that nodes reach the registry",
            .seconds(60)
        )
    }

    private static func startFinding(
        _ name: String,
        _ message: String,
        _ found: (Diagnosis.Code, String, String, Duration) -> Finding
    ) -> Finding {
        if message.contains("exec format error") {
            return found(
                .wrongArchitecture,
                "the program of '\(name)' is built for another processor: \(message)",
                "build it for the nodes' architecture",
                .zero
            )
        }
        return found(
            .cannotStart,
            "the container '\(name)' cannot start: \(message)",
            "check entrypoint, files and mounts of the image",
            .seconds(5)
        )
    }

    private static func crashFinding(
        _ name: String,
        _ status: JSON,
        _ found: (Diagnosis.Code, String, String, Duration) -> Finding
    ) -> Finding {
        let ended = status[path: "lastState", "terminated"] ?? status[path: "state", "terminated"] ?? [:]
        let restarts = status["restartCount"]?.int ?? 0
        let code = ended["exitCode"]?.int ?? -1
        if ended["reason"]?.string == "OOMKilled" {
            return found(
                .outOfMemory,
                "the container '\(name)' was killed for using more memory than its limit, \(restarts) times",
                "raise resources.limits.memory or find the leak",
                .zero
            )
        }
        if let message = ended["message"]?.string, message.contains("exec format error") {
            return startFinding(name, message, found)
        }
        let how = code > 128 && code < 160 ? "signal \(code - 128)" : "exit code \(code)"
        return found(
            .crashLoop,
            "the container '\(name)' keeps ending with \(how) (\(restarts) restarts)",
            "see its last lines",
            .zero
        )
    }

    private static func schedulingFinding(_ pod: KubeObject) -> Finding? {
        guard let condition = pod.condition("PodScheduled"), condition["status"]?.string == "False",
            condition["reason"]?.string == "Unschedulable"
        else { return nil }
        let message = condition["message"]?.string ?? ""
        return Finding(
            diagnosis: Diagnosis(
                code: .unschedulable,
                cause: "no node takes the pod: \(message)",
                advice: "lower resources.requests or add nodes",
                pod: pod.name
            ),
            grace: .seconds(60)
        )
    }

    private static func eventFinding(_ pod: KubeObject, _ view: RolloutView) -> Finding? {
        guard
            let event = view.events[pod.name]?.last(where: {
                ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"].contains($0.reason)
            }),
            pod.status["phase"]?.string == "Pending"
        else { return nil }
        let isSandbox = event.reason == "FailedCreatePodSandBox"
        return Finding(
            diagnosis: Diagnosis(
                code: isSandbox ? .sandboxFails : .volumeFails,
                cause: event.message,
                advice: isSandbox ? "check the node's runtime and network" : "check the volume and what it refers to",
                pod: pod.name
            ),
            grace: .seconds(30)
        )
    }
}
