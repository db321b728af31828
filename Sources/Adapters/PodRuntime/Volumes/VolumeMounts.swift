// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

extension PodVolumes {
    /// Where a container wants its volumes.
    func mounts(of spec: ContainerSpec, _ environment: ContainerEnvironment, _ holds: inout SubpathHolds) throws
        -> [ContainerBundle.Mount]
    {
        var mounts: [ContainerBundle.Mount] = []
        for wanted in spec.json["volumeMounts"]?.array ?? [] {
            let name = wanted["name"]?.string ?? ""
            guard let volume = volumes[name] else {
                throw LaunchFailure(
                    stage: .configuration, reason: "CreateContainerConfigError",
                    message: "cannot find volume \"\(name)\" to mount into container \"\(spec.name)\"")
            }
            let subpath = try subpath(wanted, environment)
            let source = try subpath.map { try holds.hold($0, in: volume.path, isProjected: volume.isProjected) }
            mounts.append(
                ContainerBundle.Mount(
                    source: source ?? volume.path, destination: Self.absolute(wanted["mountPath"]?.string ?? ""),
                    isReadOnly: volume.isReadOnly || wanted["readOnly"]?.bool ?? false))
        }
        return mounts
    }

    private func subpath(_ wanted: JSON, _ environment: ContainerEnvironment) throws -> String? {
        let text = wanted["subPathExpr"]?.string.map(environment.expand) ?? wanted["subPath"]?.string ?? ""
        if text.isEmpty { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard !text.hasPrefix("/"), !parts.contains("..") else {
            throw LaunchFailure(
                stage: .configuration, reason: "CreateContainerConfigError",
                message: "subPath \"\(text)\" must stay inside its volume")
        }
        return text
    }

    private static func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }
}

/// Keeps the parts of volumes open that a container is about to mount.
///
/// A part is resolved once, with links confined to the volume, and then mounted through its open descriptor, so that a
/// container which swaps a folder for a link meanwhile gains nothing.
struct SubpathHolds {
    private var descriptors: [Int32] = []

    /// Opens a part of a volume, created as a folder where it is missing, and returns a path to mount it by.
    mutating func hold(_ subpath: String, in volume: String, isProjected: Bool) throws -> String {
        var descriptor = unsafe ballast_open_under(volume, subpath, ballast_o_path())
        if descriptor == -ENOENT, !isProjected {
            descriptor = unsafe ballast_make_folder_under(volume, subpath, 0o777)
        }
        guard descriptor >= 0 else {
            throw LaunchFailure(
                stage: .configuration, reason: "CreateContainerConfigError",
                message: "failed to prepare subPath \"\(subpath)\": \(Errno(-descriptor))")
        }
        descriptors.append(descriptor)
        return "/proc/\(getpid())/fd/\(descriptor)"
    }

    mutating func release() {
        for descriptor in descriptors { close(descriptor) }
        descriptors = []
    }
}
