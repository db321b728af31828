// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// The namespaces that have, or once had, a quota: the writes to all others need not look for one.
final class QuotaNamespaces: Sendable {
    private let names = Mutex<Set<String>>([])

    func note(_ name: String) { names.withLock { _ = $0.insert(name) } }
    func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }
}
