// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

/// Collects ended processes that nobody waits for.
///
/// Since containers become children of this process when runc ends, so do orphans of any other program that this process
/// started. One that has been dead at two looks is nobody's, for those who wait for a child collect it at once.
struct OrphanReaper: Sendable {
    let clock: any Clock<Duration>

    func run() async {
        var suspects: Set<pid_t> = []
        while (try? await clock.sleep(for: .seconds(60))) != nil {
            let dead = Self.deadChildren()
            for pid in dead.intersection(suspects) { ballast_reap_orphan(pid) }
            suspects = dead
        }
    }

    private static func deadChildren() -> Set<pid_t> {
        let own = getpid()
        var found: Set<pid_t> = []
        for thread in Folder.names(in: "/proc/\(own)/task") {
            let text = (try? FileText.read("/proc/\(own)/task/\(thread)/children")) ?? ""
            found.formUnion(text.split(separator: " ").compactMap { pid_t($0) }.filter(isDead))
        }
        return found
    }

    private static func isDead(_ pid: pid_t) -> Bool {
        guard let text = try? FileText.read("/proc/\(pid)/stat"), let name = text.lastIndex(of: ")") else {
            return false
        }
        return text[name...].dropFirst(2).first == "Z"
    }
}
