// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Rules for pod templates inside other kinds.
enum TemplateRules {
    static func setDefaults(_ object: inout JSON) {
        guard var spec = object[path: "spec", "template", "spec"], spec.object != nil else { return }
        PodDefaults.fill(&spec)
        object.set(spec, at: ["spec", "template", "spec"])
    }

    static func checkMetadata(_ template: JSON, _ errors: inout FieldErrors) {
        let metadata = template["metadata"]
        MetadataRules.labels(metadata?["labels"], at: "spec.template.labels", &errors)
        MetadataRules.annotations(metadata?["annotations"], at: "spec.template.annotations", &errors)
    }

    /// Workloads keep their pods running, so only one restart policy makes sense, and no deadline.
    static func checkAlwaysRestarts(_ template: JSON, of kind: String = "ReplicaSet", _ errors: inout FieldErrors) {
        let policy = template[path: "spec", "restartPolicy"]?.string ?? ""
        if policy != "Always" {
            errors.notSupported("spec.template.spec.restartPolicy", policy, ["Always"])
        }
        if template[path: "spec", "activeDeadlineSeconds"] != nil {
            errors.forbidden(
                "spec.template.spec.activeDeadlineSeconds",
                "activeDeadlineSeconds in \(kind) is not Supported"
            )
        }
    }

    /// The selector must be there and select the template's own labels. Whether it can be read at all.
    static func checkSelector(_ object: JSON, of kind: String = "deployment", _ errors: inout FieldErrors) -> Bool {
        guard let selector = object[path: "spec", "selector"], !selector.isNull else {
            errors.required("spec.selector")
            return true
        }
        var problems = FieldErrors()
        SelectorRules.check(selector, "spec.selector", &problems)
        errors.append(problems)
        if SelectorRules.isEmpty(selector) {
            errors.invalid("spec.selector", selector, "empty selector is invalid for \(kind)")
        }
        guard !problems.isEmpty else { return true }
        if kind != "daemonset" {
            errors.invalid("spec.selector", selector, kind == "statefulset" ? "" : "invalid label selector")
        }
        return false
    }

    /// The template of a workload whose pods restart always.
    static func check(_ object: JSON, _ errors: inout FieldErrors) {
        let template = object[path: "spec", "template"] ?? [:]
        checkMatch(object, &errors)
        checkMetadata(template, &errors)
        checkPod(object, &errors)
        checkAlwaysRestarts(template, &errors)
    }

    static func checkMatch(_ object: JSON, _ errors: inout FieldErrors) {
        let labels = object[path: "spec", "template", "metadata", "labels"]
        // One that is there and says nothing selects everything.
        let selector = object[path: "spec", "selector"].flatMap { LabelSelector(json: $0) }
        let matches = selector.map { $0.isEmpty || $0.matches(labels?.stringMap ?? [:]) } ?? false
        if !matches {
            errors.invalid(
                "spec.template.metadata.labels",
                labels ?? .null,
                "`selector` does not match template `labels`"
            )
        }
    }

    static func checkPod(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object[path: "spec", "template", "spec"] ?? [:]
        PodRules(spec, at: "spec.template.spec").check(&errors)
    }

    static func atLeastZero(_ object: JSON, _ member: String, _ errors: inout FieldErrors) {
        guard let number = object[path: "spec", member]?.int, number < 0 else { return }
        errors.invalid("spec.\(member)", number, "must be greater than or equal to 0")
    }

    /// Says what is odd about the template and, where `saysLimits`, when its pods will be refused or miss something.
    static func warnings(
        _ object: JSON,
        from old: JSON?,
        saysLimits: Bool,
        at field: String = "spec.template.spec"
    ) -> [String] {
        let spec = object[path: "spec", "template", "spec"] ?? [:]
        guard spec != old?[path: "spec", "template", "spec"] else { return [] }
        let texts = PodWarnings.texts(spec, at: field)
        guard saysLimits else { return texts }
        return texts
            + NodeLimits.refusals(spec).map {
                "pods of this template will be refused: this cluster's node does not grant \($0)"
            }
            + NodeLimits.ignored(spec, at: field)
    }
}

struct DeploymentStrategy: KindStrategy {
    let traits = KindTraits(
        generationFields: ["spec"],
        hasStatus: true,
        statusResets: .members(["labels"]),
        generationCountsAnnotations: true
    )
    let warnsOfRefusals: Bool

