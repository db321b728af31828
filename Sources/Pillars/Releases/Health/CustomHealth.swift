// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Custom resources, by what most of them have in common: conditions, a word for the phase, counts of replicas.
///
/// What only some kinds do stands in CustomRule's table. Doubtful words leave an object in progress: a release that
/// waits in vain is told so in time, one that fails in vain is undone.
struct CustomHealth {
    private let object: KubeObject
    private let rule: CustomRule
    private let conditions: [Condition]
    private let isKnown: Bool

    /// `nil` where the object says nothing at all and nobody would expect it to.
    static func of(_ object: KubeObject) -> Health? {
        // Kinds that Kubernetes itself brings are named by groups without a dot, or with one of its own.
        guard object.group.contains("."), !builtIn.contains(object.group) else { return nil }
        return CustomHealth(object).health
    }

    private static let builtIn: Set<String> = [
        "rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io", "scheduling.k8s.io", "node.k8s.io",
        "coordination.k8s.io", "discovery.k8s.io", "admissionregistration.k8s.io", "apiregistration.k8s.io",
        "apiextensions.k8s.io", "certificates.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
        "resource.k8s.io", "internal.apiserver.k8s.io", "storagemigration.k8s.io", "ballast.dev",
    ]

    private init(_ object: KubeObject) {
        self.object = object
        let rule = CustomRule.of(object.kind, object.group)
        self.rule = rule ?? CustomRule()
        isKnown = rule != nil
        conditions = object.conditions + Self.nested(in: object.status)
    }

    /// Routes and policies have conditions for each parent.
    private static func nested(in status: JSON) -> [Condition] {
        ["parents", "ancestors", "ingress"].flatMap { status[$0]?.array ?? [] }
            .flatMap { $0["conditions"]?.array ?? [] }.compactMap { Condition($0) }
    }

    private var health: Health {
        if object.kind == "Rollout", object.group == "argoproj.io" { return RolloutHealth.of(object) }
        if let paused { return paused }
        guard let status = object.status.object, !status.isEmpty else { return silent }
        return stale ?? plainFailure ?? named ?? working ?? decided ?? counted ?? untold
    }

    // MARK: Before anything is read

    private static let pauses: [String: String] = [
        "cluster.x-k8s.io/paused": "", "autoscaling.keda.sh/paused": "", "crossplane.io/paused": "true",
        "cnpg.io/hibernation": "on", "cnpg.io/reconciliationLoop": "disabled",
    ]

    private var paused: Health? {
        let spec = object.spec
        let places = [spec, spec["updateStrategy"], spec[path: "updateStrategy", "rollingUpdate"], spec["strategy"]]
        let isPaused = places.contains { place in
            ["suspend", "suspended", "paused", "pause"].contains { place?[$0]?.bool == true }
        }
        let isMarked = object.annotations.contains { key, value in
            Self.pauses[key].map { $0.isEmpty || $0 == value } ?? false
        }
        return isPaused || isMarked ? Health(.suspended, "Paused", "it is paused") : nil
    }

    /// Somebody will most likely take it up, and if nobody does, nobody ever will.
    private var silent: Health {
        // A repository that is only an address has nothing to report on.
        let isAddress = object.kind == "HelmRepository" && object.spec["type"]?.string == "oci"
        guard !rule.isSilent, !isAddress else { return .current() }
        return Health(.inProgress, "NoStatus", "its controller has not reported on it yet", isOptional: !isKnown)
    }

    private var stale: Health? {
        guard object.metadata["generation"] != nil,
            conditions.contains(where: { $0.observedGeneration.map { $0 < object.generation } ?? false })
        else { return nil }
        return .inProgress("LatestGenerationNotObserved", "its conditions are about an older generation")
    }

    // MARK: What needs no weighing

    private static let bad: Set<String> = [
        "Failed", "Degraded", "Error", "ReconcileError", "Errored", "Failure", "Invalid", "SpecError",
        "SubmissionError",
        "InvalidSpec", "ConfigError", "ErrorOccurred", "ReplicaFailure", "Failing", "NotReady", "PartiallyReady",
        "Orphan", "Fallback", "Rejected", "FailedCreatePod", "Unhealthy", "Warning",
    ]

    /// Conditions that hold once the work is over, well or not.
    private static let ended: Set<String> = ["Complete", "Completed", "Finished"]

    private static let errorMembers = ["error", "errMsg", "errorMessage"]

    private static func errorText(_ value: JSON?) -> String? {
        (value?.string ?? value?["message"]?.string).flatMap { $0.isEmpty ? nil : $0 }
    }

    private var isReady: Bool { conditions.contains { $0.type == "Ready" && $0.isTrue } }

