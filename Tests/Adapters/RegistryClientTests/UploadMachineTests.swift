// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import RegistryClient

@Suite("how the bytes of a blob go up")
struct UploadMachineTests {
    private let cut = Failure(.unavailable, "cut")

    /// The actions that a list of events leads to, in short words.
    private func script(_ size: Int, _ events: [UploadMachine.Event]) -> [String] {
        var machine = UploadMachine(size: size)
        return events.map { event in
            switch machine.observe(event) {
            case .open(let pause): "open after \(pause)"
            case .finish(let start): "finish from \(start)"
            case .send(let range): "send \(range)"
            case .ask(let pause): "ask after \(pause)"
            case .done: "done"
            case .fail(let failure): "fail: \(failure)"
            }
        }
    }

    private static let chunk = UploadMachine.chunk

    @Test("a blob goes in one request, whatever its size")
    func whole() {
        #expect(script(5 * Self.chunk, [.opened(smallestChunk: nil), .stored]) == ["finish from 0", "done"])
        #expect(script(0, [.opened(smallestChunk: nil), .stored]) == ["finish from 0", "done"])
        #expect(script(7, [.stored]) == ["done"])
    }

    @Test("after a break the rest goes in chunks from where the registry stands")
    func resumed() {
        let size = 2 * Self.chunk + 100
        #expect(
            script(
                size,
                [
                    .opened(smallestChunk: nil), .broke(cut, wait: nil), .stands(at: 50), .stands(at: 50 + Self.chunk),
                    .broke(cut, wait: .seconds(5)), .stands(at: 90 + Self.chunk), .stored,
                ]
            ) == [
                "finish from 0", "ask after 0.3 seconds", "send 50..<\(50 + Self.chunk)",
                "send \(50 + Self.chunk)..<\(50 + 2 * Self.chunk)", "ask after 5.0 seconds",
                "send \(90 + Self.chunk)..<\(90 + 2 * Self.chunk)", "done",
            ]
        )
    }

    @Test("an upload that the registry forgot begins anew, in chunks, and not for ever")
    func lost() {
        let gone = Failure(.notFound, "unknown upload")
        #expect(
            script(
                2 * Self.chunk,
                [
                    .opened(smallestChunk: nil), .broke(cut, wait: nil), .lost(gone), .opened(smallestChunk: nil),
                    .broke(cut, wait: nil), .lost(gone), .opened(smallestChunk: nil), .broke(cut, wait: nil),
                    .lost(gone), .opened(smallestChunk: nil), .broke(cut, wait: nil),
                ]
            ) == [
                "finish from 0", "ask after 0.3 seconds", "open after 0.0 seconds", "send 0..<\(Self.chunk)",
                "ask after 1.0 seconds", "open after 0.0 seconds", "send 0..<\(Self.chunk)", "ask after 3.0 seconds",
                "open after 0.0 seconds", "send 0..<\(Self.chunk)", "fail: cut",
            ]
        )
    }

    @Test("trouble before anything is open is not asked about")
    func openingBroke() {
        #expect(
            script(9, [.broke(cut, wait: nil), .opened(smallestChunk: nil), .stored])
                == ["open after 0.3 seconds", "finish from 0", "done"]
        )
    }

    @Test("patience is renewed by every byte that arrives, and by nothing else")
    func patience() {
        var machine = UploadMachine(size: 100)
        _ = machine.observe(.opened(smallestChunk: nil))
        for place in 1...50 {
            guard case .ask = machine.observe(.broke(cut, wait: nil)) else {
                Issue.record("gave up at \(place)"); return
            }
            guard case .finish(place) = machine.observe(.stands(at: place)) else {
                Issue.record("lost \(place)"); return
            }
        }
        for _ in 0..<3 {
            guard case .ask = machine.observe(.broke(cut, wait: nil)) else { Issue.record("gave up early"); return }
            _ = machine.observe(.stands(at: 50))
        }
        guard case .fail = machine.observe(.broke(cut, wait: nil)) else { Issue.record("never gives up"); return }
    }

    @Test("a proxy's limit is met by smaller requests, down to a mebibyte")
    func tooLarge() {
        let large = Failure(.invalidInput, "too large")
        #expect(
            script(
                4 * Self.chunk,
                [
                    .opened(smallestChunk: nil), .tooLarge(large), .opened(smallestChunk: nil), .tooLarge(large),
                    .opened(smallestChunk: nil), .tooLarge(large), .opened(smallestChunk: nil), .tooLarge(large),
                ]
            ) == [
                "finish from 0", "open after 0.0 seconds", "send 0..<\(16 << 20)", "open after 0.0 seconds",
                "send 0..<\(4 << 20)", "open after 0.0 seconds", "send 0..<\(1 << 20)", "fail: too large",
            ]
        )
    }

    @Test("the registry's wish for larger chunks is honoured")
    func smallestChunk() {
        #expect(
            script(
                5 * Self.chunk,
                [.opened(smallestChunk: 2 * Self.chunk), .broke(cut, wait: nil), .stands(at: 0), .stands(at: nil)]
            ).dropFirst(2) == ["send 0..<\(2 * Self.chunk)", "send \(2 * Self.chunk)..<\(4 * Self.chunk)"]
        )
    }

    @Test("where both lost count, the registry's word holds, and nonsense begins anew")
    func outOfStep() {
        let opened: [UploadMachine.Event] = [.opened(smallestChunk: nil), .broke(cut, wait: nil), .stands(at: 10)]
        #expect(script(100, opened + [.outOfStep(at: 40)]).last == "finish from 40")
        #expect(script(100, opened + [.outOfStep(at: 10)]).last?.hasPrefix("open") == true)
        #expect(script(100, opened + [.outOfStep(at: nil)]).last?.hasPrefix("ask") == true)
        #expect(script(100, opened + [.stands(at: 101)]).last?.hasPrefix("open") == true)
    }
}
