// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Releases
import Testing

@testable import CommandLine

@Suite("release records as text")
struct ReleaseTableTests {
    private func record() throws -> ReleaseRecord {
        var object = KubeObject(.releases, namespace: "shop", name: "cart-7")
        object["spec"] = [
            "app": "cart", "namespace": "shop", "number": 7, "image": "r/cart@sha256:abcdef0123456789",
            "by": "ann@desk",
            "revision": "0123456789abcdef0123-dirty", "rollbackTo": 5,
        ]
        object["status"] = [
            "phase": "Failed", "message": "release cart-7 failed", "started": "2026-11-23T10:00:00.000000Z",
            "stages": [
                ["name": "pods", "started": "2026-11-23T10:00:01.000000Z", "milliseconds": 2500, "error": "B201 x"]
            ],
            "clusters": [
                [
                    "name": "local", "wave": 1, "phase": "RolledBack", "touched": true, "rolledBackTo": 6,
                    "started": "2026-11-23T10:00:01.000000Z", "ended": "2026-11-23T10:00:02.500000Z",
                ], ["name": "prod", "wave": 2, "phase": "Failed", "message": "B201 crash", "touched": true],
            ],
        ]
        return try #require(ReleaseRecord(object))
    }

    @Test func aRowSaysWhoWhatAndWhatBecameOfIt() throws {
        #expect(
            ReleaseTable.text(of: [try record()], as: .table) == """
                RELEASE   PHASE    STARTED                BY         REVISION             IMAGE                 CLUSTERS   MESSAGE
                7         Failed   2026-11-23T10:00:00Z   ann@desk   0123456789ab-dirty   sha256:abcdef012345   0 of 2     back to release 5: release cart-7 failed
                """
        )
        let wide = ReleaseTable.text(of: [try record()], as: .wide)
        #expect(wide.contains("r/cart@sha256:abcdef0123456789") && wide.contains("shop        3.5 s"), "\(wide)")
    }

    @Test func oneReleaseShowsItsStagesAndClusters() throws {
        #expect(
            ReleaseTable.details(of: try record(), as: .table) == """
                release:  shop/cart 7
                phase:    Failed
                message:  back to release 5: release cart-7 failed
                started:  2026-11-23T10:00:00Z
                by:       ann@desk
                revision: 0123456789abcdef0123-dirty
                image:    r/cart@sha256:abcdef0123456789

                STAGE   STARTED                TOOK    RESULT
                pods    2026-11-23T10:00:01Z   2.5 s   B201 x

                CLUSTER   WAVE   PHASE        TOOK    MESSAGE
                local     1      RolledBack   1.5 s   back to release 6
                prod      2      Failed       -       B201 crash
                """
        )
    }

    @Test func asYamlAndJsonItIsTheSameRecord() throws {
        let yaml = ReleaseTable.details(of: try record(), as: .yaml)
        #expect(yaml.contains("rollbackTo: 5") && yaml.contains("- name: local\n  wave: 1"), "\(yaml)")
        let json = try JSON(parsing: ReleaseTable.text(of: [try record()], as: .json))
        #expect(json[0]?["clusters"]?[1]?["phase"] == "Failed" && json[0]?["by"] == "ann@desk")
    }
}
