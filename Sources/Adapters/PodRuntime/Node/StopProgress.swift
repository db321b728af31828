// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// How far the stop of a node has come; pods are named `namespace/name`.
package enum StopProgress: Sendable, Hashable {
    /// These pods run and were told to end; the slowest may take so long.
    case begun(pods: [String], limit: Duration)
    /// Some seconds later these are still there.
    case waiting(pods: [String])
    /// No pod is left.
    case ended
}
