// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct JobStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true, orphansByDefault: true)
    let warnsOfRefusals: Bool

    private static let uidLabels = ["batch.kubernetes.io/controller-uid", "controller-uid"]
    private static let nameLabels = ["batch.kubernetes.io/job-name", "job-name"]

    func setDefaults(_ object: inout JSON) {
        TemplateRules.setDefaults(&object)
        // Unlike other workloads, a job must say how its pods restart.
        guard var spec = object["spec"], spec.object != nil else { return }
        if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
        PodDefaults.setIfAbsent(&spec, "parallelism", 1)
        PodDefaults.setIfAbsent(&spec, "backoffLimit", spec["backoffLimitPerIndex"] == nil ? 6 : JSON(Int(Int32.max)))
        PodDefaults.setIfAbsent(&spec, "completionMode", "NonIndexed")
        PodDefaults.setIfAbsent(&spec, "suspend", false)
        PodDefaults.setIfAbsent(&spec, "manualSelector", false)
        let replacement: JSON = spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed"
        PodDefaults.setIfAbsent(&spec, "podReplacementPolicy", replacement)
        if var policy = spec["podFailurePolicy"], policy.object != nil {
            PodDefaults.each(&policy, "rules") { rule in
                PodDefaults.each(&rule, "onPodConditions") { PodDefaults.setIfAbsent(&$0, "status", "True") }
            }
            spec["podFailurePolicy"] = policy
        }
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        object["status"] = [:]
        if object[path: "spec", "manualSelector"]?.bool != true { generateSelector(&object, context.uid) }
        if object[path: "metadata", "labels"]?.object?.isEmpty ?? true {
            object.set(object[path: "spec", "template", "metadata", "labels"], at: ["metadata", "labels"])
        }
    }

    /// Labels that only this job's pods have, and a selector for them.
    private func generateSelector(_ object: inout JSON, _ uid: String) {
        let name = object[path: "metadata", "name"]?.string ?? ""
        var labels = object[path: "spec", "template", "metadata", "labels"]?.stringMap ?? [:]
        for label in Self.nameLabels where labels[label] == nil { labels[label] = name }
        for label in Self.uidLabels where labels[label] == nil { labels[label] = uid }
        object.set(JSON(labels), at: ["spec", "template", "metadata", "labels"])
        guard object[path: "spec", "selector"] == nil else { return }
        object.set(["matchLabels": [Self.uidLabels[0]: .string(uid)]], at: ["spec", "selector"])
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        Self.checkSpec(object, &errors)
        if let selector = object[path: "spec", "selector"] {
            SelectorRules.check(selector, "spec.selector", &errors)
            TemplateRules.checkMatch(object, &errors)
        } else {
            errors.required("spec.selector")
        }
        Self.checkTemplate(object, &errors)
    }

    /// What holds for a job and for what a cron job makes jobs of, save the selector and the pods.
    static func checkSpec(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        for member in [
            "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
            "backoffLimitPerIndex", "maxFailedIndexes",
        ] {
            TemplateRules.atLeastZero(object, member, &errors)
        }
        checkModes(spec, &errors)
        JobPolicyRules.check(spec, &errors)
    }

    static func checkTemplate(_ object: JSON, _ errors: inout FieldErrors) {
        let template = object[path: "spec", "template"] ?? [:]
        TemplateRules.checkMetadata(template, &errors)
        let policy = template[path: "spec", "restartPolicy"]?.string ?? ""
        TemplateRules.checkPod(object, &errors)
        // What is left out becomes `Always`, which a job cannot do.
        if policy == "Always" {
            errors.required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"")
        }
    }

    private static func checkModes(_ spec: JSON, _ errors: inout FieldErrors) {
        let mode = spec["completionMode"]?.string ?? "NonIndexed"
        let modes = ["NonIndexed", "Indexed"]
        if !modes.contains(mode) { errors.notSupported("spec.completionMode", mode, modes) }
        if mode == "Indexed", spec["completions"] == nil {
            errors.required("spec.completions", "when completion mode is Indexed")
        }
        let replacement = spec["podReplacementPolicy"]?.string ?? ""
        let known = spec["podFailurePolicy"] == nil ? ["Failed", "TerminatingOrFailed"] : ["Failed"]
        if !replacement.isEmpty, !known.contains(replacement) {
            errors.notSupported("spec.podReplacementPolicy", replacement, known)
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        checkCompletions(object, old, &errors)
        for member in [
            "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy",
            "successPolicy",
        ]
        where object[path: "spec", member] != old[path: "spec", member] {
            errors.invalid("spec.\(member)", object[path: "spec", member] ?? .null, "field is immutable")
        }
        if template(of: object, beside: old) != template(of: old, beside: old) {
            errors.invalid("spec.template", object[path: "spec", "template"] ?? .null, "field is immutable")
        }
    }

    /// A job with a pod for each of its indexes at once may be made larger or smaller.
    private func checkCompletions(_ object: JSON, _ old: JSON, _ errors: inout FieldErrors) {
        let (now, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        guard now["completions"] != before["completions"] else { return }
        let given = now["completions"] ?? .null
        guard now["completionMode"] == "Indexed" else {
            return errors.invalid("spec.completions", given, "field is immutable")
        }
        // That an indexed job needs completions is said elsewhere.
        guard now["completions"] != nil else { return }
        guard now["completions"] != now["parallelism"] || before["completions"] != before["parallelism"] else { return }
        errors.invalid("spec.completions", given, "can only be modified in tandem with spec.parallelism")
    }

    /// What of the template may not change: where its pods go may, while the job was never started.
    private func template(of object: JSON, beside old: JSON) -> JSON? {
        guard var template = object[path: "spec", "template"] else { return nil }
        guard old[path: "spec", "suspend"]?.bool == true, old[path: "status", "startTime"] == nil else {
            return template
        }
        for path in [
            ["metadata", "labels"], ["metadata", "annotations"], ["spec", "nodeSelector"], ["spec", "tolerations"],
            ["spec", "schedulingGates"], ["spec", "affinity", "nodeAffinity"],
        ] {
            template.set(nil, at: path)
        }
        for holder in [["spec", "affinity"], ["metadata"]] where template[path: holder] == [:] {
            template.set(nil, at: holder)
        }
        return template
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        (old == nil ? PodWarnings.name(object, isPod: false) : [])
            + TemplateRules.warnings(object, from: old, saysLimits: warnsOfRefusals)
    }
}
