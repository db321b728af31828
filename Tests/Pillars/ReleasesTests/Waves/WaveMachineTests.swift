// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import Releases

@Suite("which clusters change when, and what is put back")
struct WaveMachineTests {
    private static let a = ClusterName("a")
    private static let b = ClusterName("b")
    private static let c = ClusterName("c")
    private static let d = ClusterName("d")
    private let a = Self.a
    private let b = Self.b
    private let c = Self.c
    private let d = Self.d

    private func machine(bakes: Bool = false, policy: App.UnreachablePolicy = .fail) -> WaveMachine {
        WaveMachine(waves: [[a], [b, c], [d]], bakes: bakes, policy: policy)
    }

    @Test func wavesGoInOrderAndTheClustersOfAWaveAtOnce() {
        var machine = machine()
        #expect(machine.begin() == [.change(a)])
        #expect(machine.take(.passed(a)) == [.change(b), .change(c)])
        #expect(machine.take(.passed(c)) == [])
        #expect(machine.take(.passed(b)) == [.change(d)])
        #expect(machine.take(.passed(d)) == [.end(.succeeded)])
        #expect(machine.take(.failed(a, .changed)) == [], "what is over is over")
    }

    @Test func betweenWavesEverythingChangedSoFarIsWatched() {
        var machine = machine(bakes: true)
        _ = machine.begin()
        #expect(machine.take(.passed(a)) == [.bake([a])])
        #expect(machine.take(.baked) == [.change(b), .change(c)])
        _ = machine.take(.passed(b))
        #expect(machine.take(.passed(c)) == [.bake([a, b, c])])
        #expect(machine.take(.failed(b, .changed)) == [.end(.halted(undo: [a, b, c]))], "a breach while baking")
    }

    @Test func theLastWaveHasNoBakeTime() {
        var machine = WaveMachine(waves: [[a]], bakes: true)
        _ = machine.begin()
        #expect(machine.take(.passed(a)) == [.end(.succeeded)])
    }

    @Test func aFailureStopsItsWaveAndEverythingChangedIsPutBack() {
        var machine = machine()
        _ = machine.begin()
        _ = machine.take(.passed(a))
        #expect(machine.take(.failed(b, .changed)) == [.stop])
        #expect(machine.take(.gaveUp(c, isTouched: true)) == [.end(.halted(undo: [a, b, c]))])
    }

    @Test(arguments: [
        (WaveMachine.Event.gaveUp(c, isTouched: false), [a, b]), (.passed(c), [a, b, c]),
        (.failed(c, .changed), [a, b, c]), (.failed(c, .none), [a, b]), (.failed(c, .foreign), [a, b]),
        (.unreachable(c), [a, b]),
    ])
    func whatAPeerComesToWhileTheWaveStopsDecidesAboutIt(_ event: WaveMachine.Event, _ undo: [ClusterName]) {
        var machine = machine()
        _ = machine.begin()
        _ = machine.take(.passed(a))
        _ = machine.take(.failed(b, .changed))
        #expect(machine.take(event) == [.end(.halted(undo: undo))])
    }

    @Test func whatBelongsToSomebodyElseNowIsLeftAlone() {
        var machine = WaveMachine(waves: [[a], [b]])
        _ = machine.begin()
        _ = machine.take(.passed(a))
        #expect(machine.take(.failed(b, .foreign)) == [.end(.halted(undo: [a]))])
    }

    @Test func aClusterThatDoesNotAnswerFailsTheReleaseOrIsLeftOut() {
        var strict = machine()
        _ = strict.begin()
        _ = strict.take(.passed(a))
        #expect(strict.take(.unreachable(b)) == [.stop])
        #expect(strict.take(.passed(c)) == [.end(.halted(undo: [a, c]))])

        var lenient = machine(policy: .skip)
        _ = lenient.begin()
        _ = lenient.take(.passed(a))
        #expect(lenient.take(.unreachable(b)) == [])
        #expect(lenient.take(.passed(c)) == [.change(d)])
        #expect(lenient.take(.passed(d)) == [.end(.succeeded)])
    }

    @Test func aWaveInWhichNobodyAnswersProvesNothing() {
        var machine = machine(policy: .skip)
        _ = machine.begin()
        #expect(machine.take(.unreachable(a)) == [.end(.halted(undo: []))])

        var later = WaveMachine(waves: [[a], [b, c]], policy: .skip)
        _ = later.begin()
        _ = later.take(.passed(a))
        _ = later.take(.unreachable(b))
        #expect(later.take(.unreachable(c)) == [.end(.halted(undo: [a]))])
    }

    @Test func aStopLetsWhatIsUnderWayEndFirst() {
        var machine = machine()
        _ = machine.begin()
        #expect(machine.take(.stop(keeping: [])) == [.stop])
        #expect(machine.take(.stop(keeping: [])) == [])
        #expect(machine.take(.passed(a)) == [.end(.halted(undo: [a]))])
    }

