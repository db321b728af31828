// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct CronJobStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"], hasStatus: true)
    let warnsOfRefusals: Bool

    func setDefaults(_ object: inout JSON) {
        guard var spec = object["spec"], spec.object != nil else { return }
        PodDefaults.setIfAbsent(&spec, "concurrencyPolicy", "Allow")
        PodDefaults.setIfAbsent(&spec, "suspend", false)
        PodDefaults.setIfAbsent(&spec, "successfulJobsHistoryLimit", 3)
        PodDefaults.setIfAbsent(&spec, "failedJobsHistoryLimit", 1)
        // The jobs get their own defaults when they are made.
        if var pod = spec[path: "jobTemplate", "spec", "template", "spec"], pod.object != nil {
            PodDefaults.fill(&pod)
            spec.set(pod, at: ["jobTemplate", "spec", "template", "spec"])
        }
        object["spec"] = spec
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) { object["status"] = [:] }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let schedule = spec["schedule"]?.string ?? ""
        if schedule.isEmpty {
            errors.required("spec.schedule")
        } else {
            do {
                _ = try CronSchedule(schedule)
            } catch {
                errors.invalid("spec.schedule", schedule, error.description)
            }
        }
        for member in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
            TemplateRules.atLeastZero(object, member, &errors)
        }
        let policy = spec["concurrencyPolicy"]?.string ?? ""
        let policies = ["Allow", "Forbid", "Replace"]
        if policy.isEmpty {
            errors.required("spec.concurrencyPolicy")
        } else if !policies.contains(policy) {
            errors.notSupported("spec.concurrencyPolicy", policy, policies)
        }
        checkJob(Self.job(object), &errors)
    }

    /// The template as if it were a job.
    static func job(_ object: JSON) -> JSON { ["spec": object[path: "spec", "jobTemplate", "spec"] ?? [:]] }

    private func checkJob(_ job: JSON, _ errors: inout FieldErrors) {
        var found = FieldErrors()
        JobStrategy.checkSpec(job, &found)
        JobStrategy.checkTemplate(job, &found)
        if let selector = job[path: "spec", "selector"] {
            found.invalid("spec.selector", selector, "`selector` will be auto-generated")
        }
        if job[path: "spec", "manualSelector"]?.bool == true {
            found.add(
                .notSupported,
                "spec.manualSelector",
                "Unsupported value: true: supported values: \"nil\", \"false\""
            )
        }
        for error in found.all { errors.add(error.kind, "spec.jobTemplate.\(error.field)", error.message) }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let schedule = object[path: "spec", "schedule"]?.string ?? ""
        if schedule.contains("TZ") {
            errors.invalid(
                "spec.schedule",
                schedule,
                "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            )
        }
        checkZone(object, &errors)
        // The names of its jobs end in eleven more characters.
        let name = object[path: "metadata", "name"]?.string ?? ""
        if name.utf8.count > 52 { errors.invalid("metadata.name", name, "must be no more than 52 characters") }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let schedule = object[path: "spec", "schedule"]?.string ?? ""
        if schedule.contains("TZ") {
            if !(old[path: "spec", "schedule"]?.string ?? "").contains("TZ") {
                errors.invalid(
                    "spec.schedule",
                    schedule,
                    "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
                )
            } else if object[path: "spec", "timeZone"] != nil {
                errors.invalid(
                    "spec.schedule",
                    schedule,
                    "cannot use both timeZone field and TZ or CRON_TZ in schedule"
                )
            }
        }
        if object[path: "spec", "timeZone"] != old[path: "spec", "timeZone"] { checkZone(object, &errors) }
    }

    private func checkZone(_ object: JSON, _ errors: inout FieldErrors) {
        guard let name = object[path: "spec", "timeZone"]?.string else { return }
        if name.isEmpty {
            errors.invalid("spec.timeZone", name, "timeZone must be nil or non-empty string")
        } else if name.lowercased() == "local" {
            errors.invalid(
                "spec.timeZone",
                name,
                "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
            )
        } else if ZoneRules(named: name) == nil {
            errors.invalid("spec.timeZone", name, "unknown time zone \(name)")
        }
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        let template = TemplateRules.warnings(
            Self.job(object),
            from: old.map(Self.job),
            saysLimits: warnsOfRefusals,
            at: "spec.jobTemplate.spec.template.spec"
        )
        return (old == nil ? PodWarnings.name(object, isPod: false) : []) + template
    }
}
