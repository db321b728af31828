// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Reads causes off an awaited object and its pods. Knows no clock and no cluster.
package enum Diagnoser {
    /// The grace of a cause that may still pass: it counts when the time of the rollout is over, and not before.
    static let untilTheDeadline = Duration.seconds(1 << 31)

    /// A cause and how long it may be seen before it counts: slow nodes and flaky registries deserve patience.
    package struct Finding: Sendable, Hashable {
        package var diagnosis: Diagnosis
        package var grace: Duration

        init(
            _ code: Diagnosis.Code,
            _ cause: String,
            _ advice: String,
            grace: Duration,
            pod: KubeObject? = nil,
            container: String? = nil
        ) {
            diagnosis = Diagnosis(code: code, cause: cause, advice: advice, pod: pod?.name, container: container)
            self.grace = grace
        }
    }

    /// What is wrong with the object and with pods of its new revision, the one that counts soonest first.
    ///
    /// `crashGrace` is how long a container that keeps ending is given beyond its first three tries.
    package static func findings(in view: RolloutView, crashGrace: Duration) -> [Finding] {
        let ofPods = view.pods.compactMap { pod in PodDiagnosis(pod: pod, view: view, crashGrace: crashGrace).finding }
        let ofObject = ObjectDiagnosis(view: view).findings(knowing: ofPods)
        return (ofObject + ofPods).enumerated()
            .sorted { ($0.element.grace, $0.offset) < ($1.element.grace, $1.offset) }
            .map { place in
                var finding = place.element
                finding.diagnosis.object = view.reference
                return finding
            }
    }
}
