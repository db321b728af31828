// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Telemetry

/// Removes what an earlier run of this data folder left behind when it was killed: containers, mounts, control groups.
struct NodeCleanup: Sendable {
    let services: PodServices

    /// Returns when no process of an earlier run is left. What is not of this data folder is not touched.
    func run() async throws {
        try Folder.make(services.folders.runcState, mode: 0o700)
        for id in (try? await services.runc.list()) ?? [] {
            do {
                try await services.runc.delete(id)
            } catch {
                services.telemetry.emit(NodeTrouble(what: "container not removed", subject: id.text, error: error))
            }
        }
        await endProcesses()
        try Mounts.detachAll(below: services.folders.pods)
        for uid in Folder.names(in: services.folders.pods) {
            try Folder.remove("\(services.folders.pod(uid))/containers")
        }
        // State that runc could not read stands for nothing any more.
        for name in Folder.names(in: services.folders.runcState) {
            try Folder.remove("\(services.folders.runcState)/\(name)")
        }
        services.controlGroups.remove(services.controlGroup)
    }

    /// Ends processes that runc lost track of; they are known by their control group.
    private func endProcesses() async {
        for _ in 0..<50 {
            let processes = services.controlGroups.processes(below: services.controlGroup)
            if processes.isEmpty { return }
            for process in processes { kill(process, SIGKILL) }
            try? await services.clock.sleep(for: .milliseconds(20))
        }
    }
}

extension Mounts {
    /// The mounts below a folder, innermost first.
    static func below(_ folder: String) -> [String] {
        let text = (try? FileText.read("/proc/self/mountinfo", limit: 16 << 20)) ?? ""
        let paths = text.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { return nil }
            let path = unescaped(fields[4])
            return path.hasPrefix(folder + "/") ? path : nil
        }
        return paths.reversed()
    }

    /// The kernel writes spaces and the like as `\\040`.
    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("\\") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ControlGroups {
    /// The ids of all processes in a group and those below it.
    func processes(below group: String) -> [pid_t] {
        var found: Set<pid_t> = []
        for hierarchy in hierarchies { collect(hierarchy + group, into: &found) }
        return found.sorted()
    }

    private func collect(_ path: String, into found: inout Set<pid_t>) {
        guard let text = try? FileText.read("\(path)/cgroup.procs") else { return }
        found.formUnion(text.split(separator: "\n").compactMap { pid_t($0) })
        for name in Folder.names(in: path) where Folder.isFolder("\(path)/\(name)") {
            collect("\(path)/\(name)", into: &found)
        }
    }
}
