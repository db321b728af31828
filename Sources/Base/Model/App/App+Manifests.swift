// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// One object of an app's `manifests`, and where it is written.
package struct Manifest: Sendable, Hashable {
    package var object: KubeObject
    /// `k8s/redis.yaml:14`.
    package var place: String

    package init(_ object: KubeObject, place: String) {
        self.object = object
        self.place = place
    }
}

extension Manifest {
    package var json: JSON { ["place": .string(place), "object": object.json] }

    package init?(_ json: JSON) {
        guard let object = json["object"], object.object != nil else { return nil }
        self.init(KubeObject(object), place: json["place"]?.string ?? "")
    }
}

extension App {
    /// The objects below the paths of `spec.deploy.manifests`, as far as they were read; a cluster's overrides may name
    /// other paths than the app itself.
    package var manifests: [Manifest] {
        var seen: Set<String> = []
        return deploy.manifests.filter { seen.insert($0).inserted }.flatMap { manifestFiles[$0] ?? [] }
    }

    /// Every path that the app names for any cluster.
    package var manifestPaths: [String] {
        let overridden = (object.spec["deploy"]?["overrides"]?.object ?? [:]).flatMap { $0.value.texts("manifests") }
        var seen: Set<String> = []
        return ((object.spec["deploy"]?.texts("manifests") ?? []) + overridden).filter { seen.insert($0).inserted }
    }
}
