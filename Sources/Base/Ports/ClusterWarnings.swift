// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Where a cluster's warnings go: what its API says about a request that it fulfils all the same.
///
/// They are heard by whoever surrounds the call, so that a plan can print them beside the object they are about; child
/// tasks inherit the listener. Nobody has to listen.
package enum ClusterWarnings {
    @TaskLocal private static var listener: (@Sendable (String) -> Void)?

    /// Runs `work`; `listener` hears the warnings of all its calls, each text as often as the cluster says it.
    package static func heard<Value>(
        by listener: @escaping @Sendable (String) -> Void,
        during work: () async throws -> Value
    ) async rethrows -> Value {
        try await $listener.withValue(listener, operation: work)
    }

    /// For implementations of ``ClusterAPI``.
    package static func report(_ warning: String) { listener?(warning) }
}
