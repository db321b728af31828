// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Synchronization
import Testing

@testable import ShopKit

@Suite("misbehaviour")
struct MisbehaviourTests {
    @Test("every key is understood, whatever separates the pairs")
    func keys() throws {
        let settings = try Misbehaviour().applying(
            "errors=0.5,latency=300ms&leak=1Mi/s\nfillDisk = 10Mi/s, cap=2Gi,ready=false,live=false,crash=now,"
        )
        var expected = Misbehaviour()
        expected.errors = 0.5
        expected.latency = .milliseconds(300)
        expected.leak = 1 << 20
        expected.fillDisk = 10 << 20
        expected.cap = 2 << 30
        expected.ready = false
        expected.live = false
        expected.crash = true
        #expect(settings == expected)
    }

    @Test("what is not named stays as it was")
    func merges() throws {
        let settings = try Misbehaviour().applying("errors=25%").applying("latency=1.5s").applying("")
        #expect(settings.errors == 0.25)
        #expect(settings.latency == .milliseconds(1500))
    }

    @Test(
        "values out of range or of the wrong kind are refused",
        arguments: [
            "errors=1.1", "errors=-1", "errors=nan", "errors=1e-1", "errors=", "latency=300", "latency=-1s",
            "latency=2d",
            "leak=1Mi", "leak=1Mb/s", "fillDisk=x/s", "cap=1 Mi", "ready=yes", "crash=later", "errors", "=1",
            "errors=0.1.2",
        ]
    )
    func refuses(_ text: String) {
        #expect(throws: Misbehaviour.Invalid.self) { try Misbehaviour().applying(text) }
    }

    @Test("all problems are told at once, with the nearest key")
    func problems() throws {
        let error = try #require(throws: Misbehaviour.Invalid.self) {
            try Misbehaviour().applying("error=1,latency=soon,filldisk=1Mi/s")
        }
        #expect(
            error.problems == [
                "unknown key 'error'; did you mean 'errors'?",
                "latency: 'soon' is not a duration, such as 300ms or 2s",
                "unknown key 'filldisk'; did you mean 'fillDisk'?",
            ]
        )
    }

    @Test("memory and disk are taken at the asked rate up to the cap, and given back")
    func leakAndFill() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/misbehave-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let quiet = Log(app: "x", version: "1") { _ in }
        let misbehaviour = MisbehaviourSwitch(folder: folder, log: quiet)
        try misbehaviour.change(by: "leak=100Ki/s,fillDisk=200Ki/s,cap=500Ki")
        misbehaviour.tick(.seconds(1))
        #expect(misbehaviour.hoarded == 100 << 10)
        #expect(misbehaviour.filled == 200 << 10)
        for _ in 0..<9 { misbehaviour.tick(.seconds(1)) }
        #expect(misbehaviour.hoarded == 500 << 10)
        let file = folder + "/fill.misbehave"
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int == 500 << 10)
        misbehaviour.reset()
        #expect(misbehaviour.hoarded == 0)
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(misbehaviour.settings == Misbehaviour())
    }

    @Test("a disk that takes no more is logged once")
    func fillFails() throws {
        let lines = Mutex<[String]>([])
        let log = Log(app: "x", version: "1") { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        let misbehaviour = MisbehaviourSwitch(folder: "/proc/nothing", log: log)
        try misbehaviour.change(by: "fillDisk=1Ki/s")
        for _ in 0..<3 { misbehaviour.tick(.seconds(1)) }
        #expect(lines.withLock { $0.count { $0.contains("disk fill stopped") } } == 1)
    }
}
