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
        #expect(patch?["spec"] == ["replicas": 3, "paused": .null])
    }

    @Test func quantitiesAreComparedByValue() {
        let wanted = object(["c": [["resources": ["requests": ["memory": "1024Mi", "cpu": "0.5"]]]]])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = ["c": [["resources": ["requests": ["memory": "1Gi", "cpu": "500m"]]]]]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live) == nil)
    }

    @Test func textThatOnlyLooksLikeAQuantityIsText() {
        let wanted = object(["env": [["name": "SIZE", "value": "1024Mi"]]])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = ["env": [["name": "SIZE", "value": "1Gi"]]]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live)?["spec"] == wanted["spec"])
    }

    @Test func whatWasTakenOutOfAListElementIsRemoved() {
        let before = object([
            "containers": [["name": "a", "image": "x", "livenessProbe": ["exec": ["command": ["true"]]]]]
        ])
        let wanted = object(["containers": [["name": "a", "image": "x"]]])
        var live = ObjectDifference.stamped(before)
        live["spec"]?["containers"] = [
            ["name": "a", "image": "x", "imagePullPolicy": "Always", "livenessProbe": ["exec": ["command": ["true"]]]]
        ]
        let patch = ObjectDifference.mergePatch(wanted: wanted, live: live)
        #expect(patch?["spec"] == wanted["spec"])
        let lines = patch.map { ObjectDifference.summary(of: $0, live: live) } ?? []
        #expect(lines == [#"spec.containers[a].livenessProbe: {"exec":{"command":["true"]}} -> (removed)"#])
    }

    @Test func emptyValuesThatTheServerLeavesOutAreNoChange() {
        let wanted = object(["resources": [:], "env": []])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = ["replicas": 1]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live) == nil)
    }

    @Test func aNullInWhatIsWantedMeansAbsence() {
        let live = ObjectDifference.stamped(object(["replicas": 2]))
        #expect(ObjectDifference.mergePatch(wanted: object(["replicas": 2, "paused": .null]), live: live) == nil)
    }

    @Test func aFieldThatSomebodySetAsWeWantItBecomesOurs() {
        var live = ObjectDifference.stamped(object(["replicas": 2]))
        live["spec"]?["paused"] = true
        let patch = ObjectDifference.mergePatch(wanted: object(["replicas": 2, "paused": true]), live: live)
        #expect(patch?["spec"] == nil)
        #expect(
            patch?[path: "metadata", "annotations", ObjectDifference.annotation]?.string?.contains("paused") == true
        )
        #expect(patch.map { ObjectDifference.summary(of: $0, live: live) } == [])
    }

    @Test func aSecretsValuesAreInNeitherItsNoteNorTheSummary() {
        var secret = KubeObject(.secrets, namespace: "shop", name: "login")
        secret["data"] = ["password": "aHVudGVyMg=="]
        let stamped = ObjectDifference.stamped(secret)
        #expect(stamped.annotations[ObjectDifference.annotation]?.contains("aHVudGVyMg") == false)
        #expect(ObjectDifference.mergePatch(wanted: secret, live: stamped) == nil)
        var changed = secret
        changed["data"] = ["password": "bmV3"]
        let patch = ObjectDifference.mergePatch(wanted: changed, live: stamped)
        #expect(patch?["data"] == ["password": "bmV3"])
        #expect(patch.map { ObjectDifference.summary(of: $0, live: stamped) } == ["data.password: changed"])
    }

    @Test func aListWithOneElementMoreIsAChange() {
        let wanted = object(["ports": [80]])
        var live = ObjectDifference.stamped(wanted)
        live["spec"] = ["ports": [80, 81]]
        #expect(ObjectDifference.mergePatch(wanted: wanted, live: live)?["spec"] == ["ports": [80]])
    }
}
