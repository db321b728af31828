// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Testing

@Suite("Ballast's own resources")
struct BallastResourcesTests {
    /// FNV-1a, since nobody forges these.
    private static func sum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// A home cluster may be shared by several versions of Ballast, and the newest one's definitions have to stay.
    @Test func whoChangesTheDefinitionsRaisesTheirRevision() {
        let sum = BallastResources.definitions.reduce(0) { $0 &+ Self.sum($1.json.text.utf8) }
        #expect(
            "\(BallastResources.revision) \(sum)" == "1 18129913238129228907",
            "raise BallastResources.revision, and write both numbers here"
        )
    }

    @Test func whoMayEditANamespaceMayReleaseThere() {
        let roles = BallastResources.roles
        #expect(roles.map(\.name) == ["ballast.dev:edit", "ballast.dev:view"])
        #expect(roles[0].labels["rbac.authorization.k8s.io/aggregate-to-edit"] == "true")
        #expect(roles[1].labels["rbac.authorization.k8s.io/aggregate-to-view"] == "true")
        #expect(roles[1]["rules"]?[0]?["verbs"] == ["get", "list", "watch"])
    }
}
