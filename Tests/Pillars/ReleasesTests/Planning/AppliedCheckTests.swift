// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import TestKit
import Testing

@testable import Releases

@Suite("recognising what applying would not change")
struct AppliedCheckTests {
    private func isUnchanged(_ wanted: JSON, _ live: JSON, _ fields: JSON, manager: String = "ballast") -> Bool {
        var stored = live
        stored["apiVersion"] = "v1"
        stored.set(
            [
                [
                    "manager": .string(manager), "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
                    "fieldsV1": fields,
                ]
            ],
            at: ["metadata", "managedFields"]
        )
        var object = wanted
        object["apiVersion"] = "v1"
        return AppliedCheck.isUnchanged(KubeObject(object), live: KubeObject(stored))
    }

    @Test func theSameFieldsWithTheSameValuesAreUnchanged() {
        let fields: JSON = ["f:data": ["f:a": [:]]]
        #expect(isUnchanged(["data": ["a": "1"]], ["data": ["a": "1", "theirs": "x"]], fields))
        #expect(!isUnchanged(["data": ["a": "2"]], ["data": ["a": "1"]], fields), "another value")
        #expect(!isUnchanged(["data": ["a": "1", "b": "2"]], ["data": ["a": "1", "b": "2"]], fields), "a field more")
        #expect(!isUnchanged(["data": [:]], ["data": ["a": "1"]], fields), "a field less")
        #expect(!isUnchanged(["data": ["a": "1"]], ["data": ["a": "1"]], fields, manager: "kubectl"))
        #expect(!isUnchanged(["data": ["a": "1"]], [:], fields), "somebody removed it")
    }

    @Test func listsAreComparedByTheServersKeysAndOrder() {
        let fields: JSON = [
            "f:spec": [
                "f:env": [
                    #"k:{"name":"A"}"#: [".": [:], "f:name": [:], "f:value": [:]],
                    #"k:{"name":"B"}"#: [".": [:], "f:name": [:], "f:value": [:]],
                ]
            ]
        ]
        func env(_ pairs: [(String, String)]) -> JSON {
            ["spec": ["env": .array(pairs.map { ["name": .string($0), "value": .string($1)] })]]
        }
        let ours = env([("A", "1"), ("B", "2")])
        #expect(isUnchanged(ours, ours, fields))
        #expect(isUnchanged(ours, env([("A", "1"), ("X", "9"), ("B", "2")]), fields), "another's element between")
        #expect(!isUnchanged(ours, env([("B", "2"), ("A", "1")]), fields), "another order")
        #expect(!isUnchanged(ours, env([("A", "1"), ("B", "3")]), fields))
        #expect(!isUnchanged(env([("A", "1")]), ours, fields))
    }

    @Test func aValueOwnedWholeMustBeExactlyTheSame() {
        let fields: JSON = ["f:spec": ["f:tolerations": [:]]]
        let ours: JSON = ["spec": ["tolerations": [["key": "a"]]]]
        #expect(isUnchanged(ours, ours, fields))
        #expect(!isUnchanged(ours, ["spec": ["tolerations": [["key": "a", "operator": "Exists"]]]], fields))
    }

    @Test func onlyAmountsHaveSeveralSpellings() {
        let fields: JSON = ["f:spec": ["f:limits": ["f:cpu": [:]]]]
        #expect(isUnchanged(["spec": ["limits": ["cpu": "0.1"]]], ["spec": ["limits": ["cpu": "100m"]]], fields))
        let data: JSON = ["f:data": ["f:limits": [:]]]
        #expect(!isUnchanged(["data": ["limits": "0.1"]], ["data": ["limits": "100m"]], data), "mere text")
    }

    @Test func aSecondEntryOrOneOfAnotherVersionIsForTheServer() {
        let fields: JSON = ["f:data": ["f:a": [:]]]
        var live: JSON = ["apiVersion": "v1", "data": ["a": "1"]]
        let entry: JSON = [
            "manager": "ballast", "operation": "Apply", "apiVersion": "v1beta1", "fieldsV1": fields,
        ]
        live.set([entry], at: ["metadata", "managedFields"])
        let wanted = KubeObject(["apiVersion": "v1", "data": ["a": "1"]])
        #expect(!AppliedCheck.isUnchanged(wanted, live: KubeObject(live)))
    }

    @Test func fieldsOfPlainWritesAreJoinedWithOursOfTheSameVersion() {
        func entry(_ manager: String, _ operation: String, _ fields: JSON, version: String = "v1", part: String = "")
            -> JSON
        {
            var entry: JSON = [
                "manager": .string(manager), "operation": .string(operation), "apiVersion": .string(version),
                "fieldsV1": fields,
            ]
            if !part.isEmpty { entry["subresource"] = .string(part) }
            return entry
        }
        var live = KubeObject(["metadata": ["resourceVersion": "7"]])
        let wish = KubeObject(["kind": "ConfigMap"])
        live.json.set(
            [
                entry("kubectl-client-side-apply", "Update", ["f:data": ["f:a": [:]]]),
                entry("ballast", "Apply", ["f:data": ["f:b": [:]]]),
                entry("ballast-release", "Update", ["f:data": ["f:c": [:]]]),
                entry("ballast-release", "Update", ["f:old": [:]], version: "v1beta1"),
                entry("kubectl-edit", "Update", ["f:data": ["f:d": [:]]]),
                entry("ballast", "Update", ["f:status": [:]], part: "status"),
            ],
            at: ["metadata", "managedFields"]
        )
        let patch = OwnershipUpgrade.patch(for: live, wanted: wish, isAdopted: false)
        let entries = (patch?[0]?["value"]?.array ?? []).map { ManagedEntry(json: $0) }
        #expect(
            entries.map { "\($0.manager) \($0.operation) \($0.subresource)" } == [
                "ballast Apply ", "kubectl-edit Update ", "ballast Update status",
            ]
        )
        #expect(entries[0].fields == ["f:data": ["f:b": [:], "f:a": [:], "f:c": [:]]])
        #expect(patch?[1]?["path"] == "/metadata/resourceVersion" && patch?[1]?["value"] == "7")
        let adopted = OwnershipUpgrade.patch(for: live, wanted: wish, isAdopted: true)
        #expect(adopted?[0]?["value"]?.array?.count == 2, "what a person's tools wrote comes along")
        live.json.set([entry("ballast", "Apply", [:])], at: ["metadata", "managedFields"])
        #expect(OwnershipUpgrade.patch(for: live, wanted: wish, isAdopted: true) == nil)
    }
}
