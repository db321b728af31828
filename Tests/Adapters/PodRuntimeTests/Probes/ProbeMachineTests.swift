// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import PodRuntime

@Suite("probes")
struct ProbeMachineTests {
    @Test func settingsHaveKubernetesDefaults() {
        let settings = ProbeSettings(["periodSeconds": 3, "successThreshold": 0])
        #expect(settings.period == .seconds(3) && settings.timeout == .seconds(1) && settings.initialDelay == .zero)
        #expect(settings.successThreshold == 1 && settings.failureThreshold == 3)
    }

    @Test func aVerdictNeedsEnoughOutcomesInARow() {
        var machine = ProbeMachine(ProbeSettings(["failureThreshold": 2, "successThreshold": 2]))
        let no = ProbeOutcome.failure("no")
        let outcomes: [ProbeOutcome] = [no, .success, no, no, no, .success, .unknown("?"), .success, .success, no, no]
        let verdicts = outcomes.map { machine.observe($0) }
        #expect(verdicts == [nil, nil, nil, false, nil, nil, nil, true, nil, nil, false])
    }

    @Test func eagerTriesEndWithTheFirstPeriod() {
        var schedule = EagerSchedule(period: .seconds(5))
        var spent: Duration = .zero
        var count = 0
        while let pause = schedule.next() {
            spent += pause
            count += 1
        }
        #expect(spent + schedule.remainder == .seconds(5) && count > 5 && schedule.remainder > .zero)
    }

    @Test func portsAreNumbersOrNames() {
        let spec = ContainerSpec(["ports": [["name": "web", "containerPort": 8080]]], isInitial: false)
        #expect(ProbePort.resolve(80, in: spec) == 80 && ProbePort.resolve("web", in: spec) == 8080)
        #expect(ProbePort.resolve("81", in: spec) == 81)
        #expect(ProbePort.resolve("none", in: spec) == nil && ProbePort.resolve(0, in: spec) == nil)
        #expect(ProbePort.resolve(70000, in: spec) == nil)
    }

    private func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }

    @Test func aHealthAnswerIsReadFrameByFrame() throws {
        let settings = frame(4, 0, 0, [])
        let headers = frame(1, 4, 1, [0x88])
        let serving = frame(0, 0, 1, [0, 0, 0, 0, 2, 0x08, 0x01])
        let whole = settings + headers + serving
        for count in 0..<whole.count { #expect(try HealthCall.status(in: Array(whole[..<count]), isEnd: false) == nil) }
        #expect(try HealthCall.status(in: whole, isEnd: false) == 1)
        let notServing = frame(0, 8, 1, [2, 0, 0, 0, 0, 2, 0x08, 0x02, 0, 0])
        #expect(try HealthCall.status(in: headers + notServing, isEnd: false) == 2)
        let unknown = frame(0, 0, 1, [0, 0, 0, 0, 0])
        #expect(try HealthCall.status(in: headers + unknown, isEnd: false) == 0)
        #expect(throws: ProbeNetworkError.self) {
            try HealthCall.status(in: settings + frame(1, 5, 1, [0x88]), isEnd: false)
        }
        #expect(throws: ProbeNetworkError.self) {
            try HealthCall.status(in: frame(7, 0, 0, [UInt8](repeating: 0, count: 8)), isEnd: false)
        }
        #expect(throws: ProbeNetworkError.self) { try HealthCall.status(in: settings, isEnd: true) }
    }
}
