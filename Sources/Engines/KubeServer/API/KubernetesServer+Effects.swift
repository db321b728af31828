// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What follows from a write beyond the object itself.
extension KubernetesServer {
    func loadServices() throws {
        guard let resource = catalog.resource(of: .services) else { return }
        for stored in try log.list(prefix: resource.prefix).items {
            serviceAddresses.note(try StoredJSON.parse(stored.value, as: nil))
        }
    }

    func loadDefinitions() throws {
        guard let resource = catalog.resource(of: .customResourceDefinitions) else { return }
        for stored in try log.list(prefix: resource.prefix).items {
            serve(try StoredJSON.parse(stored.value, as: nil))
        }
    }

    func afterWrite(_ resource: Resource, _ object: JSON) async {
        guard resource.type == .customResourceDefinitions else { return }
        serve(object)
        await establish(object)
    }

    func afterMark(_ resource: Resource, _ object: JSON) async {
        guard resource.type == .customResourceDefinitions else { return }
        await removeInstances(of: object)
    }

    func afterRemoval(_ resource: Resource, _ object: JSON) async {
        switch resource.type {
        case .services: serviceAddresses.forget(object)
        case .customResourceDefinitions:
            catalog.serve([], for: object[path: "metadata", "name"]?.string ?? "")
        default: break
        }
    }

    /// Events older than this go.
    private static let eventLife = Duration.seconds(3600)

    /// Events tell what happened lately; they are dropped after an hour, without a word to anybody.
    func dropOldEvents() async {
        guard let resource = catalog.resource(of: .events) else { return }
        let limit = clock.now - Self.eventLife
        guard let stored = try? log.list(prefix: resource.prefix).items else { return }
        for event in stored {
            guard !Task.isCancelled, let object = try? StoredJSON.parse(event.value, as: nil) else { continue }
            let times = [object["lastTimestamp"], object["eventTime"], object[path: "metadata", "creationTimestamp"]]
            let last = times.compactMap { $0?.string.flatMap { Timestamp($0) } }.max()
            guard let last, last < limit else { continue }
            _ = try? await removeFromLog(StoredJSON(object), event, resource, object)
        }
    }
}
