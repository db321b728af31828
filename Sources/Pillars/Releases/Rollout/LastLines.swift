// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// A rollout that came to nothing, and why.
package struct RolloutFailed: Error {
    package var diagnosis: Diagnosis
    /// What the container at fault said last.
    package var lastLines: [String]

    /// For the end of a message; empty where nothing was said.
    package var tail: String {
        guard !lastLines.isEmpty, let pod = diagnosis.pod else { return "" }
        return "\nlast lines of \(pod):\n" + lastLines.map { "  | \($0)" }.joined(separator: "\n")
    }
}

/// Asks a container at fault for what it said last.
struct LastLines {
    let cluster: any ClusterAPI

    private static let count = 10

    /// The lines may show the cause under the cause: a program for another processor does not say so anywhere else.
    func added(to diagnosis: Diagnosis, in targets: [HealthTarget]) async -> RolloutFailed {
        let namespace = diagnosis.object?.namespace ?? targets.first { $0.hasPods }?.reference.namespace
        let lines = await lines(of: diagnosis, namespace)
        var diagnosis = diagnosis
        if [.crashLoop, .initFails, .jobFails].contains(diagnosis.code),
            lines.contains(where: { $0.lowercased().contains("exec format error") })
        {
            diagnosis.code = .wrongArchitecture
            diagnosis.cause = "the program of '\(diagnosis.container ?? "")' is built for another processor"
            diagnosis.advice = "build it for the nodes' architecture"
        }
        return RolloutFailed(diagnosis: diagnosis, lastLines: lines)
    }

    /// Empty where it cannot be asked.
    private func lines(of diagnosis: Diagnosis, _ namespace: String?) async -> [String] {
        guard let pod = diagnosis.pod, let container = diagnosis.container, diagnosis.code.isOfAProgram else {
            return []
        }
        let reference = ObjectReference(.pods, namespace: namespace, name: pod)
        // What runs now is a new try. Of one that is down the last end is the present one: of an earlier one the node may
        // have cleared the lines away.
        let isDown = await isDown(container, of: reference)
        for isPrevious in isDown ? [false, true] : [true, false] {
            var options = LogOptions(container: container)
            options.isPrevious = isPrevious
            options.tailLines = Self.count
            options.limitBytes = 64 << 10
            guard let stream = try? await cluster.logs(reference, options) else { continue }
            var bytes: [UInt8] = []
            do {
                for try await chunk in stream { bytes += chunk }
            } catch {
                continue
            }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            if !lines.isEmpty, !lines[0].hasPrefix(Self.apology) { return lines.suffix(Self.count) }
        }
        return []
    }

    /// What a kubelet says in place of lines it has no more, as if the container had said it.
    private static let apology = "unable to retrieve container logs for "

    private func isDown(_ container: String, of pod: ObjectReference) async -> Bool {
        guard let status = try? await cluster.get(pod, subresource: nil).status else { return false }
        let all = ["containerStatuses", "initContainerStatuses"].flatMap { status[$0]?.array ?? [] }
        guard let found = all.first(where: { $0["name"]?.string == container }) else { return false }
        return found[path: "state", "running"] == nil
    }
}
