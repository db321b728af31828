// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Hears of changes to the ConfigMaps and Secrets of one namespace, without keeping any of them.
struct ReferenceWatch: Sendable {
    let type: ResourceType
    let namespace: String
    let services: PodServices
    /// Called with the name of what changed; `nil`: some changes may have been missed.
    let report: @Sendable (String?) async -> Void

    /// Watches until cancelled.
    func run() async {
        let query = ListQuery(type, namespace: namespace, limit: 1)
        var version: ResourceVersion?
        while !Task.isCancelled {
            do {
                if version == nil {
                    version = try await services.api.list(query).resourceVersion
                    await report(nil)
                }
                guard let start = version else { continue }
                for try await event in try await services.api.watch(ListQuery(type, namespace: namespace), after: start)
                {
                    switch event {
                    case .added(let object), .modified(let object), .deleted(let object):
                        version = object.resourceVersion
                        await report(object.name)
                    case .bookmark(let seen): version = seen
                    }
                }
            } catch let failure as Failure where failure.code == .expired {
                version = nil
            } catch {
                try? await services.clock.sleep(for: .seconds(2))
            }
        }
    }
}

/// The ConfigMaps and Secrets that a pod's containers and volumes show.
struct ReferencedObjects: Sendable, Equatable {
    private(set) var names: [ResourceType: Set<String>] = [:]

    init(_ pod: PodSpec) {
        for container in pod.containers {
            for source in container.json["envFrom"]?.array ?? [] {
                note(.configMaps, source[path: "configMapRef", "name"])
                note(.secrets, source[path: "secretRef", "name"])
            }
            for entry in container.json["env"]?.array ?? [] {
                note(.configMaps, entry[path: "valueFrom", "configMapKeyRef", "name"])
                note(.secrets, entry[path: "valueFrom", "secretKeyRef", "name"])
            }
        }
        for volume in pod.spec["volumes"]?.array ?? [] {
            note(.configMaps, volume[path: "configMap", "name"])
            note(.secrets, volume[path: "secret", "secretName"])
            for source in volume[path: "projected", "sources"]?.array ?? [] {
                note(.configMaps, source[path: "configMap", "name"])
                note(.secrets, source[path: "secret", "name"])
            }
        }
    }

    private mutating func note(_ type: ResourceType, _ name: JSON?) {
        if let name = name?.string { names[type, default: []].insert(name) }
    }

    /// Whether a change of that object concerns the pod; `nil` stands for any.
    func contain(_ type: ResourceType, _ name: String?) -> Bool {
        guard let names = names[type] else { return false }
        return name.map(names.contains) ?? true
    }
}
