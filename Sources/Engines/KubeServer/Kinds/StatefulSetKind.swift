// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct StatefulSetStrategy: KindStrategy {
    let traits = KindTraits(
        nameProblems: NameRules.dnsLabelProblems,
        generationFields: ["spec"],
        hasStatus: true,
        checksMetadataAgain: true
    )
    let warnsOfRefusals: Bool

    /// What may change; everything else stays as it was created.
    private static let mutable = [
        "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
    ]

    func setDefaults(_ object: inout JSON) {
        TemplateRules.setDefaults(&object)
        guard var spec = object["spec"], spec.object != nil else { return }
        PodDefaults.setIfAbsent(&spec, "podManagementPolicy", "OrderedReady")
        var strategy = spec["updateStrategy"] ?? [:]
        if (strategy["type"]?.string ?? "").isEmpty {
            strategy["type"] = "RollingUpdate"
            if strategy["rollingUpdate"] == nil { strategy["rollingUpdate"] = [:] }
        }
        if strategy["type"] == "RollingUpdate", var rolling = strategy["rollingUpdate"], rolling.object != nil {
            PodDefaults.setIfAbsent(&rolling, "partition", 0)
            strategy["rollingUpdate"] = rolling
        }
        spec["updateStrategy"] = strategy
        var retention = spec["persistentVolumeClaimRetentionPolicy"] ?? [:]
        PodDefaults.setIfAbsent(&retention, "whenDeleted", "Retain")
        PodDefaults.setIfAbsent(&retention, "whenScaled", "Retain")
        spec["persistentVolumeClaimRetentionPolicy"] = retention
        PodDefaults.setIfAbsent(&spec, "replicas", 1)
        PodDefaults.setIfAbsent(&spec, "revisionHistoryLimit", 10)
        PodDefaults.each(&spec, "volumeClaimTemplates") { template in
            var whole: JSON = ["kind": "PersistentVolumeClaim", "apiVersion": "v1"]
            for (key, value) in template.object ?? [:] where key != "kind" && key != "apiVersion" { whole[key] = value }
            if whole[path: "spec", "volumeMode"] == nil { whole.set("Filesystem", at: ["spec", "volumeMode"]) }
            if whole[path: "status", "phase"] == nil { whole.set("Pending", at: ["status", "phase"]) }
            template = whole
        }
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = ["replicas": 0, "availableReplicas": 0]
        object.set(nil, at: Self.gated)
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        if old[path: Self.gated] == nil { object.set(nil, at: Self.gated) }
    }

    /// A member of a feature that is off.
    private static let gated = ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let policy = spec["podManagementPolicy"]?.string ?? ""
        if !["OrderedReady", "Parallel"].contains(policy) {
            errors.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
        }
        checkStrategy(spec["updateStrategy"] ?? [:], &errors)
        for member in ["whenDeleted", "whenScaled"] {
            let field = "spec.persistentVolumeClaimRetentionPolicy"
            let value = spec[path: "persistentVolumeClaimRetentionPolicy", member]?.string ?? ""
            if !["Retain", "Delete"].contains(value) {
                errors.notSupported("\(field).\(member)", value, ["Retain", "Delete"])
            }
        }
        TemplateRules.atLeastZero(object, "replicas", &errors)
        TemplateRules.atLeastZero(object, "minReadySeconds", &errors)
        if let start = spec[path: "ordinals", "start"]?.int, start < 0 {
            errors.invalid("spec.ordinals.start", start, "must be greater than or equal to 0")
        }
        guard TemplateRules.checkSelector(object, of: "statefulset", &errors) else { return }
        TemplateRules.checkMatch(object, &errors)
        TemplateRules.checkMetadata(spec["template"] ?? [:], &errors)
        TemplateRules.checkPod(Self.withClaims(object), &errors)
        TemplateRules.checkAlwaysRestarts(spec["template"] ?? [:], of: "StatefulSet", &errors)
    }

    /// The set with its claims among the template's volumes, as its pods will have them.
    private static func withClaims(_ object: JSON) -> JSON {
        var object = object
        var volumes = object[path: "spec", "template", "spec", "volumes"]?.array ?? []
        let known = Set(volumes.compactMap { $0["name"]?.string })
        for template in object[path: "spec", "volumeClaimTemplates"]?.array ?? [] {
            guard let name = template[path: "metadata", "name"]?.string, !known.contains(name) else { continue }
            volumes.append(["name": .string(name), "persistentVolumeClaim": ["claimName": .string(name)]])
        }
        if !volumes.isEmpty { object.set(.array(volumes), at: ["spec", "template", "spec", "volumes"]) }
        for member in ["hostname", "subdomain"] { object.set(nil, at: ["spec", "template", "spec", member]) }
        return object
    }

    private func checkStrategy(_ strategy: JSON, _ errors: inout FieldErrors) {
        let rolling = strategy["rollingUpdate"]
        switch strategy["type"]?.string ?? "" {
        case "": errors.required("spec.updateStrategy")
        case "OnDelete":
            if let rolling {
                errors.invalid(
                    "spec.updateStrategy.rollingUpdate",
                    [
                        "Partition": rolling["partition"] ?? .null,
                        "MaxUnavailable": rolling["maxUnavailable"] ?? .null,
                    ],
                    "only allowed for updateStrategy 'RollingUpdate'"
                )
            }
        case "RollingUpdate":
            if let partition = rolling?["partition"]?.int, partition < 0 {
                errors.invalid(
                    "spec.updateStrategy.rollingUpdate.partition",
                    partition,
                    "must be greater than or equal to 0"
                )
            }
        default:
            let shown: JSON = ["Type": strategy["type"] ?? "", "RollingUpdate": .null]
            errors.invalid("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'")
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let service = object[path: "spec", "serviceName"]?.string ?? ""
        if !service.isEmpty {
            for problem in NameRules.dnsLabelProblems(service) { errors.invalid("spec.serviceName", service, problem) }
        }
        for (place, template) in (object[path: "spec", "volumeClaimTemplates"]?.array ?? []).enumerated() {
            var found = FieldErrors()
            ClaimStrategy().validate(template, &found)
            for error in found.all {
                errors.add(error.kind, "spec.volumeClaimTemplates[\(place)].\(error.field)", error.message)
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        var (now, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        for member in Self.mutable {
            now[member] = nil
            before[member] = nil
        }
        guard now != before else { return }
        let names = Self.mutable.map { "'\($0)'" }
        errors.forbidden(
            "spec",
            "updates to statefulset spec for fields other than \(names.dropLast().joined(separator: ", ")) and "
                + "\(names.last ?? "") are forbidden"
        )
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = object["status"] ?? [:]
        let counts = ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"]
        for member in counts + ["observedGeneration", "collisionCount"] {
            guard let number = status[member]?.int, number < 0 else { continue }
            errors.invalid("status.\(member)", number, "must be greater than or equal to 0")
        }
        let replicas = status["replicas"]?.int ?? 0
        for member in counts.dropFirst() {
            guard let number = status[member]?.int, number > replicas else { continue }
            errors.invalid("status.\(member)", number, "cannot be greater than status.replicas")
        }
        if let available = status["availableReplicas"]?.int, available > status["readyReplicas"]?.int ?? 0 {
            errors.invalid("status.availableReplicas", available, "cannot be greater than status.readyReplicas")
        }
        RevisionRules.checkCollisions(object, old, &errors)
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        var warnings: [String] = []
        if let limit = object[path: "spec", "revisionHistoryLimit"]?.int, limit < 0 {
            warnings.append(
                "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
            )
        }
        return warnings + TemplateRules.warnings(object, from: old, saysLimits: warnsOfRefusals)
    }
}
