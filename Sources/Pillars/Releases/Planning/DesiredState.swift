// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Everything a release wants in one cluster, settled: each object's kind known, its namespace said, in the order of stages.
struct DesiredState: Sendable {
    private(set) var objects: [DesiredObject] = []
    /// Objects of the app file come first in a stage, then manifests in the order in which they are written.
    private var places: [ObjectReference: Int] = [:]

    /// Throws `invalidInput` with every manifest that cannot be placed, one a line.
    init(
        _ own: [(type: ResourceType, object: KubeObject)],
        _ manifests: [Manifest],
        app: App,
        schema: any ClusterSchema
    )
        async throws
    {
        for (type, object) in own { add(DesiredObject(object: object, type: type, place: "ballast.yaml")) }
        let kinds = try await ManifestKinds(manifests, schema: schema)
        var problems: [String] = []
        for manifest in manifests {
            do {
                try take(manifest, kinds, app)
            } catch {
                problems.append("\(manifest.place): \(ErrorWords.text(of: error))")
            }
        }
        guard problems.isEmpty else { throw Failure(.invalidInput, problems.joined(separator: "\n")) }
        objects = objects.enumerated().sorted { ($0.element.stage, $0.offset) < ($1.element.stage, $1.offset) }
            .map(\.element)
        for place in objects.indices {
            objects[place].object = ObjectNormaliser.normalised(objects[place].object, type: objects[place].type)
        }
        objects = ConfigCopies.settled(objects, app: app)
    }

    private mutating func add(_ object: DesiredObject) {
        places[object.reference] = objects.count
        objects.append(object)
    }

    private mutating func take(_ manifest: Manifest, _ kinds: ManifestKinds, _ app: App) throws {
        let (type, isNew) = try kinds.type(of: manifest.object)
        var object = manifest.object
        if type.isNamespaced, (object.namespace ?? "").isEmpty {
            object.json.set(.string(app.namespace.text), at: ["metadata", "namespace"])
        }
        try Self.refuseBallastsOwn(object, type)
        let desired = DesiredObject(object: object, type: type, place: manifest.place, isOfNewKind: isNew)
        guard let place = places[desired.reference] else { return add(desired) }
        guard objects[place].place == "ballast.yaml" else {
            throw Failure(
                .invalidInput,
                "\(desired.reference.words) is written a second time; the first is at \(objects[place].place)"
            )
        }
        objects[place].object.json = ManifestOverlay.laid(object.json, over: objects[place].object.json)
        objects[place].place = manifest.place
    }

    private static func refuseBallastsOwn(_ object: KubeObject, _ type: ResourceType) throws {
        guard type.group == ResourceType.apps.group else { return }
        throw Failure(.invalidInput, "\(type.kind) objects are Ballast's own records and are no manifests")
    }
}

/// Finds the resource of each manifest's kind: what the cluster serves, and what the manifests themselves define.
struct ManifestKinds: Sendable {
    private var served: KindCatalog
    private var defined: [String: ResourceType] = [:]

    init(_ manifests: [Manifest], schema: any ClusterSchema) async throws {
        for manifest in manifests where manifest.object.kind == "CustomResourceDefinition" {
            for type in Self.types(of: manifest.object) { defined["\(type.apiVersion)/\(type.kind)"] = type }
        }
        served = try await schema.catalog(isFresh: false)
        let unknown = manifests.contains { manifest in
            let object = manifest.object
            return served.resource(apiVersion: object.apiVersion, kind: object.kind) == nil
                && defined["\(object.apiVersion)/\(object.kind)"] == nil
        }
        if unknown { served = try await schema.catalog(isFresh: true) }
    }

    /// `isNew`: the cluster does not serve it yet.
    func type(of object: KubeObject) throws -> (ResourceType, isNew: Bool) {
        if let type = served.resource(apiVersion: object.apiVersion, kind: object.kind) { return (type, false) }
        if let type = defined["\(object.apiVersion)/\(object.kind)"] { return (type, true) }
        throw Failure(.invalidInput, served.miss(apiVersion: object.apiVersion, kind: object.kind))
    }

    private static func types(of definition: KubeObject) -> [ResourceType] {
        let (spec, names) = (definition.spec, definition.spec["names"] ?? [:])
        guard let group = spec["group"]?.string, let plural = names["plural"]?.string, let kind = names["kind"]?.string
        else { return [] }
        return (spec["versions"]?.array ?? []).compactMap { version in
            guard let name = version["name"]?.string else { return nil }
            return ResourceType(
                group: group,
                version: name,
                plural: plural,
                kind: kind,
                isNamespaced: spec["scope"]?.string != "Cluster"
            )
        }
    }
}
