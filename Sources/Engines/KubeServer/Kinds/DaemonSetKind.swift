// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct DaemonSetStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true)
    let warnsOfRefusals: Bool

    /// Counts the templates, in an annotation that old clients read.
    static let generationKey = "deprecated.daemonset.template.generation"
    private static let generationPath = ["metadata", "annotations", generationKey]

    func setDefaults(_ object: inout JSON) {
        TemplateRules.setDefaults(&object)
        if object[path: Self.generationPath]?.string == nil { object.set("0", at: Self.generationPath) }
        guard var spec = object["spec"], spec.object != nil else { return }
        var strategy = spec["updateStrategy"] ?? [:]
        PodDefaults.setIfAbsent(&strategy, "type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate" {
            var rolling = strategy["rollingUpdate"] ?? [:]
            PodDefaults.setIfAbsent(&rolling, "maxUnavailable", 1)
            PodDefaults.setIfAbsent(&rolling, "maxSurge", 0)
            strategy["rollingUpdate"] = rolling
        }
        spec["updateStrategy"] = strategy
        PodDefaults.setIfAbsent(&spec, "revisionHistoryLimit", 10)
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = [
            "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
        ]
        let given = object[path: Self.generationPath]?.string.flatMap { Int($0) } ?? 0
        object.set(.string(String(max(1, given))), at: Self.generationPath)
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        let before = old[path: Self.generationPath]?.string.flatMap { Int($0) } ?? 1
        let isChanged = object[path: "spec", "template"] != old[path: "spec", "template"]
        object.set(.string(String(isChanged ? before + 1 : before)), at: Self.generationPath)
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        if TemplateRules.checkSelector(object, of: "daemonset", &errors),
            !(object[path: "spec", "selector"]?.isNull ?? true)
        {
            TemplateRules.checkMatch(object, &errors)
        }
        TemplateRules.checkMetadata(spec["template"] ?? [:], &errors)
        TemplateRules.checkPod(object, &errors)
        TemplateRules.checkAlwaysRestarts(spec["template"] ?? [:], of: "DaemonSet", &errors)
        TemplateRules.atLeastZero(object, "minReadySeconds", &errors)
        checkStrategy(spec["updateStrategy"] ?? [:], &errors)
        TemplateRules.atLeastZero(object, "revisionHistoryLimit", &errors)
    }

    private func checkStrategy(_ strategy: JSON, _ errors: inout FieldErrors) {
        let field = "spec.updateStrategy"
        let type = strategy["type"]?.string ?? ""
        if type == "OnDelete" { return }
        guard type == "RollingUpdate" else {
            let known = "supported values: \"RollingUpdate\", \"OnDelete\""
            return errors.add(
                .notSupported,
                field,
                "Unsupported value: \(InternalForm.value(strategy, as: "DaemonSetUpdateStrategy").text): \(known)"
            )
        }
        guard let rolling = strategy["rollingUpdate"] else { return errors.required("\(field).rollingUpdate") }
        for member in ["maxUnavailable", "maxSurge"] {
            RolloutRules.checkAmount(rolling[member], "\(field).rollingUpdate.\(member)", &errors)
            guard let text = rolling[member]?.string, let percent = Int(text.dropLast()), percent > 100 else {
                continue
            }
            errors.invalid("\(field).rollingUpdate.\(member)", text, "must not be greater than 100%")
        }
        let hasUnavailable = RolloutRules.amount(rolling["maxUnavailable"]) ?? 0 != 0
        let hasSurge = RolloutRules.amount(rolling["maxSurge"]) ?? 0 != 0
        if hasUnavailable, hasSurge {
            errors.invalid(
                "\(field).rollingUpdate.maxSurge",
                rolling["maxSurge"] ?? 0,
                "may not be set when maxUnavailable is non-zero"
            )
        }
        if !hasUnavailable, !hasSurge {
            errors.required("\(field).rollingUpdate.maxUnavailable", "cannot be 0 when maxSurge is 0")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let selector = object[path: "spec", "selector"]
        if selector != old[path: "spec", "selector"] {
            errors.invalid("spec.selector", selector ?? .null, "field is immutable")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for member in [
            "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
            "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
        ] {
            guard let number = object[path: "status", member]?.int, number < 0 else { continue }
            errors.invalid("status.\(member)", number, "must be greater than or equal to 0")
        }
        RevisionRules.checkCollisions(object, old, &errors)
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        TemplateRules.warnings(object, from: old, saysLimits: warnsOfRefusals)
    }
}
