// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Tells whose an object is, so that a release never takes over what belongs to somebody else.
enum ObjectOwner {
    /// Set by a person to hand an object over to Ballast.
    static let adoption = "ballast.dev/adopt"

    /// What is said of an owner of whom the object tells nothing.
    static let unknown = "somebody else"

    /// Who manages an object that is not ours, in words; `nil` where it is ours or was handed over.
    static func stranger(of live: KubeObject) -> String? {
        let (annotations, labels) = (live.annotations, live.labels)
        guard annotations[ObjectDifference.annotation] == nil, annotations[adoption] != "true", !isApplied(live) else {
            return nil
        }
        if let release = annotations["meta.helm.sh/release-name"] { return "Helm (release '\(release)')" }
        if let app = annotations["argocd.argoproj.io/tracking-id"] { return "Argo CD ('\(app)')" }
        if let name = labels["kustomize.toolkit.fluxcd.io/name"] { return "Flux (Kustomization '\(name)')" }
        if let owner = live.controller {
            return "the \(owner["kind"]?.string ?? "object") '\(owner["name"]?.string ?? "")'"
        }
        if let manager = labels["app.kubernetes.io/managed-by"] { return "'\(manager)'" }
        if annotations["kubectl.kubernetes.io/last-applied-configuration"] != nil { return "'kubectl apply'" }
        let managers = (live.metadata["managedFields"]?.array ?? []).filter {
            ($0["subresource"]?.string ?? "").isEmpty
        }
        return managers.first?["manager"]?.string.map { "'\($0)'" } ?? unknown
    }

    /// Whether Ballast applies the object.
    static func isApplied(_ live: KubeObject) -> Bool {
        ManagedEntry.entries(of: live).contains {
            $0.manager == FieldManagers.own && $0.operation == "Apply" && $0.subresource.isEmpty
        }
    }

    /// Whether another object makes it and would undo whatever a release changes.
    static func isControlled(_ live: KubeObject) -> Bool { live.controller != nil }

    /// Why a release must not change this object: a `conflict`; `nil` where it may.
    static func refusal(of live: KubeObject, _ type: ResourceType) -> Failure? {
        let name = "\(type.kind) '\(live.namespace ?? "")/\(live.name)'"
        if live.isTerminating {
            return Failure(.conflict, "the \(name) is being deleted; release again once it is gone")
        }
        guard let owner = stranger(of: live) else { return nil }
        let kubectl = "kubectl -n \(live.namespace ?? "default") annotate \(type.plural) \(live.name) \(adoption)=true"
        return Failure(
            .conflict,
            "the \(name) exists already and belongs to \(owner), so nothing was changed; give the app another name, delete that object, or hand it over with '\(kubectl)'"
        )
    }

    /// Throws `conflict` where a Deployment selects other pods than ours would: a selector never changes.
    static func demandSelector(of wanted: KubeObject, in live: KubeObject) throws {
        let (old, new) = (live.spec["selector"] ?? [:], wanted.spec["selector"] ?? [:])
        guard LabelSelector(json: old) != LabelSelector(json: new) else { return }
        let selector = LabelSelector(json: old)?.text ?? old.text
        throw Failure(
            .conflict,
            "the Deployment '\(live.namespace ?? "")/\(live.name)' selects its pods by '\(selector)', which cannot be changed, so nothing was changed; delete it ('kubectl -n \(live.namespace ?? "") delete deployment \(live.name)') or give the app another name"
        )
    }
}