    private var plainFailure: Health? {
        if let words = (object.status["failureMessage"] ?? object.status["failureReason"])?.string, !words.isEmpty {
            return .failed(object.status["failureReason"]?.string ?? "Failed", words)
        }
        if let flag = rule.flags.first(where: { object.status[$0]?.bool == true }) {
            return .failed(flag, "it says \(flag)")
        }
        if let words = Self.errorMembers.lazy.compactMap({ Self.errorText(object.status[$0]) }).first {
            return .failed("Error", words)
        }
        if let pause = conditions.first(where: { ["Paused", "Suspended"].contains($0.type) && $0.isTrue }) {
            return Health(.suspended, pause.reason(or: pause.type), pause.words)
        }
        for condition in conditions {
            switch condition.reason {
            case "ReconcilePaused", "Paused", "RolloutPaused":
                return Health(.suspended, condition.reason, condition.words)
            case "ProgressDeadlineExceeded", "RolloutAborted": return .failed(condition.reason, condition.words)
            default: continue
            }
        }
        let found = conditions.first { condition in
            if condition.isFalse { return condition.severity == "Error" }
            guard condition.isTrue else { return false }
            if Self.ended.contains(condition.type) { return condition.reason.lowercased().contains("fail") }
            return Self.bad.contains(condition.type) && !(condition.type == "PartiallyReady" && isReady)
        }
        return found.map { .failed($0.reason(or: $0.type), $0.words) }
    }

    // MARK: Words

    /// The worst of the words that the rule for the kind names.
    private var named: Health? {
        let found = rule.words.flatMap { Self.leaves(of: object.status, $0.split(separator: ".")[...]) }
        guard let worst = worst(of: found) else { return nil }
        guard worst.state == .current else { return worst }
        if object.status["pass"]?.bool == false { return .failed("NotPassed", "it is over, and has not passed") }
        if let lack = CustomCounts(object).lackOfNodes { return lack }
        if let unready = conditions.first(where: { $0.type == "Ready" && !$0.isTrue }) { return verdict(on: unready) }
        let isUntold = !rule.conditions.isEmpty && !conditions.contains { rule.conditions.contains($0.type) }
        return isUntold ? .inProgress("NoStatus", "it has not reported on \(rule.conditions[0]) yet") : worst
    }

    private func worst(of words: [String]) -> Health? {
        let ranks: [Health.State] = [.failed, .missing, .unknown, .suspended, .inProgress, .current]
        let found = words.compactMap { word in state(of: word).map { (word, $0) } }
        for rank in ranks {
            guard let (word, _) = found.first(where: { $0.1 == rank }) else { continue }
            let message = object.status["message"]?.string ?? object.status["reason"]?.string ?? ""
            return Health(
                rank,
                Self.reason(word),
                message.isEmpty ? "it says \(word.isEmpty ? "nothing yet" : word)" : message
            )
        }
        return nil
    }

    private func state(of word: String) -> Health.State? {
        if rule.suspended.contains(word) { return .suspended }
        if rule.failed.contains(word) { return .failed }
        return StatusWords.state(word, runningIsDone: rule.runningIsDone)
    }

    /// A word in the form of a reason: letters and digits only.
    private static func reason(_ word: String) -> String {
        let letters = word.filter { $0.isLetter || $0.isNumber }
        return letters.isEmpty ? "NoStatus" : letters.prefix(1).uppercased() + letters.dropFirst()
    }

    private static func leaves(of value: JSON, _ path: ArraySlice<Substring>) -> [String] {
        guard let first = path.first else { return value.scalarText.map { [$0] } ?? [] }
        let rest = path.dropFirst()
        switch value {
        case .object(let members) where first == "*": return members.flatMap { leaves(of: $0.value, rest) }
        case .object(let members):
            return members.filter { $0.key.lowercased() == first.lowercased() }.flatMap { leaves(of: $0.value, rest) }
        case .array(let elements): return elements.flatMap { leaves(of: $0, path) }
        default: return []
        }
    }

    private static let wordEndings = ["phase", "state", "status", "health", "result", "stage"]

    /// Words that no rule names, by the names of the members they stand in.
    private var wordsAtLarge: [String] {
        guard !rule.ignoresWords else { return [] }
        func isTelling(_ key: String) -> Bool { Self.wordEndings.contains { key.lowercased().hasSuffix($0) } }
        return (object.status.object ?? [:]).filter { isTelling($0.key) }.flatMap { member -> [String] in
            if let text = member.value.string { return [text] }
            return (member.value.object ?? [:]).filter { isTelling($0.key) }.compactMap(\.value.string)
        }
    }

