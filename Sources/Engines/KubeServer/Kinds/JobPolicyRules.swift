// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Rules for a job's `podFailurePolicy`, `successPolicy` and limits per index.
enum JobPolicyRules {
    private static let mostRules = 20

    static func check(_ spec: JSON, _ errors: inout FieldErrors) {
        checkIndexLimits(spec, &errors)
        if let policy = spec["podFailurePolicy"], policy.object != nil { checkFailures(policy, spec, &errors) }
        if let policy = spec["successPolicy"], policy.object != nil { checkSuccess(policy, spec, &errors) }
        checkRestarts(spec, &errors)
    }

    // MARK: Limits per index

    private static let needsIndexes = "requires indexed completion mode"

    private static func checkIndexLimits(_ spec: JSON, _ errors: inout FieldErrors) {
        let most = spec["maxFailedIndexes"]?.int
        guard spec["completionMode"]?.string == "Indexed" else {
            for member in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if let limit = spec[member]?.int { errors.invalid("spec.\(member)", limit, needsIndexes) }
            }
            return
        }
        guard let most else { return }
        if spec["backoffLimitPerIndex"] == nil {
            errors.required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")
        }
        if let completions = spec["completions"]?.int, most > completions {
            errors.invalid("spec.maxFailedIndexes", most, "must be less than or equal to completions")
        }
    }

    /// Containers that restart in place leave no pod that failed.
    private static func checkRestarts(_ spec: JSON, _ errors: inout FieldErrors) {
        let policy = spec[path: "template", "spec", "restartPolicy"]?.string ?? ""
        guard policy != "Never" else { return }
        for member in ["podFailurePolicy", "backoffLimitPerIndex"] where spec[member] != nil {
            errors.invalid(
                "spec.template.spec.restartPolicy",
                policy,
                "only \"Never\" is supported when \(member) is specified"
            )
        }
    }

    // MARK: Failures

    private static func checkFailures(_ policy: JSON, _ spec: JSON, _ errors: inout FieldErrors) {
        let rules = policy["rules"]?.array ?? []
        if rules.count > mostRules { errors.tooMany("spec.podFailurePolicy.rules", rules.count, mostRules) }
        for (place, rule) in rules.enumerated() {
            checkFailureRule(rule, spec, "spec.podFailurePolicy.rules[\(place)]", &errors)
        }
    }

    private static let actions = ["Count", "FailIndex", "FailJob", "Ignore"]

    private static func checkFailureRule(_ rule: JSON, _ spec: JSON, _ at: String, _ errors: inout FieldErrors) {
        let action = rule["action"]?.string ?? ""
        if action.isEmpty {
            let list = actions.map { FieldErrors.quoted($0) }.joined(separator: " ")
            errors.required("\(at).action", "valid values: [\(list)]")
        } else if action == "FailIndex" {
            if spec["backoffLimitPerIndex"] == nil {
                errors.invalid("\(at).action", action, "requires the backoffLimitPerIndex to be set")
            }
        } else if !actions.contains(action) {
            errors.notSupported("\(at).action", action, actions)
        }
        let codes = rule["onExitCodes"].flatMap { $0.object == nil ? nil : $0 }
        let conditions = rule["onPodConditions"]?.array ?? []
        if let codes { checkExitCodes(codes, spec, "\(at).onExitCodes", &errors) }
        if conditions.count > mostRules { errors.tooMany("\(at).onPodConditions", conditions.count, mostRules) }
        for (place, pattern) in conditions.enumerated() {
            checkCondition(pattern, "\(at).onPodConditions[\(place)]", &errors)
        }
        let both = "specifying both OnExitCodes and OnPodConditions is not supported"
        let none = "specifying one of OnExitCodes and OnPodConditions is required"
        if codes != nil, !conditions.isEmpty { errors.add(.invalid, at, "Invalid value: \(both)") }
        if codes == nil, conditions.isEmpty { errors.add(.invalid, at, "Invalid value: \(none)") }
    }

    private static func checkExitCodes(_ rule: JSON, _ spec: JSON, _ at: String, _ errors: inout FieldErrors) {
        let kind = rule["operator"]?.string ?? ""
        if kind.isEmpty {
            errors.required("\(at).operator", "valid values: [\"In\" \"NotIn\"]")
        } else if !["In", "NotIn"].contains(kind) {
            errors.notSupported("\(at).operator", kind, ["In", "NotIn"])
        }
        if let name = rule["containerName"]?.string {
            let names = ["containers", "initContainers"]
                .flatMap { spec[path: "template", "spec", $0]?.array ?? [] }.compactMap { $0["name"]?.string }
            if !names.contains(name) {
                let words = "must be one of the container or initContainer names in the pod template"
                errors.invalid("\(at).containerName", name, words)
            }
        }
        let codes = (rule["values"]?.array ?? []).compactMap(\.int)
        if codes.isEmpty { errors.invalid("\(at).values", rule["values"] ?? [], "at least one value is required") }
        if codes.count > 255 { errors.tooMany("\(at).values", codes.count, 255) }
        var seen: Set<Int> = []
        for (place, code) in codes.enumerated() {
            if code == 0, kind == "In" {
                errors.invalid("\(at).values[\(place)]", 0, "must not be 0 for the In operator")
            }
            if !seen.insert(code).inserted { errors.duplicate("\(at).values[\(place)]", JSON(code)) }
        }
        if codes != codes.sorted() { errors.invalid("\(at).values", rule["values"] ?? [], "must be ordered") }
    }

    private static func checkCondition(_ pattern: JSON, _ at: String, _ errors: inout FieldErrors) {
        let type = pattern["type"]?.string ?? ""
        for problem in NameRules.qualifiedNameProblems(type) { errors.invalid("\(at).type", type, problem) }
        let states = ["False", "True", "Unknown"]
        let status = pattern["status"]?.string ?? ""
        if status.isEmpty {
            errors.required("\(at).status", "valid values: [\"False\" \"True\" \"Unknown\"]")
        } else if !states.contains(status) {
            errors.notSupported("\(at).status", status, states)
        }
    }

    // MARK: Success

    private static func checkSuccess(_ policy: JSON, _ spec: JSON, _ errors: inout FieldErrors) {
        let at = "spec.successPolicy"
        guard spec["completionMode"]?.string == "Indexed" else {
            return errors.invalid(at, InternalForm.value(policy, as: "SuccessPolicy"), needsIndexes)
        }
        let rules = policy["rules"]?.array ?? []
        if rules.isEmpty {
            errors.required("\(at).rules", "at least one rules must be specified when the successPolicy is specified")
        }
        if rules.count > mostRules { errors.tooMany("\(at).rules", rules.count, mostRules) }
        for (place, rule) in rules.enumerated() {
            checkSuccessRule(rule, spec["completions"]?.int ?? 0, "\(at).rules[\(place)]", &errors)
        }
    }

    private static func checkSuccessRule(_ rule: JSON, _ completions: Int, _ at: String, _ errors: inout FieldErrors) {
        let (count, text) = (rule["succeededCount"]?.int, rule["succeededIndexes"]?.string)
        if count == nil, text == nil {
            errors.required(at, "at least one of succeededCount or succeededIndexes must be specified")
        }
        if let count {
            if count < 1 { errors.invalid("\(at).succeededCount", count, "must be greater than zero") }
            if count > completions {
                let words = "must be less than or equal to \(completions) (the number of specified completions)"
                errors.invalid("\(at).succeededCount", count, words)
            }
        }
        guard let text else { return }
        guard text.utf8.count <= 65536 else { return errors.tooLong("\(at).succeededIndexes", 65536) }
        do {
            let total = try CompletionIndexes.count(text, below: completions)
            guard let count, count > total else { return }
            let words =
                "must be less than or equal to \(total) (the number of indexes in the specified succeededIndexes field)"
            errors.invalid("\(at).succeededCount", count, words)
        } catch {
            errors.invalid("\(at).succeededIndexes", text, "error parsing succeededIndexes: \(error.message)")
        }
    }
}

extension CompletionIndexes {
    /// Why a text lists no indexes.
    struct Malformed: Error {
        var message: String
    }

    /// How many indexes a text lists: numbers and ranges, rising.
    static func count(_ text: String, below limit: Int) throws(Malformed) -> Int {
        guard !text.isEmpty else { return 0 }
        var (total, last) = (0, -1)
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2 else { throw Malformed(message: "the interval \(part) is invalid") }
            var bounds: [Int] = []
            for end in ends {
                guard let number = Int(end), number >= 0 else {
                    throw Malformed(message: "cannot convert string to integer for index: \"\(end)\"")
                }
                guard number < limit else { throw Malformed(message: "too large index: \"\(number)\"") }
                bounds.append(number)
            }
            let (first, end) = (bounds[0], bounds[bounds.count - 1])
            guard first > last else {
                throw Malformed(message: "non-increasing order, previous: \(last), current: \(first)")
            }
            guard bounds.count == 1 || end > first else {
                throw Malformed(message: "non-increasing order, previous: \(first), current: \(end)")
            }
            total += end - first + 1
            last = end
        }
        return total
    }
}
