// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// Evidence about one revision of an app in one cluster.
///
/// A reading covers all that happened since the given moment. What was not seen at all has no samples, which is neither
/// good nor bad; whoever asks decides. Throws where the source does not answer: silence is never evidence of health.
package protocol ReleaseSignals: Sendable {
    /// What this source can tell of; it is asked for nothing else.
    var kinds: Set<ReleaseSignal.Kind> { get }

    /// One reading for each of `kinds`, in any order.
    func read(
        _ kinds: Set<ReleaseSignal.Kind>,
        of subject: ReleaseSubject,
        since start: Timestamp
    ) async throws -> [ReleaseSignal]
}

/// Whose signals are asked for: one app in one cluster.
package struct ReleaseSubject: Sendable, Hashable {
    package var app: AppName
    package var namespace: NamespaceName
    package var cluster: ClusterName
    /// The Deployment whose newest revision is looked at.
    package var workload: String

    package init(app: AppName, namespace: NamespaceName, cluster: ClusterName, workload: String) {
        self.app = app
        self.namespace = namespace
        self.cluster = cluster
        self.workload = workload
    }
}

/// One thing measured.
package struct ReleaseSignal: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// How often containers of the new pods ended.
        case restarts
        /// How many of the new pods do not answer their readiness probe.
        case unready
        /// A share of 1, seconds, or lines a second.
        case objective(App.Objective.Kind)
    }

    package var kind: Kind
    package var value: Double
    /// How many containers, pods, requests or lines the value rests on.
    package var samples: Int
    /// For people: "the container 'cart' of cart-7d-x ended with exit code 1".
    package var detail: String

    package init(_ kind: Kind, value: Double, samples: Int, detail: String = "") {
        self.kind = kind
        self.value = value
        self.samples = samples
        self.detail = detail
    }
}
