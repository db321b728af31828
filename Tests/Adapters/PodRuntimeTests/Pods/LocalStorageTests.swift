// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Testing

@testable import PodRuntime

@Suite("local storage of pods")
struct LocalStorageTests {
    private static let folders = NodeFolders(data: "/d")

    private func pod(_ spec: JSON) -> PodSpec {
        var object = KubeObject(.pods, namespace: "shop", name: "web")
        object.json.set("u", at: ["metadata", "uid"])
        object["spec"] = spec
        return PodSpec(object)
    }

    private func container(_ name: String, limit: String?) -> JSON {
        var container: JSON = ["name": .string(name)]
        if let limit { container["resources"] = ["limits": ["ephemeral-storage": .string(limit)]] }
        return container
    }

    private func excess(_ spec: JSON, _ sizes: [String: Int64]) -> String? {
        LocalStorage(pod(spec), Self.folders)?.excess { sizes[$0] ?? 0 }
    }

    @Test func aPodWithoutLimitsIsNotMeasured() {
        let spec: JSON = [
            "volumes": [["name": "tmp", "emptyDir": [:]], ["name": "none", "emptyDir": ["sizeLimit": "0"]]],
            "containers": .array([container("a", limit: nil)]),
        ]
        #expect(LocalStorage(pod(spec), Self.folders) == nil)
    }

    @Test func aVolumeBeyondItsLimitIsTold() {
        let spec: JSON = [
            "volumes": [
                ["name": "free", "emptyDir": [:]], ["name": "tmp", "emptyDir": ["sizeLimit": "1Mi"]],
            ],
            "containers": .array([container("a", limit: nil)]),
        ]
        #expect(excess(spec, ["/d/pods/u/volumes/free": 1 << 40, "/d/pods/u/volumes/tmp": 1 << 20]) == nil)
        #expect(
            excess(spec, ["/d/pods/u/volumes/tmp": 1 << 20 + 1])
                == "Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Mi\". "
        )
    }

    @Test func changesAndLogsCountForTheirContainerAndAllForThePod() {
        let logs = "/d/logs/pods/shop_web_u"
        let both: JSON = [
            "volumes": [["name": "tmp", "emptyDir": [:]], ["name": "mem", "emptyDir": ["medium": "Memory"]]],
            "containers": .array([container("a", limit: "10"), container("b", limit: "20")]),
        ]
        #expect(excess(both, ["/d/pods/u/containers/a": 5, "\(logs)/a": 5, "\(logs)/b": 20]) == nil)
        #expect(
            excess(both, ["/d/pods/u/containers/a": 5, "\(logs)/a": 6])
                == "Container a exceeded its local ephemeral storage limit \"10\". "
        )
        let beyond = "Pod ephemeral local storage usage exceeds the total limit of containers 30. "
        #expect(excess(both, ["\(logs)/b": 20, "/d/pods/u/volumes/tmp": 11]) == beyond)
        #expect(excess(both, ["\(logs)/b": 20, "/d/pods/u/volumes/mem": 11]) == nil)
        let one: JSON = ["containers": .array([container("a", limit: nil), container("b", limit: "20")])]
        #expect(excess(one, ["\(logs)/a": 1000, "\(logs)/b": 20]) == nil)
    }

    @Test func memoryVolumesAreAsLargeAsTheirLimitOrTheContainersMemory() {
        func size(_ source: JSON, memory: [String?]) -> Int64? {
            let containers = memory.map { limit -> JSON in
                guard let limit else { return ["name": "c"] }
                return ["name": "c", "resources": ["limits": ["memory": .string(limit)]]]
            }
            return PodVolumes.memorySize(source, pod(["containers": .array(containers)]))
        }
        #expect(size(["sizeLimit": "1Mi"], memory: [nil]) == 1 << 20)
        #expect(size(["sizeLimit": "1Gi"], memory: ["1Mi", "1Mi"]) == 2 << 20)
        #expect(size([:], memory: ["1Mi"]) == 1 << 20)
        #expect(size([:], memory: ["1Mi", nil]) == nil)
    }

    @Test func aFolderIsMeasuredByItsBlocksAndLinksCountOnce() throws {
        let folder = try ScratchFolder()
        try FileText.write([UInt8](repeating: 1, count: 100_000), to: "\(folder.path)/b")
        let one = DiskUse.bytes(of: folder.path)
        #expect(one >= 100_000 && one < 200_000)
        try #require(unsafe link("\(folder.path)/b", "\(folder.path)/c") == 0)
        try #require(unsafe symlink("/usr", "\(folder.path)/away") == 0)
        #expect(DiskUse.bytes(of: folder.path) < one + 8192)
        #expect(DiskUse.bytes(of: "\(folder.path)/missing") == 0)
    }
}
