// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Which objects a workload owns: takes in orphans that match its selector, lets go of those that no longer do.
struct Adoption: Sendable {
    private let writer: ClusterWriter
    private let owner: KubeObject
    private let type: ResourceType
    private let selector: LabelSelector

    init(_ context: ControllerContext, owner: KubeObject, type: ResourceType, selector: LabelSelector) {
        writer = context.writer
        self.owner = owner
        self.type = type
        self.selector = selector
    }

    /// What there is to do for one object.
    enum Step: Equatable { case keep, adopt, release, ignore }

    static func step(
        for object: KubeObject,
        owner: KubeObject,
        selector: LabelSelector,
        isWanted: (KubeObject) -> Bool
    ) -> Step {
        let matches = selector.matches(object.labels)
        guard let controller = object.controller else {
            guard matches, !owner.isTerminating, !object.isTerminating, isWanted(object) else { return .ignore }
            return .adopt
        }
        guard controller["uid"]?.string == owner.uid else { return .ignore }
        if matches { return .keep }
        return owner.isTerminating ? .ignore : .release
    }

    /// The objects that are the owner's after adopting and releasing.
    func claim(
        from mirror: ObjectMirror,
        as objectType: ResourceType,
        isWanted: (KubeObject) -> Bool
    ) async throws -> [KubeObject] {
        var claimed: [KubeObject] = []
        for object in mirror.objects(in: owner.namespace ?? "") {
            switch Self.step(for: object, owner: owner, selector: selector, isWanted: isWanted) {
            case .keep: claimed.append(object)
            case .adopt: claimed.append(try await adopt(object, objectType))
            case .release: try await release(object, objectType)
            case .ignore: break
            }
        }
        return claimed
    }

    private func adopt(_ object: KubeObject, _ objectType: ResourceType) async throws -> KubeObject {
        let references = object.ownerReferences + [owner.controllerReference(as: type)]
        return try await setOwners(references, of: object, objectType)
    }

    private func release(_ object: KubeObject, _ objectType: ResourceType) async throws {
        _ = try await setOwners(
            object.ownerReferences.filter { $0["uid"]?.string != owner.uid },
            of: object,
            objectType
        )
    }

    private func setOwners(_ references: [JSON], of object: KubeObject, _ type: ResourceType) async throws -> KubeObject
    {
        let metadata: JSON = [
            "ownerReferences": .array(references), "resourceVersion": .string(object.resourceVersion.text),
        ]
        return try await writer.merge(["metadata": metadata], into: object, as: type)
    }
}
