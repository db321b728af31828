// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Synchronization

/// Hands a second Ctrl-C to whatever the first one is stopping.
final class Urgency: Sendable {
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }

    /// `false` where nothing is there to hasten.
    func hurry() -> Bool {
        guard let action = action.withLock({ $0 }) else { return false }
        action()
        return true
    }
}
