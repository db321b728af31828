// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Removes events when their time is over, all that are due at once.
struct EventExpiryController: Reconciler {
    let context: ControllerContext
    let name = "event-expiry"
    let workers = 1

    private static let interval = Duration.seconds(60)

    var initialNames: [ObjectName] { [ObjectName(name: "all")] }
    var triggers: [Trigger] { [] }

    func reconcile(_ name: ObjectName) async throws -> Duration? {
        let oldest = context.clock.now - context.configuration.eventLifetime
        for event in context.mirrors.events.objects where (event.lastHappened ?? oldest) < oldest {
            let reference = ObjectReference(.events, namespace: event.namespace, name: event.name)
            do {
                try await context.writer.api.delete(reference, options: DeleteOptions(uid: event.uid))
            } catch let failure as Failure where failure.code == .notFound || failure.code == .conflict {}
        }
        return Self.interval
    }
}

extension KubeObject {
    fileprivate var lastHappened: Timestamp? {
        let texts = [
            self["series"]?["lastObservedTime"], self["lastTimestamp"], self["eventTime"],
            metadata["creationTimestamp"],
        ]
        return texts.compactMap { $0?.string.flatMap { Timestamp($0) } }.max()
    }
}
