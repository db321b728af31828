// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides which of a workload's pods go first when there are too many: the least useful.
///
/// Order: without a node, not yet running, not ready, cheap to delete, crowded on its node, ready for a shorter time, restarted
/// more often, younger. Ages are compared by order of magnitude, so that not always the youngest goes.
struct PodDeletionRank: Sendable {
    let now: Timestamp
    /// How many pods of the same workload family run on each pod's node, by the pod's uid.
    let crowd: [String: Int]

    func sorted(_ pods: [KubeObject]) -> [KubeObject] { pods.sorted { isBefore($0, $1) } }

    private func isBefore(_ left: KubeObject, _ right: KubeObject) -> Bool {
        let (a, b) = (key(left), key(right))
        for (x, y) in zip(a, b) where x != y { return x < y }
        return left.uid < right.uid
    }

    /// Lower goes first.
    private func key(_ pod: KubeObject) -> [Int] {
        let phases = ["Pending": 0, "Unknown": 1, "Running": 2]
        let cost = Int(pod.annotations["controller.kubernetes.io/pod-deletion-cost"] ?? "") ?? 0
        return [
            pod.nodeName.isEmpty ? 0 : 1,
            phases[pod.podPhase] ?? 0,
            pod.isReadyPod ? 1 : 0,
            cost,
            -(crowd[pod.uid] ?? 0),
            pod.isReadyPod ? magnitude(pod.readySince) : 0,
            -pod.restartCount,
            magnitude(pod.creationTimestamp),
        ]
    }

    /// The binary logarithm of an age in nanoseconds; an unknown age is the lowest.
    private func magnitude(_ since: Timestamp?) -> Int {
        guard let since else { return -1 }
        let age = max(1, now.nanoseconds - since.nanoseconds)
        return Int128.bitWidth - age.leadingZeroBitCount
    }
}
