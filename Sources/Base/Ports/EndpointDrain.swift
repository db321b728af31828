// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Knows when a pod that is about to end is no longer asked anything.
package protocol EndpointDrain: Sendable {
    /// Returns once no new request is led to the address and those under way have ended, and at the latest when `limit`
    /// has passed or the task is cancelled.
    ///
    /// The caller has made known before that the pod ends. Returns at once for an address that nothing leads to, and for
    /// one that stays in use because there is no other.
    func drained(_ address: String, within limit: Duration) async
}

/// For a node whose pods nobody leads requests to.
package struct NoEndpointDrain: EndpointDrain {
    package init() {}
    package func drained(_ address: String, within limit: Duration) async {}
}