    func setDefaults(_ object: inout JSON) {
        TemplateRules.setDefaults(&object)
        guard var spec = object["spec"], spec.object != nil else { return }
        for (member, value) in [("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)] {
            PodDefaults.setIfAbsent(&spec, member, JSON(value))
        }
        var strategy = spec["strategy"] ?? [:]
        PodDefaults.setIfAbsent(&strategy, "type", "RollingUpdate")
        if strategy["type"]?.string == "RollingUpdate" {
            var rolling = strategy["rollingUpdate"] ?? [:]
            PodDefaults.setIfAbsent(&rolling, "maxUnavailable", "25%")
            PodDefaults.setIfAbsent(&rolling, "maxSurge", "25%")
            strategy["rollingUpdate"] = rolling
        }
        spec["strategy"] = strategy
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) { object["status"] = [:] }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        TemplateRules.atLeastZero(object, "replicas", &errors)
        if TemplateRules.checkSelector(object, &errors) { TemplateRules.check(object, &errors) }
        RolloutRules.check(spec["strategy"] ?? [:], "spec.strategy", &errors)
        TemplateRules.atLeastZero(object, "minReadySeconds", &errors)
        TemplateRules.atLeastZero(object, "revisionHistoryLimit", &errors)
        TemplateRules.atLeastZero(object, "progressDeadlineSeconds", &errors)
        if let deadline = spec["progressDeadlineSeconds"]?.int,
            deadline <= spec["minReadySeconds"]?.int ?? 0
        {
            errors.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let selector = object[path: "spec", "selector"]
        if selector != old[path: "spec", "selector"] {
            errors.invalid("spec.selector", selector ?? .null, "field is immutable")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = object["status"] ?? [:]
        for member in [
            "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
            "unavailableReplicas", "collisionCount",
        ] {
            if let number = status[member]?.int, number < 0 {
                errors.invalid("status.\(member)", number, "must be greater than or equal to 0")
            }
        }
        let replicas = status["replicas"]?.int ?? 0
        for member in ["updatedReplicas", "readyReplicas", "availableReplicas"] {
            if let number = status[member]?.int, number > replicas {
                errors.invalid("status.\(member)", number, "cannot be greater than status.replicas")
            }
        }
        if let available = status["availableReplicas"]?.int, available > status["readyReplicas"]?.int ?? 0 {
            errors.invalid("status.availableReplicas", available, "cannot be greater than readyReplicas")
        }
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        (old == nil ? PodWarnings.name(object, isPod: false) : [])
            + TemplateRules.warnings(object, from: old, saysLimits: warnsOfRefusals)
    }
}

/// How a deployment replaces its pods.
enum RolloutRules {
    static func check(_ strategy: JSON, _ at: String, _ errors: inout FieldErrors) {
        let type = strategy["type"]?.string ?? ""
        switch type {
        case "Recreate":
            if strategy["rollingUpdate"] != nil {
                errors.forbidden("\(at).rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
            }
        case "RollingUpdate":
            guard let rolling = strategy["rollingUpdate"] else {
                return errors.required("\(at).rollingUpdate", "this should be defaulted and never be nil")
            }
            let field = "\(at).rollingUpdate"
            checkAmount(rolling["maxUnavailable"], "\(field).maxUnavailable", &errors)
            checkAmount(rolling["maxSurge"], "\(field).maxSurge", &errors)
            if amount(rolling["maxUnavailable"]) == 0, amount(rolling["maxSurge"]) == 0 {
                errors.invalid(
                    "\(field).maxUnavailable",
                    rolling["maxUnavailable"] ?? 0,
                    "may not be 0 when `maxSurge` is 0"
                )
            }
            if let text = rolling["maxUnavailable"]?.string, let percent = Int(text.dropLast()), percent > 100 {
                errors.invalid("\(field).maxUnavailable", text, "must not be greater than 100%")
            }
        case "": errors.required("\(at).type")
        default:
            // The whole is quoted, by the names of the real server's own type.
            errors.add(
                .notSupported,
                at,
                "Unsupported value: \(FieldErrors.shown(["Type": .string(type), "RollingUpdate": .null])): supported values: "
                    + "\"Recreate\", \"RollingUpdate\""
            )
        }
    }

    static func amount(_ value: JSON?) -> Int? {
        if let number = value?.int { return number }
        guard let text = value?.string, text.hasSuffix("%") else { return nil }
        return Int(text.dropLast())
    }

    static func checkAmount(_ value: JSON?, _ field: String, _ errors: inout FieldErrors) {
        switch value {
        case .string(let text)?:
            let digits = text.dropLast()
            let isPercent =
                text.hasSuffix("%") && !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
            if !isPercent {
                errors.invalid(
                    field,
                    text,
                    NameRules.regexMessage(
                        "a valid percent string must be a numeric string followed by an ending '%'",
                        "[0-9]+%",
                        examples: ["1%", "93%"]
                    )
                )
            }
        case .number(let number)?:
            if let number = number.int, number < 0 {
                errors.invalid(field, number, "must be greater than or equal to 0")
            }
        default: errors.invalid(field, value ?? .null, "must be an integer or percentage (e.g '5%%')")
        }
    }
}

struct ReplicaSetStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true)
    let warnsOfRefusals: Bool

    func setDefaults(_ object: inout JSON) {
        TemplateRules.setDefaults(&object)
        guard var spec = object["spec"], spec.object != nil else { return }
        PodDefaults.setIfAbsent(&spec, "replicas", 1)
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) { object["status"] = ["replicas": 0] }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        TemplateRules.atLeastZero(object, "replicas", &errors)
        TemplateRules.atLeastZero(object, "minReadySeconds", &errors)
        if TemplateRules.checkSelector(object, &errors) { TemplateRules.check(object, &errors) }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let selector = object[path: "spec", "selector"]
        if selector != old[path: "spec", "selector"] {
            errors.invalid("spec.selector", selector ?? .null, "field is immutable")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = object["status"] ?? [:]
        let replicas = status["replicas"]?.int ?? 0
        for member in ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"] {
            guard let number = status[member]?.int else { continue }
            if number < 0 { errors.invalid("status.\(member)", number, "must be greater than or equal to 0") }
            if member != "observedGeneration", number > replicas {
                errors.invalid("status.\(member)", number, "cannot be greater than status.replicas")
            }
        }
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        TemplateRules.warnings(object, from: old, saysLimits: warnsOfRefusals)
    }
}
