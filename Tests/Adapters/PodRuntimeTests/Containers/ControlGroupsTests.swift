// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import PodRuntime

/// The same questions to trees as version 1 and version 2 have them; this machine has only one of the two.
@Suite("control groups")
struct ControlGroupsTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func write(_ files: [String: String]) throws {
        for (path, text) in files {
            let full = "\(folder.path)/\(path)"
            try Folder.make(String(full[..<(full.lastIndex(of: "/") ?? full.endIndex)]))
            try FileText.write(text, to: full)
        }
    }

    @Test func versionTwoIsOneTree() throws {
        try write([
            "cgroup.controllers": "cpuset cpu io memory pids\n", "cgroup.procs": "1\n",
            "ballast-x/cgroup.procs": "", "ballast-x/pod/cgroup.procs": "",
            "ballast-x/pod/c1/cgroup.procs": "101\n102\n",
            "ballast-x/pod/c1/memory.events": "low 0\nhigh 3\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n",
            "ballast-x/pod/c2/cgroup.procs": "103\n", "other/cgroup.procs": "7\n",
        ])
        let groups = ControlGroups(mount: folder.path)
        #expect(groups.version == .v2 && groups.hierarchies == [folder.path])
        #expect(!groups.canLimitSwap)
        #expect(groups.processes(below: "/ballast-x") == [101, 102, 103])
        #expect(groups.oomKills("/ballast-x/pod/c1") == 1)
        #expect(groups.oomKills("/ballast-x/pod/c2") == 0)
        #expect(groups.oomKills("/ballast-x/gone") == 0)
        try write(["system.slice/memory.swap.max": "max\n"])
        #expect(groups.canLimitSwap)
    }

    @Test func versionOneIsManyAndAHybridsUnifiedTreeIsOneOfThem() throws {
        try write([
            "memory/memory.memsw.limit_in_bytes": "0", "memory/ballast-x/c/cgroup.procs": "101\n",
            "memory/ballast-x/cgroup.procs": "",
            "memory/ballast-x/c/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            "pids/ballast-x/cgroup.procs": "102\n", "unified/cgroup.controllers": "hugetlb",
            "unified/ballast-x/cgroup.procs": "103\n", "cpu,cpuacct/cgroup.procs": "1\n",
        ])
        let groups = ControlGroups(mount: folder.path)
        #expect(groups.version == .v1 && groups.canLimitSwap)
        #expect(groups.hierarchies.count == 4)
        #expect(groups.processes(below: "/ballast-x") == [101, 102, 103])
        #expect(groups.oomKills("/ballast-x/c") == 2)
    }

    @Test func emptyGroupsAreRemovedInnermostFirstAndOthersStay() throws {
        for path in ["ballast-x/pod/c1", "ballast-x/pod/c2", "other"] { try Folder.make("\(folder.path)/\(path)") }
        try write(["cgroup.controllers": "memory"])
        ControlGroups(mount: folder.path).remove("/ballast-x")
        #expect(!Folder.exists("\(folder.path)/ballast-x") && Folder.exists("\(folder.path)/other"))
    }

    @Test func resourcesAskForNothingThatVersionTwoLacks() {
        let resources = ContainerResources(
            requestedMillicores: 500,
            millicoresLimit: 1000,
            memoryLimit: 1 << 20,
            canLimitSwap: false
        ).json
        #expect(resources[path: "memory", "limit"] == 1_048_576 && resources[path: "memory", "swap"] == nil)
        #expect(resources["unified"] == nil && resources[path: "network", "classID"] == nil)
    }
}
