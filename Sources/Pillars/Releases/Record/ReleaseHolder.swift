// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model

/// The process that runs a release. Its record names it, so that a release that was killed is told from one that runs.
package struct ReleaseHolder: Sendable, Hashable {
    /// Host name, as people know the machine.
    package var host: String
    /// What makes process numbers comparable: this boot of this kernel, and the namespace they count in.
    package var scope: String
    package var process: Int
    /// Numbers are used again: when the process started, in ticks since boot.
    package var started: String

    package init(host: String, scope: String, process: Int, started: String) {
        self.host = host
        self.scope = scope
        self.process = process
        self.started = started
    }

    /// The process that asks.
    package static var current: ReleaseHolder {
        let process = Int(ProcessInfo.processInfo.processIdentifier)
        return ReleaseHolder(
            host: ProcessInfo.processInfo.hostName,
            scope: currentScope,
            process: process,
            started: startTime(of: process) ?? ""
        )
    }

    /// Whether the process has ended; `nil` where that cannot be seen from here.
    package static func hasEnded(_ holder: ReleaseHolder) -> Bool? {
        guard !holder.scope.isEmpty, holder.scope == currentScope else { return nil }
        return startTime(of: holder.process) != holder.started
    }

    private static var currentScope: String {
        guard let boot = text(of: "/proc/sys/kernel/random/boot_id"),
            let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        else { return "" }
        return "\(boot) \(namespace)"
    }

    /// `nil` where there is no such process, or only what its parent has yet to take note of. Field 22 of proc(5)'s stat, counted behind the program's name, which may hold spaces and brackets.
    private static func startTime(of process: Int) -> String? {
        guard let stat = text(of: "/proc/\(process)/stat"), let bracket = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[bracket...].split(separator: " ")
        guard fields.count > 20, fields[1] != "Z", fields[1] != "X" else { return nil }
        return String(fields[20])
    }

    private static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: path).map {
            String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self)
        }
    }
}

extension ReleaseHolder {
    init?(_ json: JSON?) {
        guard let json, let host = json["host"]?.string, let process = json["process"]?.int else { return nil }
        let (scope, started) = (json["scope"]?.string ?? "", json["started"]?.string ?? "")
        self.init(host: host, scope: scope, process: process, started: started)
    }

    var json: JSON {
        ["host": .string(host), "scope": .string(scope), "process": JSON(process), "started": .string(started)]
    }
}
