// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// Removes events that nothing was added to for their lifetime. Nobody else ever would.
    func expireEvents() async {
        guard let resource = catalog.resource(of: .events), let stored = try? log.list(prefix: resource.prefix).items
        else { return }
        let limit = clock.now - configuration.eventLifetime
        for each in stored where !Task.isCancelled {
            guard let event = try? StoredJSON.parse(each.value, as: nil), Self.lastTime(of: event) <= limit else {
                continue
            }
            // One that was counted up meanwhile is newer than what was read, and stays.
            _ = try? await removeFromLog(StoredJSON(event), each, resource, event)
        }
    }

    /// When an event was last seen; one that tells no time is as old as it can be.
    private static func lastTime(of event: JSON) -> Timestamp {
        let times = [
            event["lastTimestamp"], event[path: "series", "lastObservedTime"], event["eventTime"],
            event[path: "metadata", "creationTimestamp"],
        ]
        return times.compactMap { $0?.string.flatMap { Timestamp($0) } }.max() ?? Timestamp(seconds: 0)
    }
}
