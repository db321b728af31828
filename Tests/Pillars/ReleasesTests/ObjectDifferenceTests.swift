// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases
import Testing

@Suite("what changes in a stored object")
struct ObjectDifferenceTests {
    private func object(_ spec: JSON) -> KubeObject {
        var object = KubeObject(.deployments, namespace: "shop", name: "cart")
        object["spec"] = spec
        return object
    }

    @Test func fieldsTheServerFilledInAreNoChange() {
        let wanted = object(["replicas": 2, "template": ["containers": [["name": "a", "image": "x"]]]])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = [
            "replicas": 2, "paused": false,
            "template": [
                "containers": [["name": "a", "image": "x", "imagePullPolicy": "Always"]], "dnsPolicy": "ClusterFirst",
            ],
        ]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live) == nil)
    }

    @Test func whatWeNoLongerWantIsRemovedAndWhatOthersSetStays() {
        let before = object(["replicas": 2, "paused": true])
        var live = ObjectDifference.stamped(before)
        live["spec"]?["minReadySeconds"] = 5
        let patch = ObjectDifference.mergePatch(wanted: object(["replicas": 3]), live: live)
        #expect(patch?["spec"] == ["replicas": 3, "paused": nil])
    }

    @Test func quantitiesAreComparedByValue() {
        let wanted = object(["memory": "1024Mi"])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = ["memory": "1Gi"]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live) == nil)
    }

    @Test func aListWithOneElementMoreIsAChange() {
        let wanted = object(["ports": [80]])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = ["ports": [80, 81]]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live)?["spec"] == ["ports": [80]])
    }
}
