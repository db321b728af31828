// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import Releases

@Suite("what a person would call a change")
struct MeaningfulDiffTests {
    private func words(_ old: JSON, _ new: JSON, kind: String = "Deployment") -> [String] {
        func object(_ json: JSON) -> KubeObject {
            var object = json
            object["kind"] = .string(kind)
            return KubeObject(object)
        }
        return MeaningfulDiff.changes(from: object(old), to: object(new)).map(\.words)
    }

    private func container(_ json: JSON) -> JSON { ["spec": ["containers": [json]]] }

    @Test func elementsAreToldByTheirNamesAndOnlyWhatDiffersIn() {
        let old = container(["name": "web", "env": [["name": "A", "value": "1"], ["name": "B", "value": "2"]]])
        let new = container(["name": "web", "env": [["name": "A", "value": "3"], ["name": "C", "value": "4"]]])
        #expect(
            words(old, new) == [
                #"spec.containers[web].env[A].value: "1" -> "3""#,
                #"spec.containers[web].env[C]: (none) -> {"name":"C","value":"4"}"#,
                #"spec.containers[web].env[B]: {"name":"B","value":"2"} -> (removed)"#,
            ]
        )
    }

    @Test func anotherOrderIsToldByNamesAlone() {
        func ports(_ numbers: [Int]) -> JSON {
            container(["name": "web", "ports": .array(numbers.map { ["containerPort": JSON($0), "protocol": "TCP"] })])
        }
        #expect(
            words(ports([80, 81]), ports([81, 80])) == [#"spec.containers[web].ports: ["80","81"] -> ["81","80"]"#]
        )
    }

    @Test func oneAmountHasManySpellingsAndNothingIsNothing() {
        func limits(_ memory: String, _ more: JSON? = nil) -> JSON {
            var web: JSON = ["name": "web", "resources": ["limits": ["memory": .string(memory)]]]
            if let more { web["securityContext"] = more }
            return container(web)
        }
        #expect(words(limits("1024Mi"), limits("1Gi", [:])) == [])
        #expect(words(limits("1Gi"), limits("2Gi")).count == 1)
        // The same spellings elsewhere are two texts.
        #expect(words(["data": ["size": "1024Mi"]], ["data": ["size": "1Gi"]], kind: "ConfigMap").count == 1)
    }

    @Test func whatAServerOrAToolWritesForItselfIsNone() {
        let noise: JSON = [
            "kubectl.kubernetes.io/last-applied-configuration": "{}", "deployment.kubernetes.io/revision": "3",
        ]
        let old: JSON = ["metadata": ["uid": "1", "resourceVersion": "1", "generation": 1], "status": ["replicas": 1]]
        let new: JSON = ["metadata": ["uid": "1", "resourceVersion": "9", "generation": 2, "annotations": noise]]
        #expect(words(old, new) == [])
        #expect(words(old, ["metadata": ["labels": ["a.b/c": "d"]]]) == [#"metadata.labels: (none) -> {"a.b/c":"d"}"#])
    }

    @Test func aSecretsValuesStaySecret() {
        let old: JSON = ["data": ["key": "b2xk", "gone": "Z29uZQ=="], "metadata": ["labels": ["a": "1"]]]
        let new: JSON = ["data": ["key": "bmV3"], "metadata": ["labels": ["a": "2"]]]
        #expect(
            words(old, new, kind: "Secret") == [
                "data.key: changed", "data.gone: changed", #"metadata.labels.a: "1" -> "2""#,
            ]
        )
        #expect(words([:], new, kind: "Secret").first == "data.key: changed")
    }
}
