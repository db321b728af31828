// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Ports

extension ControlGroups {
    /// What the processes of a group have used; `nil` where the kernel does not count it.
    func usage(of group: String) -> ResourceUsage? {
        switch version {
        case .v1:
            guard let time = number("cpuacct\(group)/cpuacct.usage"),
                let memory = number("memory\(group)/memory.usage_in_bytes")
            else { return nil }
            let idle = field("total_inactive_file", of: "memory\(group)/memory.stat") ?? 0
            return ResourceUsage(processorTime: .nanoseconds(time), memory: max(0, memory - idle))
        case .v2:
            guard let time = field("usage_usec", of: "\(group)/cpu.stat"),
                let memory = number("\(group)/memory.current")
            else { return nil }
            let idle = field("inactive_file", of: "\(group)/memory.stat") ?? 0
            return ResourceUsage(processorTime: .microseconds(time), memory: max(0, memory - idle))
        }
    }

    /// The names of the groups directly below a group.
    func names(below group: String) -> [String] {
        let folder = path(version == .v1 ? "memory\(group)" : group)
        return Folder.names(in: folder).filter { Folder.isFolder("\(folder)/\($0)") }
    }

    private func path(_ tail: String) -> String { tail.hasPrefix("/") ? "\(mount)\(tail)" : "\(mount)/\(tail)" }

    private func number(_ tail: String) -> Int64? {
        guard let text = try? FileText.read(path(tail)) else { return nil }
        return Int64(text.prefix { $0.isNumber })
    }

    private func field(_ name: String, of tail: String) -> Int64? {
        guard let text = try? FileText.read(path(tail)) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("\(name) ") {
            return Int64(line.dropFirst(name.count + 1))
        }
        return nil
    }
}

/// What the whole machine has used.
enum MachineUsage {
    /// The kernel counts in hundredths of a second here.
    private static let tick = Duration.milliseconds(10)

    static func read() -> ResourceUsage? {
        guard let stat = try? FileText.read("/proc/stat"), let info = try? FileText.read("/proc/meminfo") else {
            return nil
        }
        return parse(stat: stat, memory: info)
    }

    static func parse(stat: String, memory: String) -> ResourceUsage? {
        guard let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else { return nil }
        let ticks = line.split(separator: " ").dropFirst().compactMap { Int64($0) }
        guard ticks.count >= 8 else { return nil }
        // user, nice, system, then idle and waiting, then interrupts and what the host took.
        let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]
        func kibibytes(_ name: String) -> Int64? {
            let line = memory.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
        }
        guard let total = kibibytes("MemTotal"), let free = kibibytes("MemAvailable") else { return nil }
        return ResourceUsage(processorTime: tick * Int(busy), memory: max(0, total - free) * 1024)
    }
}

extension PodNode {
    /// What this node's containers have used, by their ids.
    package func usage() async -> NodeUsage? {
        guard let machine = MachineUsage.read() else { return nil }
        let groups = services.controlGroups
        var containers: [String: ResourceUsage] = [:]
        for pod in groups.names(below: services.controlGroup) {
            for id in groups.names(below: "\(services.controlGroup)/\(pod)") {
                containers[id] = groups.usage(of: "\(services.controlGroup)/\(pod)/\(id)")
            }
        }
        return NodeUsage(node: services.configuration.nodeName, machine: machine, containers: containers)
    }
}
