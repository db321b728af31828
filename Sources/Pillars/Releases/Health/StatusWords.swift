// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What the one word means in which many custom resources tell how they are: `Running`, `ImportInProgress`, `green`.
enum StatusWords {
    private static let good: Set<String> = [
        "ready", "running", "active", "healthy", "available", "succeed", "success", "successful", "succeeded",
        "complete",
        "completed", "finished", "bound", "deployed", "ok", "green", "synced", "online", "normal", "up", "valid",
        "accepted", "created", "established", "installed", "provisioned", "reconciled", "stable", "enabled", "done",
        "applied", "attached", "detached", "updated", "configured", "passed", "pass", "open", "connected", "true",
        "insync", "in-sync", "joined", "uptodate", "up-to-date", "loaded", "issued", "serving", "operational",
        "delivered", "approved", "verified", "initialized", "idle", "exists", "compliant", "operating", "live",
        "promoted", "fulfilled", "satisfied", "readytouse", "clusterrunning", "1",
    ]
    private static let paused: Set<String> = [
        "suspended", "suspend", "suspending", "paused", "pause", "pausing", "stopped", "stop", "hibernated", "disabled",
        "shutdown", "halted", "scaled-to-zero",
    ]
    private static let signsOfFailure = [
        "fail", "error", "invalid", "denied", "unauthor", "forbid", "exceed", "conflict", "timeout", "timedout",
        "cannot",
        "mismatch", "crash", "unhealthy", "abort", "reject", "degraded", "misconfig", "lost", "unsupported", "refus",
        "broken", "unresolv", "unable", "incompat", "expired", "duplicate", "cancel", "noncompliant", "notpermitted",
        "notadopted", "warning", "incorrect", "not allowed", "inconclusive", "unexpected", "stuck", "unreachable",
        "already exist", "not set properly", "different version", "out of control",
    ]
    private static let signsOfWork = [
        "progress", "pending", "creat", "wait", "provision", "install", "initial", "reconcil", "depend", "issuing",
        "starting", "updating", "scaling", "deploying", "queue", "schedul", "syncing", "bootstrap", "preparing",
        "notready", "not ready", "upgrad", "deleting", "terminating", "restart", "building", "migrat", "resiz",
        "attaching", "copying", "import", "verifying", "new", "rolling", "configuring", "joining", "yellow", "backing",
        "restor", "upload", "download", "transition", "booting", "applying", "processing", "connecting", "draining",
        "cloning", "modifying", "rebooting", "warming", "stopping", "doesnotexist", "submitted", "executing",
        "notcomplete", "unavailable", "changes", "finali", "requested", "started", "hibernating", "resum", "expanding",
        "decommission", "outofsync",
    ]

    /// What a status word says; `nil` where it is in no vocabulary. To some kinds `Running` means that they are not
    /// through yet.
    static func state(_ word: String, runningIsDone: Bool) -> Health.State? {
        let word = word.lowercased().filter { !$0.isWhitespace || $0 == " " }
        switch word {
        case "": return .inProgress
        case "running" where !runningIsDone: return .inProgress
        case "unknown": return .unknown
        case "notfound", "missing": return .missing
        case "red": return .failed
        default: break
        }
        if paused.contains(word) { return .suspended }
        if good.contains(word) { return .current }
        if signsOfFailure.contains(where: { word.contains($0) }) { return .failed }
        return signsOfWork.contains { word.contains($0) } ? .inProgress : nil
    }

    /// Whether a condition that does not hold tells by its reason of a failure or of work under way.
    static func tone(ofReason reason: String, otherwise state: Health.State) -> Health.State {
        // `ErrRegisterACMEAccount`, as Go programs name their errors.
        let isNamedError = reason.hasPrefix("Err") && reason.dropFirst(3).first?.isUppercase == true
        if isNamedError { return .failed }
        let reason = reason.lowercased()
        if signsOfFailure.contains(where: { reason.contains($0) }) { return .failed }
        return signsOfWork.contains { reason.contains($0) } ? .inProgress : state
    }
}
