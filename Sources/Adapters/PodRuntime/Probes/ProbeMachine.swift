// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// How often one probe runs and how it is judged, with Kubernetes' defaults.
struct ProbeSettings: Sendable, Equatable {
    var initialDelay: Duration
    var period: Duration
    var timeout: Duration
    var successThreshold: Int
    var failureThreshold: Int

    init(_ probe: JSON) {
        func number(_ key: String, _ standard: Int) -> Int {
            let value = probe[key]?.int ?? 0
            return value > 0 ? value : standard
        }
        initialDelay = .seconds(probe["initialDelaySeconds"]?.int ?? 0)
        period = .seconds(number("periodSeconds", 10))
        timeout = .seconds(number("timeoutSeconds", 1))
        successThreshold = number("successThreshold", 1)
        failureThreshold = number("failureThreshold", 3)
    }
}

/// What one run of a probe found.
enum ProbeOutcome: Sendable, Equatable {
    case success
    case failure(String)
    /// The probe itself could not be carried out; says nothing about the container.
    case unknown(String)
}

/// Turns the outcomes of one probe into verdicts: a change must be seen often enough in a row.
struct ProbeMachine: Sendable {
    private let settings: ProbeSettings
    private var verdict: Bool?
    private var run = 0
    private var last: Bool?

    init(_ settings: ProbeSettings) { self.settings = settings }

    /// The new verdict, when this outcome changes it.
    mutating func observe(_ outcome: ProbeOutcome) -> Bool? {
        let succeeds: Bool
        switch outcome {
        case .success: succeeds = true
        case .failure: succeeds = false
        case .unknown: return nil
        }
        run = last == succeeds ? run + 1 : 1
        last = succeeds
        guard run >= (succeeds ? settings.successThreshold : settings.failureThreshold) else { return nil }
        guard verdict != succeeds else { return nil }
        verdict = succeeds
        return succeeds
    }
}

/// When an early probe is repeated: soon at first, so that a container that is quick counts as quick, and never more
/// often than its period in the end. What such a repeat finds to fail does not count.
struct EagerSchedule: Sendable {
    private var pause: Duration = .milliseconds(25)
    private var spent: Duration = .zero
    private let period: Duration

    init(period: Duration) { self.period = period }

    /// How long to wait before the next extra try; `nil` once the first period is over.
    mutating func next() -> Duration? {
        guard spent + pause < period else { return nil }
        spent += pause
        defer { pause = min(pause * 2, .seconds(1)) }
        return pause
    }

    /// What is left of the first period.
    var remainder: Duration { period - spent }
}