    // MARK: Conditions

    private static let done: Set<String> = ["NewReplicaSetAvailable", "NewReplicationControllerAvailable"]

    /// `EKSControlPlaneUpdating` as well as `Updating`.
    private static func isWork(_ type: String) -> Bool {
        ["Progressing", "Issuing", "In-progress"].contains(type)
            || ["Updating", "Creating", "Upgrading"].contains { type.hasSuffix($0) }
    }

    private var working: Health? {
        if let busy = conditions.first(where: { Self.isWork($0.type) && $0.isTrue && !Self.done.contains($0.reason) }) {
            return .inProgress(busy.reason(or: busy.type), busy.words)
        }
        let deciding = rule.conditions
        if !deciding.isEmpty, !conditions.contains(where: { deciding.contains($0.type) }), wordsAtLarge.isEmpty {
            return .inProgress("NoStatus", "it has not reported on \(deciding[0]) yet")
        }
        // Operators made with a common kit say so for as long as they work.
        let running = conditions.first { $0.type == "Running" && $0.isTrue && $0.reason == "Running" }
        return running.flatMap { !isReady ? .inProgress("Running", $0.words) : nil }
    }

    private static let common = [
        "Ready", "Available", "Healthy", "Succeeded", "Complete", "Completed", "Finished", "Synced", "Programmed",
        "Accepted", "Reconciled", "Deployed", "Configured", "Installed", "Provisioned", "Applied", "ResourcesApplied",
        "Valid", "Established", "Bound", "Compliant", "ReconcileSuccess", "AllReplicasReady", "ClusterAvailable",
        "Active",
        "Successful", "Up", "ResolvedRefs", "ResourcesUpToDate", "Admitted", "Initialized", "Created", "Enforced",
        "Published", "Registered",
    ]
    private static let endings = [
        "Ready", "Available", "Healthy", "Succeeded", "Complete", "Completed", "Applied", "Synced", "Synchronized",
        "Success", "Accepted", "Valid", "Created", "Provisioned", "Deployed", "Running", "Installed",
    ]

    /// The conditions that tell whether it is as asked, the strongest first.
    private var deciding: [Condition] {
        var found = (rule.conditions + Self.common.filter { !rule.conditions.contains($0) }).flatMap { type in
            conditions.filter { $0.type == type }
        }
        if found.isEmpty {
            found = conditions.filter { condition in Self.endings.contains { condition.type.hasSuffix($0) } }
        }
        if found.contains(where: { $0.type == "Ready" }) {
            found = found.filter { ["Ready", "Synced", "Healthy"].contains($0.type) }
        }
        let taken = Set(found.map(\.type))
        return found + conditions.filter { $0.type.hasSuffix("Healthy") && !taken.contains($0.type) }
    }

    /// Conditions that are false because of what was asked, not because it takes its time.
    private static let judgements: Set<String> = ["Valid", "Accepted", "Admitted", "ResolvedRefs"]

    private func verdict(on condition: Condition) -> Health {
        let isHard = condition.isFalse && !rule.soft.contains(condition.type)
        let otherwise: Health.State = isHard && Self.judgements.contains(condition.type) ? .failed : .inProgress
        let state: Health.State =
            isHard && rule.falseIsFailure ? .failed : StatusWords.tone(ofReason: condition.reason, otherwise: otherwise)
        return Health(state, condition.reason(or: "Not\(condition.type)"), condition.words)
    }

    private var decided: Health? {
        let deciding = deciding
        if let bad = deciding.first(where: \.isFalse) ?? deciding.first(where: { !$0.isTrue }) {
            // One that will not come about says more than one that is on its way.
            let verdicts = deciding.filter(\.isFalse).map(verdict)
            return verdicts.first { $0.state == .failed } ?? verdict(on: bad)
        }
        if let told = worst(of: wordsAtLarge), deciding.isEmpty || ![.unknown, .missing].contains(told.state) {
            return told
        }
        return deciding.first.map { .current("the condition \($0.type) holds", $0.reason(or: $0.type)) }
    }

    // MARK: What is left

    private var counted: Health? {
        if let health = CustomCounts(object).health { return health }
        for key in ["ready", "readyToUse"] {
            guard let isReady = object.status[key]?.bool else { continue }
            return isReady ? .current("ready") : .inProgress("NotReady", "it is not ready yet")
        }
        return nil
    }

    private var untold: Health {
        let isAwaited = rule.needsWords || !rule.words.isEmpty
        return isAwaited && conditions.isEmpty
            ? .inProgress("NoStatus", "its controller has not said how it is yet")
            : .current("it reports nothing to wait for")
    }
}
