// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// A pod's state in a few words.
package enum PodWords {
    package static func isReady(_ pod: KubeObject) -> Bool { pod.condition("Ready")?["status"]?.string == "True" }

    /// What keeps a pod from serving, such as "CrashLoopBackOff (exit code 1, 3 restarts)"; `nil` where it serves or is done.
    package static func trouble(of pod: KubeObject) -> String? {
        if pod.isTerminating { return "Terminating" }
        if isReady(pod) || pod.status["phase"]?.string == "Succeeded" { return nil }
        if pod.status["phase"]?.string == "Failed" {
            return pod.status["reason"]?.string ?? "Failed"
        }
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod.status[$0]?.array ?? [] }
        if let words = statuses.lazy.compactMap(trouble(in:)).first { return words }
        if let name = runningInit(of: pod) { return "init container '\(name)' runs" }
        if let scheduled = pod.condition("PodScheduled"), scheduled["status"]?.string == "False" {
            return "\(scheduled["reason"]?.string ?? "not scheduled"): \(scheduled["message"]?.string ?? "")"
        }
        return pod.status["phase"]?.string == "Running"
            ? "running, not ready" : pod.status["phase"]?.string ?? "Pending"
    }

    /// The init container that keeps the others waiting; a side-car stands among them and keeps nobody.
    static func runningInit(of pod: KubeObject) -> String? {
        let sidecars = sidecars(of: pod)
        return (pod.status["initContainerStatuses"]?.array ?? []).lazy
            .filter { $0[path: "state", "running"] != nil }.compactMap { $0["name"]?.string }
            .first { !sidecars.contains($0) }
    }

    /// Init containers that go on beside the others.
    static func sidecars(of pod: KubeObject) -> Set<String> {
        let containers = pod.spec["initContainers"]?.array ?? []
        return Set(containers.filter { $0["restartPolicy"]?.string == "Always" }.compactMap { $0["name"]?.string })
    }

    private static func trouble(in status: JSON) -> String? {
        let restarts = status["restartCount"]?.int ?? 0
        let again = restarts == 0 ? "" : restarts == 1 ? ", 1 restart" : ", \(restarts) restarts"
        if let waiting = status[path: "state", "waiting"] {
            let reason = waiting["reason"]?.string ?? "waiting"
            if let ended = status[path: "lastState", "terminated"] { return "\(reason) (\(end(ended))\(again))" }
            let message = waiting["message"]?.string ?? ""
            return message.isEmpty ? reason : "\(reason): \(message)"
        }
        if let ended = status[path: "state", "terminated"], ended["exitCode"]?.int != 0 { return end(ended) + again }
        return nil
    }

    /// "out of memory", "exit code 3", "signal 9".
    static func end(_ terminated: JSON) -> String {
        if terminated["reason"]?.string == "OOMKilled" { return "out of memory" }
        let code = terminated["exitCode"]?.int ?? -1
        return code > 128 && code < 160 ? "signal \(code - 128)" : "exit code \(code)"
    }
}
