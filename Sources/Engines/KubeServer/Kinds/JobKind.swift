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
    }

    func complete(_ object: inout JSON) {
        guard object[path: "metadata", "labels"]?.object?.isEmpty ?? true else { return }
        object.set(object[path: "spec", "template", "metadata", "labels"], at: ["metadata", "labels"])
    }

    /// Labels that only this job's pods have, and a selector for them.
    private func generateSelector(_ object: inout JSON, _ uid: String) {
        let name = object[path: "metadata", "name"]?.string ?? ""
        var labels = object[path: "spec", "template", "metadata", "labels"]?.stringMap ?? [:]
        for label in Self.nameLabels where labels[label] == nil { labels[label] = name }
        for label in Self.uidLabels where labels[label] == nil { labels[label] = uid }
        object.set(JSON(labels), at: ["spec", "template", "metadata", "labels"])
        object.set(.string(uid), at: ["spec", "selector", "matchLabels", Self.uidLabels[0]])
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        checkGenerated(object, &errors)
        checkWhole(object, &errors)
        checkHostnames(object, &errors)
    }

    /// The spec with the selector and the pods.
    private func checkWhole(_ object: JSON, _ errors: inout FieldErrors) {
        Self.checkSpec(object, &errors)
        Self.checkTemplate(object, &errors)
        if let selector = object[path: "spec", "selector"] {
            SelectorRules.check(selector, "spec.selector", &errors)
        } else {
            errors.required("spec.selector")
        }
        TemplateRules.checkMatch(object, &errors)
    }

    /// Unless somebody chose the selector, the labels it goes by are the job's own.
    private func checkGenerated(_ object: JSON, _ errors: inout FieldErrors) {
        guard object[path: "spec", "manualSelector"]?.bool != true,
            let selector = object[path: "spec", "selector"].flatMap({ LabelSelector(json: $0) })
        else { return }
        let labels = object[path: "spec", "template", "metadata", "labels"] ?? .null
        let uid = object[path: "metadata", "uid"]?.string ?? ""
        let name = object[path: "metadata", "name"]?.string ?? ""
        var expected: [String: String] = [:]
        for (uidLabel, nameLabel) in zip(Self.uidLabels.reversed(), Self.nameLabels.reversed()) {
            for (label, wanted) in [(uidLabel, uid), (nameLabel, name)] {
                expected[label] = wanted
                let field = "spec.template.metadata.labels"
                guard let given = labels[label]?.string else {
                    errors.required("\(field).\(label)", "must be '\(wanted)'")
                    continue
                }
                if given != wanted { errors.invalid("\(field)[\(label)]", labels, "must be '\(wanted)'") }
            }
        }
        if !selector.isEmpty, !selector.matches(expected) {
            errors.invalid("spec.selector", object[path: "spec", "selector"] ?? .null, "`selector` not auto-generated")
        }
    }

    /// The pods of an indexed job are called after it, with the index behind.
    private func checkHostnames(_ object: JSON, _ errors: inout FieldErrors) {
        guard object[path: "spec", "completionMode"] == "Indexed",
            let count = object[path: "spec", "completions"]?.int, count > 0
        else { return }
        let name = object[path: "metadata", "name"]?.string ?? ""
        let last = "\(name)-\(count - 1)"
        guard !NameRules.dnsLabelProblems(last).isEmpty else { return }
        errors.invalid("metadata.name", name, "will not able to create pod with invalid DNS label: \(last)")
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
        if let manager = spec["managedBy"]?.string { checkManager(manager, &errors) }
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

    private static let mostParallel = 100_000

    private static func checkManager(_ manager: String, _ errors: inout FieldErrors) {
        let parts = manager.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count < 2 || parts[0].isEmpty || parts[1].isEmpty {
            errors.invalid("spec.managedBy", manager, "must be a domain-prefixed path (such as \"acme.io/foo\")")
        } else {
            for problem in NameRules.dnsSubdomainProblems(parts[0]) {
                errors.invalid("spec.managedBy", parts[0], problem)
            }
        }
        if manager.utf8.count > 63 { errors.tooLong("spec.managedBy", 63) }
    }

    private static func checkModes(_ spec: JSON, _ errors: inout FieldErrors) {
        let mode = spec["completionMode"]?.string ?? "NonIndexed"
        let modes = ["NonIndexed", "Indexed"]
        if !modes.contains(mode) { errors.notSupported("spec.completionMode", mode, modes) }
        if mode == "Indexed", spec["completions"] == nil {
            errors.required("spec.completions", "when completion mode is Indexed")
        }
        if mode == "Indexed", let parallelism = spec["parallelism"]?.int, parallelism > mostParallel {
            errors.invalid(
                "spec.parallelism",
                parallelism,
                "must be less than or equal to \(mostParallel) when completion mode is Indexed"
            )
        }
        let replacement = spec["podReplacementPolicy"]?.string ?? ""
        let known = spec["podFailurePolicy"] == nil ? ["Failed", "TerminatingOrFailed"] : ["Failed"]
        if !replacement.isEmpty, !known.contains(replacement) {
            errors.notSupported("spec.podReplacementPolicy", replacement, known)
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        checkWhole(object, &errors)
        checkCompletions(object, old, &errors)
        checkSame("selector", object, old, &errors)
        checkTemplate(object, from: old, &errors)
        for member in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
            checkSame(member, object, old, &errors)
        }
    }

    private func checkSame(_ member: String, _ object: JSON, _ old: JSON, _ errors: inout FieldErrors) {
        let value = object[path: "spec", member]
        guard value != old[path: "spec", member] else { return }
        let types = ["podFailurePolicy": "PodFailurePolicy", "successPolicy": "SuccessPolicy"]
        let shown = types[member].flatMap { type in value.map { InternalForm.value($0, as: type) } }
        errors.invalid("spec.\(member)", shown ?? value ?? .null, "field is immutable")
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

    /// The template stays, save what a suspended job asks for, and where its pods go while it was never started.
    private func checkTemplate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = ["spec", "template"]
        var (now, before) = (object[path: path] ?? [:], old[path: path] ?? [:])
        let isSuspended = old[path: "spec", "suspend"]?.bool == true
        let shown = now
        if isSuspended, old[path: "status", "startTime"] == nil {
            Self.dropPlaces(&now)
            Self.dropPlaces(&before)
        }
        guard isSuspended else {
            if now != before { errors.invalid("spec.template", InternalForm.template(shown), "field is immutable") }
            return
        }
        (now, before) = (Self.withoutResources(now), Self.withoutResources(before))
        guard now["spec"] != before["spec"] else { return }
        errors.invalid("spec.template.spec", InternalForm.value(shown["spec"], as: "PodSpec"), "field is immutable")
    }

    private static func dropPlaces(_ template: inout JSON) {
        for path in [
            ["metadata", "labels"], ["metadata", "annotations"], ["spec", "nodeSelector"], ["spec", "tolerations"],
            ["spec", "schedulingGates"], ["spec", "affinity", "nodeAffinity"],
        ] {
            template.set(nil, at: path)
        }
        for holder in [["spec", "affinity"], ["metadata"]] where template[path: holder] == [:] {
            template.set(nil, at: holder)
        }
    }

    private static func withoutResources(_ template: JSON) -> JSON {
        var spec = template["spec"] ?? [:]
        for member in ["containers", "initContainers"] { PodDefaults.each(&spec, member) { $0["resources"] = nil } }
        return ["spec": spec]
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        (old == nil ? PodWarnings.name(object, isPod: false) : [])
            + TemplateRules.warnings(object, from: old, saysLimits: warnsOfRefusals)
    }
}