    @Test func aStopWhileBakingEndsAtOnce() {
        var machine = machine(bakes: true)
        _ = machine.begin()
        _ = machine.take(.passed(a))
        #expect(machine.take(.stop(keeping: [])) == [.end(.halted(undo: [a]))])
        #expect(machine.take(.baked) == [])
    }

    @Test func aNewerReleaseKeepsTheClustersThatItChangesItself() {
        var machine = machine()
        _ = machine.begin()
        _ = machine.take(.passed(a))
        #expect(machine.take(.stop(keeping: [b, c])) == [.stop])
        _ = machine.take(.gaveUp(b, isTouched: true))
        #expect(machine.take(.gaveUp(c, isTouched: true)) == [.end(.halted(undo: [a]))])
    }

    @Test func whoGoesOnWithAReleaseBeginsWhereItStood() {
        var machine = WaveMachine(waves: [[a], [b, c], [d]], passed: [a, b])
        #expect(machine.begin() == [.change(c)])
        #expect(machine.take(.failed(c, .changed)) == [.end(.halted(undo: [a, b, c]))])

        var done = WaveMachine(waves: [[a], [b]], passed: [a, b])
        #expect(done.begin() == [.end(.succeeded)])
    }

    /// Every order of every outcome in a small world: it always ends, nothing is changed after the first failure, and what
    /// is put back is exactly what was changed and is ours.
    @Test(arguments: [App.UnreachablePolicy.fail, .skip], [false, true])
    func inEveryWorldItEndsAndPutsBackExactlyWhatWasChanged(_ policy: App.UnreachablePolicy, _ bakes: Bool) {
        var ends = 0
        func explore(_ machine: WaveMachine, _ pending: [WaveMachine.Action], _ log: [WaveMachine.Event]) {
            if let last = pending.last, case .end(let outcome) = last {
                ends += 1
                return check(outcome, log, policy)
            }
            let stopped = pending.contains(.stop)
            for (place, action) in pending.enumerated() {
                for event in Self.events(after: action, isStopped: stopped) {
                    var (next, rest) = (machine, pending)
                    rest.remove(at: place)
                    explore(next, rest, event, &next, log)
                }
            }
            if !stopped, log.count < 4, !log.contains(.stop(keeping: [b])) {
                var next = machine
                explore(next, pending, .stop(keeping: [b]), &next, log)
            }
        }
        func explore(
            _ machine: WaveMachine,
            _ rest: [WaveMachine.Action],
            _ event: WaveMachine.Event,
            _ next: inout WaveMachine,
            _ log: [WaveMachine.Event]
        ) {
            let more = next.take(event)
            if more.contains(where: { if case .change = $0 { true } else { false } }) {
                #expect(!log.contains(where: Self.isFatal(policy)), "\(log)")
            }
            explore(next, rest + more, log + [event])
        }
        var machine = WaveMachine(waves: [[a], [b, c]], bakes: bakes, policy: policy)
        let first = machine.begin()
        explore(machine, first, [])
        #expect(ends > 50)
    }

    private static func events(after action: WaveMachine.Action, isStopped: Bool) -> [WaveMachine.Event] {
        switch action {
        case .change(let name):
            let always: [WaveMachine.Event] = [
                .passed(name), .failed(name, .none), .failed(name, .changed), .failed(name, .foreign),
                .unreachable(name),
            ]
            return isStopped ? always + [.gaveUp(name, isTouched: true), .gaveUp(name, isTouched: false)] : always
        case .bake(let names): return [.baked] + names.map { .failed($0, .changed) }
        case .stop, .end: return []
        }
    }

    private static func isFatal(_ policy: App.UnreachablePolicy) -> (WaveMachine.Event) -> Bool {
        { event in
            switch event {
            case .failed, .stop: true
            case .unreachable: policy == .fail
            default: false
            }
        }
    }

    private func check(_ outcome: WaveMachine.Outcome, _ log: [WaveMachine.Event], _ policy: App.UnreachablePolicy) {
        var changed: Set<ClusterName> = []
        var kept: Set<ClusterName> = []
        for event in log {
            switch event {
            case .passed(let name), .failed(let name, .changed), .gaveUp(let name, isTouched: true):
                changed.insert(name)
            case .failed(let name, _): changed.remove(name)
            case .stop(let keeping): kept.formUnion(keeping)
            default: break
            }
        }
        switch outcome {
        case .succeeded: #expect(!log.contains(where: Self.isFatal(policy)), "\(log)")
        case .halted(let undo): #expect(Set(undo) == changed.subtracting(kept), "\(log)")
        }
    }
}
