// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Telemetry

/// Brings Envoy from one plan to the next, file by file, and reads back what it made of each.
struct PlanWriter {
    let configuration: EnvoyConfiguration
    let clock: any Clock<Duration>
    let telemetry: Telemetry
    let state: EnvoyState
    private let admin: AdminClient
    private(set) var current = ProxyPlan()
    private var version = 0
    /// What each file holds, so that one that was rejected can be offered again.
    private var offered: [EnvoyFile: PlanStep] = [:]

    private static let patience = 250
    private static let rejectedPatience = 10

    init(configuration: EnvoyConfiguration, clock: any Clock<Duration>, telemetry: Telemetry, state: EnvoyState) {
        self.configuration = configuration
        self.clock = clock
        self.telemetry = telemetry
        self.state = state
        admin = AdminClient(socket: configuration.adminSocket)
    }

    /// Writes all files before Envoy is there to read them.
    mutating func prepare(_ plan: ProxyPlan) throws {
        try AtomicFile.makeFolder(configuration.watchedFolder)
        try AtomicFile.makeFolder(configuration.logFolder)
        try AtomicFile.write(Bootstrap(configuration: configuration).json.bytes, to: configuration.bootstrapPath)
        for file in EnvoyFile.allCases {
            let step =
                PlanStep.steps(from: ProxyPlan(), to: plan).last { $0.file == file }
                ?? PlanStep(file: file, resources: [])
            try write(step)
        }
        current = plan
        state.noteInUse(plan.inUse, isSettled: false)
    }

    /// Waits until Envoy has taken, or refused, what it was started with.
    mutating func settle() async throws {
        defer { state.noteInUse(current.inUse, isSettled: !state.isRejected(.clusters)) }
        for file in EnvoyFile.allCases {
            guard let step = offered[file] else { continue }
            // An Envoy that does not start is started again and again; there is nothing to offer it meanwhile.
            while try await !acknowledge(step, rejectedBefore: nil) {}
        }
        state.noteApplied()
    }

    /// Carries the plan out. What Envoy rejects is reported and leaves the rest of the way open.
    mutating func apply(_ plan: ProxyPlan) async throws {
        state.noteInUse(plan.inUse, isSettled: false)
        var isTaken = !state.isRejected(.clusters)
        for step in PlanStep.steps(from: current, to: plan) {
            let hasSpoken = try await offer(step)
            if step.file == .clusters { isTaken = hasSpoken && !state.isRejected(.clusters) }
        }
        current = plan
        state.noteInUse(plan.inUse, isSettled: isTaken)
        state.noteApplied()
    }

    /// Offers once more what was rejected: a port may have become free.
    mutating func retry() async throws {
        for rejection in state.rejections {
            guard let file = EnvoyFile(rawValue: rejection.file), let step = offered[file] else { continue }
            try await offer(step)
        }
    }

    @discardableResult
    private mutating func offer(_ step: PlanStep) async throws -> Bool {
        let before = try? await rejections(of: step.file)
        state.forgetWords()
        try write(step)
        return try await acknowledge(step, rejectedBefore: before)
    }

    private mutating func write(_ step: PlanStep) throws {
        version += 1
        try AtomicFile.write(
            step.document(version: version),
            to: "\(configuration.watchedFolder)/\(step.file.rawValue).json"
        )
        offered[step.file] = step
        versions[step.file] = version
    }

    private var versions: [EnvoyFile: Int] = [:]

    /// Asks until the file's version is in force or its rejections have grown; `false` where Envoy says neither in time. One
    /// that is down reads the files when it is back.
    private func acknowledge(_ step: PlanStep, rejectedBefore: Int?) async throws -> Bool {
        let wanted = versions[step.file].map(String.init) ?? ""
        let counters = step.file.counters
        var rejectedRounds = 0
        for round in 0..<Self.patience {
            if let found = try? await admin.statistics([counters]) {
                if found["\(counters).version_text"] == wanted {
                    state.note(nil, for: step.file)
                    return true
                }
                if Self.rejections(found, counters) > rejectedBefore ?? 0 { rejectedRounds += 1 }
                // Envoy reads all files after any rename, so what it counted may be the file's last version; and its words
                // take a moment longer than its counters.
                if rejectedRounds > Self.rejectedPatience {
                    reject(step.file)
                    return true
                }
            }
            try await clock.sleep(for: .milliseconds(round < 20 ? 2 : 20))
        }
        telemetry.emit(EnvoySilent(file: step.file.rawValue))
        return false
    }

    private func rejections(of file: EnvoyFile) async throws -> Int {
        Self.rejections(try await admin.statistics([file.counters]), file.counters)
    }

    private static func rejections(_ found: [String: String], _ counters: String) -> Int {
        ["update_rejected", "update_failure"].reduce(0) { $0 + (Int(found["\(counters).\($1)"] ?? "") ?? 0) }
    }

    private func reject(_ file: EnvoyFile) {
        let words = state.lastWords.last { $0.contains("reject") || $0.contains("fail") } ?? "envoy gives no reason"
        let rejection = EnvoyState.Rejection(file: file.rawValue, reason: words)
        let isNews = !state.rejections.contains(rejection)
        state.note(rejection, for: file)
        if isNews { telemetry.emit(EnvoyRejected(rejection: rejection)) }
    }
}

/// Envoy does not take a file, or not all that is in it; what it took before stays in force.
struct EnvoyRejected: TelemetryEvent {
    let rejection: EnvoyState.Rejection

    func record(on telemetry: Telemetry) {
        telemetry.log.error(
            "envoy rejected its new configuration",
            metadata: ["file": "\(rejection.file)", "reason": "\(rejection.reason)"]
        )
        telemetry.count("envoy_rejections_total", by: ["file": rejection.file])
    }
}

/// Envoy did not say in time what became of a file.
struct EnvoySilent: TelemetryEvent {
    let file: String

    func record(on telemetry: Telemetry) {
        telemetry.log.warning("envoy has not taken its new configuration yet", metadata: ["file": "\(file)"])
        telemetry.count("envoy_silences_total", by: ["file": file])
    }
}
