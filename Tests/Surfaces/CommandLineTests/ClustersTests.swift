// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Releases
import Testing

@testable import CommandLine

@Suite("clusters on the command line")
struct ClustersTests {
    private var states: [ClusterState] {
        var local = ClusterState(name: "local", server: "https://127.0.0.1:6443")
        (local.version, local.nodes, local.latency) = ("v1.36.2", .init(ready: 1, all: 1), .milliseconds(2))
        local.user = "admin"
        var prod = ClusterState(name: "prod", server: "https://prod", added: Timestamp(seconds: 1_800_000_000))
        prod.trouble = "the cluster at 'https://prod' cannot be reached"
        return [local, prod]
    }

    @Test func theTableSaysWhoAnswersAndWhoDoesNot() {
        let lines = ClustersListCommand.text(of: states, as: .table).split(separator: "\n").map(String.init)
        #expect(lines[0] == "NAME    VERSION   NODES   LATENCY   STATUS")
        #expect(lines[1] == "local   v1.36.2   1       2.0 ms    reachable")
        #expect(
            lines[2]
                == "prod    -         -       -         unreachable: the cluster at 'https://prod' cannot be reached"
        )
        #expect(ClustersListCommand.text(of: states, as: .wide).contains("SERVER"))
    }

    @Test func jsonAndYAMLSayTheSame() throws {
        let json = try JSON(parsing: ClustersListCommand.text(of: states, as: .json))
        let yaml = try YAMLDocument.parse(ClustersListCommand.text(of: states, as: .yaml), as: .kubernetes).json
        #expect(json == yaml)
        #expect(json[1]?["reachable"] == false)
    }

    @Test func anAdditionSaysWhoWeAreAndWhatIsMissing() {
        var state = states[0]
        state.groups = ["ops", "system:authenticated"]
        let right = ReleaseRights.Missing(resource: "secrets", verbs: ["create"], isHadInNamespace: true)
        let added = AddedCluster(state: state, missing: [right], namespace: "shop", notes: ["mind this"])
        #expect(
            ClustersAddCommand.notes(on: added) == [
                "reached https://127.0.0.1:6443: v1.36.2, 1 of 1 nodes ready, 2.0 ms away",
                "there we are 'admin', of ops",
                "warning: outside of the namespace 'shop' we may not create secrets", "warning: mind this",
            ]
        )
    }

    @Test func aRemovalNamesTheAppsThatAreLeft() {
        let removed = RemovedCluster(name: "prod", server: "s", secret: "secret x", apps: ["shop/cart"])
        #expect(ClustersRemoveCommand.notes(on: removed).first?.hasSuffix("still name 'prod': shop/cart") == true)
    }

    @Test(arguments: [
        #"{"a":"b c","n":1,"t":true,"e":"","nul":null,"l":[],"o":{}}"#,
        #"{"a":["x",{"y":[1,2],"z":"yes"}],"b":{"c":{"d":"12"}}}"#,
        #"["- a","a: b","a #b","multi\nline","tab\t","ünï","0x10","1e3","on","~","[x]","'q'","\"q\"","*a","&a","!t","%d","@x",":",""]"#,
        #"[[1,[2]],[{"a":1}]]"#, #""text""#,
    ])
    func yamlReadsBackAsTheSameValue(_ text: String) throws {
        let json = try JSON(parsing: text)
        let yaml = YAMLText.of(json)
        for dialect in [YAMLDialect.core, .kubernetes] {
            #expect(try YAMLDocument.parse(yaml, as: dialect).json == json, "\(yaml)")
        }
    }
}
