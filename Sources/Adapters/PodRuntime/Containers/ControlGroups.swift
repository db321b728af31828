// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// The machine's control groups: version 1, version 2, or both.
struct ControlGroups: Sendable {
    enum Version: Sendable { case v1, v2 }

    let version: Version
    let mount: String

    init(mount: String = "/sys/fs/cgroup") {
        self.mount = mount
        version = Folder.exists("\(mount)/cgroup.controllers") ? .v2 : .v1
    }

    /// Whether a memory limit can cover swap too. The root of version 2 has no such file, but each group below it has.
    var canLimitSwap: Bool {
        switch version {
        case .v1: Folder.exists("\(mount)/memory/memory.memsw.limit_in_bytes")
        case .v2: Folder.names(in: mount).contains { Folder.exists("\(mount)/\($0)/memory.swap.max") }
        }
    }

    /// The folders of all hierarchies; links to them, as version 1 has them, are left out.
    var hierarchies: [String] {
        if version == .v2 { return [mount] }
        return Folder.names(in: mount).map { "\(mount)/\($0)" }.filter(Folder.isFolder)
    }

    /// How often the kernel killed a process of that group for want of memory.
    func oomKills(_ group: String) -> Int {
        let file =
            version == .v2 ? "\(mount)\(group)/memory.events" : "\(mount)/memory\(group)/memory.oom_control"
        guard let text = try? FileText.read(file) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return Int(line.dropFirst("oom_kill ".count)) ?? 0
        }
        return 0
    }

    /// Removes the empty groups below `group`, and itself, in every hierarchy.
    func remove(_ group: String) {
        for hierarchy in hierarchies { removeTree(hierarchy + group) }
    }

    private func removeTree(_ path: String) {
        for name in Folder.names(in: path) where Folder.isFolder("\(path)/\(name)") { removeTree("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
