// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model
import Ports

/// The volumes of one pod on this machine.
struct PodVolumes: Sendable {
    struct Volume: Sendable, Hashable {
        /// The folder that containers see.
        var path: String
        var isReadOnly = false
        /// Whether its content follows objects of the API.
        var isProjected = false
    }

    let volumes: [String: Volume]

    /// Makes every volume ready. Volumes that are there keep their content.
    static func setUp(_ pod: PodSpec, address: String, _ services: PodServices) async throws -> PodVolumes {
        var volumes: [String: Volume] = [:]
        for declared in pod.spec["volumes"]?.array ?? [] {
            let name = declared["name"]?.string ?? ""
            do {
                volumes[name] = try await setUp(declared, name, pod, address, services)
            } catch let failure as VolumeFailure {
                throw failure
            } catch let error as CancellationError {
                throw error
            } catch {
                throw VolumeFailure(volume: name, message: "\(error)")
            }
        }
        return PodVolumes(volumes: volumes)
    }

    /// Brings the content of projected volumes up to date; `true` where something changed.
    func refresh(_ pod: PodSpec, address: String, _ services: PodServices) async throws -> Bool {
        var hasChanged = false
        for declared in pod.spec["volumes"]?.array ?? [] {
            guard let volume = volumes[declared["name"]?.string ?? ""], volume.isProjected else { continue }
            let reader = ProjectionReader(services: services, pod: pod, address: address)
            guard let files = try await reader.files(of: declared) else { continue }
            if try AtomicFolder(path: volume.path).replace(by: files, owner: Self.group(pod)) { hasChanged = true }
        }
        return hasChanged
    }

    /// Takes away what was mounted; folders stay.
    static func unmount(_ podFolder: String) throws(Failure) {
        for name in Folder.names(in: "\(podFolder)/volumes") { try Mounts.detach("\(podFolder)/volumes/\(name)") }
    }

    private static func group(_ pod: PodSpec) -> Int? { pod.securityContext["fsGroup"]?.int }

    private static func setUp(
        _ declared: JSON,
        _ name: String,
        _ pod: PodSpec,
        _ address: String,
        _ services: PodServices
    ) async throws -> Volume {
        let path = "\(services.folders.pod(pod.uid))/volumes/\(name)"
        let reader = ProjectionReader(services: services, pod: pod, address: address)
        if let files = try await reader.files(of: declared) {
            try Folder.make(path)
            try AtomicFolder(path: path).replace(by: files, owner: group(pod))
            return Volume(path: path, isReadOnly: true, isProjected: true)
        }
        if let source = declared["emptyDir"] { return try emptyFolder(source, path, pod) }
        if let source = declared["persistentVolumeClaim"] {
            return try await ClaimVolume(services: services, pod: pod).setUp(source, volume: name)
        }
        let kind = declared.object?.keys.first { $0 != "name" } ?? "none"
        throw VolumeFailure(volume: name, message: "volumes of kind \(kind) are not supported on this node")
    }

    private static func emptyFolder(_ source: JSON, _ path: String, _ pod: PodSpec) throws -> Volume {
        try Folder.make(path)
        if source["medium"]?.string == "Memory" {
            try Mounts.detach(path)
            let limit = memorySize(source, pod).map { ",size=\($0)" } ?? ""
            let result = unsafe ballast_mount_tmpfs(path, "mode=1777\(limit)")
            guard result == 0 else { throw Failure(.fault, "'\(path)' cannot be mounted", cause: Errno(-result)) }
        }
        try VolumeOwnership.prepare(path, group: group(pod), mode: 0o777)
        return Volume(path: path)
    }
}

extension PodVolumes {
    /// How large a volume in memory may grow: its own limit, and no more than all containers together may have.
    static func memorySize(_ source: JSON, _ pod: PodSpec) -> Int64? {
        let limits = pod.containers.filter { $0.role != .initial }.map { $0.amount("limits", "memory")?.value }
        let known = limits.compactMap { $0 }
        let total = known.count == limits.count && !known.isEmpty ? known.reduce(0, +) : nil
        return [LocalStorage.limit(of: source)?.value, total].compactMap { $0 }.min()
    }
}

/// Gives a volume's folder to the group that a pod asks for.
enum VolumeOwnership {
    static func prepare(_ path: String, group: Int?, mode: mode_t) throws(Failure) {
        if let group {
            guard unsafe chown(path, uid_t.max, gid_t(group)) == 0 else {
                throw Failure(.fault, "'\(path)' cannot be given to group \(group)", cause: Errno(errno))
            }
        }
        guard unsafe chmod(path, group == nil ? mode : mode | 0o2070) == 0 else {
            throw Failure(.fault, "the mode of '\(path)' cannot be set", cause: Errno(errno))
        }
    }
}
