// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import PodRuntime
import Synchronization
import Testing

@testable import Assembly

@Suite("the notice of a stop")
struct StopNoticeTests {
    @Test func itNamesPodsAndTheTimeTheyHave() {
        #expect(
            StopRecord(pods: ["shop/cart-1"], limit: .seconds(10)).beginning
                == "stopping 1 pod: shop/cart-1 (up to 10 s)"
        )
        let many = StopRecord(pods: (1...8).map { "a/\($0)" }, limit: .seconds(2))
        #expect(many.beginning == "stopping 8 pods: a/1, a/2, a/3, a/4, a/5, a/6 and 2 more (up to 2 s)")
        #expect(many.rest == "still running: a/1, a/2, a/3, a/4, a/5, a/6 and 2 more")
    }

    @Test func anotherProcessReadsItUntilTheEnd() throws {
        let path = "\(NSTemporaryDirectory())ballast-stop-\(UUID().uuidString)"
        let notice = StopNotice(path: path)
        #expect(StopRecord.read(from: path) == nil)
        notice.tell(.begun(pods: ["a/b", "a/c"], limit: .seconds(10)))
        #expect(StopRecord.read(from: path) == StopRecord(pods: ["a/b", "a/c"], limit: .seconds(10)))
        notice.tell(.waiting(pods: ["a/c"]))
        #expect(StopRecord.read(from: path)?.pods == ["a/c"])
        notice.tell(.ended)
        #expect(StopRecord.read(from: path) == nil)
    }

    @Test func aSecondSignalReachesWhatStopsAndNothingElse() {
        let urgency = Urgency()
        #expect(!urgency.hurry())
        let calls = Mutex(0)
        urgency.set { calls.withLock { $0 += 1 } }
        #expect(urgency.hurry())
        #expect(calls.withLock { $0 } == 1)
    }
}
