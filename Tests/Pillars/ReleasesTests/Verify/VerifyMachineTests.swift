// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import Releases

@Suite("whether a revision that is ready may stay")
struct VerifyMachineTests {
    private let start = Timestamp(seconds: 1000)

    private func objective(_ kind: App.Objective.Kind, _ text: String) throws -> App.Objective {
        try #require(App.Objective(kind, text))
    }

    private func fine() -> [ReleaseSignal] {
        [ReleaseSignal(.restarts, value: 0, samples: 2), ReleaseSignal(.unready, value: 0, samples: 2)]
    }

    @Test func whatHoldsForTheWholeWindowPassesAtItsEnd() {
        var machine = VerifyMachine(startedAt: start, window: .seconds(5))
        #expect(machine.observe(.init(fine()), at: start) == .hold(until: start + .seconds(2)))
        #expect(machine.observe(.init(fine()), at: start + .seconds(4)) == .hold(until: start + .seconds(5)))
        #expect(machine.observe(.init(fine()), at: start + .seconds(5)) == .pass(notes: []))
    }

    @Test func aContainerThatEndsIsABreachAtOnce() {
        var machine = VerifyMachine(startedAt: start, window: .seconds(60))
        let ended = ReleaseSignal(
            .restarts,
            value: 1,
            samples: 2,
            detail: "the container 'cart' of x ran out of memory"
        )
        #expect(machine.observe(.init([ended]), at: start) == .breach("the container 'cart' of x ran out of memory"))
        var lenient = VerifyMachine(startedAt: start, window: .seconds(60), restarts: 1)
        #expect(lenient.observe(.init([ended]), at: start) == .hold(until: start + .seconds(2)))
        var twice = ended
        twice.value = 2
        #expect(
            lenient.observe(.init([twice]), at: start)
                == .breach("the container 'cart' of x ran out of memory (1 are allowed)")
        )
    }

    @Test func aPodMayMissSomeProbesButNotForLong() {
        var machine = VerifyMachine(startedAt: start, window: .seconds(8))
        let down = ReleaseSignal(.unready, value: 1, samples: 2, detail: "1 of 2 new pods is no longer ready")
        #expect(machine.observe(.init([down]), at: start + .seconds(3)) == .hold(until: start + .seconds(5)))
        #expect(machine.observe(.init(fine()), at: start + .seconds(5)) == .hold(until: start + .seconds(7)))
        #expect(machine.observe(.init([down]), at: start + .seconds(7)) == .hold(until: start + .seconds(8)))
        // The window's end does not make it good.
        #expect(machine.observe(.init([down]), at: start + .seconds(9)) == .hold(until: start + .seconds(11)))
        #expect(
            machine.observe(.init([down]), at: start + .seconds(17)) == .breach("1 of 2 new pods is no longer ready")
        )
    }

    @Test func aMeasuredBreachNeedsTwoReadings() throws {
        let rule = try objective(.errorRate, "< 1%")
        var machine = VerifyMachine(startedAt: start, window: .seconds(60), objectives: [rule])
        let bad = ReleaseSignal(.objective(.errorRate), value: 0.034, samples: 500, detail: "17 of 500 requests")
        let good = ReleaseSignal(.objective(.errorRate), value: 0.009, samples: 900)
        #expect(machine.observe(.init([bad]), at: start) == .hold(until: start + .seconds(2)))
        #expect(machine.observe(.init([good]), at: start + .seconds(2)) == .hold(until: start + .seconds(4)))
        #expect(machine.observe(.init([bad]), at: start + .seconds(4)) == .hold(until: start + .seconds(6)))
        #expect(
            machine.observe(.init([bad]), at: start + .seconds(6))
                == .breach("errorRate is 3.4%, and should be < 1% (17 of 500 requests)")
        )
    }

    @Test func aSuspicionAtTheEndIsLookedAtOnceMore() throws {
        let rule = try objective(.p99, "<= 300ms")
        var machine = VerifyMachine(startedAt: start, window: .seconds(4), objectives: [rule])
        let slow = ReleaseSignal(.objective(.p99), value: 0.3005, samples: 80)
        let exact = ReleaseSignal(.objective(.p99), value: 0.3, samples: 80)
        #expect(machine.observe(.init([slow]), at: start + .seconds(4)) == .hold(until: start + .seconds(6)))
        var other = machine
        #expect(other.observe(.init([exact]), at: start + .seconds(6)) == .pass(notes: []))
        #expect(
            machine.observe(.init([slow]), at: start + .seconds(6))
                == .breach("p99 is 300.5ms, and should be <= 300ms")
        )
    }

    @Test(arguments: [
        (App.Objective.Kind.errorRate, "< 1%", 1.0, 2, "too little was seen to judge errorRate (2 requests)"),
        (.p99, "< 300ms", 9.0, 10, "too little was seen to judge p99 (10 requests)"),
        (.logErrors, "< 5/min", 0.2, 1, "too little was seen to judge logErrors (1 lines)"),
    ])
    func lowTrafficHaltsNothingAndIsSaid(
        _ kind: App.Objective.Kind,
        _ bound: String,
        _ value: Double,
        _ samples: Int,
        _ note: String
    ) throws {
        var machine = VerifyMachine(startedAt: start, window: .zero, objectives: [try objective(kind, bound)])
        let scarce = ReleaseSignal(.objective(kind), value: value, samples: samples)
        #expect(machine.observe(.init([scarce]), at: start) == .pass(notes: [note]))
    }

    @Test func threeFailedRequestsAreEnoughHoweverFewThereWere() throws {
        var machine = VerifyMachine(
            startedAt: start,
            window: .seconds(60),
            objectives: [try objective(.errorRate, "< 1%")]
        )
        let bad = ReleaseSignal(.objective(.errorRate), value: 1, samples: 3)
        _ = machine.observe(.init([bad]), at: start)
        #expect(machine.observe(.init([bad]), at: start) == .breach("errorRate is 100%, and should be < 1%"))
    }

    @Test func silenceIsNoEvidenceOfHealth() {
        var machine = VerifyMachine(startedAt: start, window: .seconds(10))
        func blind(_ seconds: Int) -> VerifyMachine.Action {
            machine.observe(.init([], trouble: "no answer"), at: start + .seconds(seconds))
        }
        #expect(blind(10) == .hold(until: start + .seconds(12)))
        #expect(blind(69) == .hold(until: start + .seconds(71)))
        #expect(blind(70) == .breach("the signals could not be read: no answer"))
    }

    @Test(arguments: [
        (App.Objective.Kind.errorRate, "< 1%", 0.01), (.errorRate, "<=0.5 %", 0.005), (.errorRate, "< 0.02", 0.02),
        (.p99, "< 300ms", 0.3), (.p99, "<= 1m30s", 90), (.logErrors, "< 6/min", 0.1), (.logErrors, "< 2/s", 2),
        (.logErrors, "<= 36/h", 0.01),
    ])
    func boundsAreReadInTheirUnits(_ kind: App.Objective.Kind, _ text: String, _ bound: Double) throws {
        #expect(abs(try objective(kind, text).bound - bound) < 1e-12)
    }

    @Test(arguments: [
        (App.Objective.Kind.errorRate, "1%"), (.errorRate, "> 1%"), (.errorRate, "< -1%"), (.errorRate, "< nan"),
        (.errorRate, "< 1e400"), (.p99, "< 300"), (.p99, "< 5/min"), (.logErrors, "< 5"), (.logErrors, "< 5/day"),
        (.logErrors, "< /min"), (.errorRate, ""), (.errorRate, "< 1.2.3%"),
    ])
    func whatIsNoBoundIsRefused(_ kind: App.Objective.Kind, _ text: String) {
        #expect(App.Objective(kind, text) == nil)
    }
}
