// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

extension PodVolumes {
    /// Where a container wants its volumes.
    func mounts(of spec: ContainerSpec, _ environment: ContainerEnvironment, _ parts: inout PinnedParts) throws
        -> [ContainerBundle.Mount]
    {
        var mounts: [ContainerBundle.Mount] = []
        for wanted in spec.json["volumeMounts"]?.array ?? [] {
            let name = wanted["name"]?.string ?? ""
            guard let volume = volumes[name] else {
                throw LaunchFailure(
                    stage: .configuration,
                    reason: "CreateContainerConfigError",
                    message: "cannot find volume \"\(name)\" to mount into container \"\(spec.name)\""
                )
            }
            let subpath = try subpath(wanted, environment)
            let source = try subpath.map { try parts.pin($0, of: volume.path, isProjected: volume.isProjected) }
            mounts.append(
                ContainerBundle.Mount(
                    source: source ?? volume.path,
                    destination: Self.absolute(wanted["mountPath"]?.string ?? ""),
                    isReadOnly: volume.isReadOnly || wanted["readOnly"]?.bool ?? false
                )
            )
        }
        return mounts
    }

    private func subpath(_ wanted: JSON, _ environment: ContainerEnvironment) throws -> String? {
        let text = wanted["subPathExpr"]?.string.map(environment.expand) ?? wanted["subPath"]?.string ?? ""
        if text.isEmpty { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard !text.hasPrefix("/"), !parts.contains("..") else {
            throw LaunchFailure(
                stage: .configuration,
                reason: "CreateContainerConfigError",
                message: "subPath \"\(text)\" must stay inside its volume"
            )
        }
        return text
    }

    private static func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }
}

/// Pins the parts of volumes that one container mounts, in a folder of the container's own.
///
/// A part is resolved once, with links confined to the volume, and bound through its open descriptor, so that a container
/// which swaps a folder for a link meanwhile gains nothing.
struct PinnedParts {
    /// Where the parts are bound; whoever clears the container away unmounts them.
    let folder: String
    private var count = 0

    init(folder: String) { self.folder = folder }

    /// Binds a part of a volume, created as a folder where it is missing, and returns the path to mount it by.
    mutating func pin(_ part: String, of volume: String, isProjected: Bool) throws -> String {
        let descriptor = try open(part, volume, creates: !isProjected)
        defer { close(descriptor) }
        count += 1
        let target = "\(folder)/\(count)"
        var status = stat()
        if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            try Folder.make(target)
        } else {
            try Folder.make(folder)
            try FileText.write("", to: target)
        }
        let result = unsafe ballast_bind_mount("/proc/self/fd/\(descriptor)", target)
        guard result == 0 else { throw Self.failure(part, -result) }
        return target
    }

    private func open(_ part: String, _ volume: String, creates: Bool) throws -> Int32 {
        var descriptor = unsafe ballast_open_under(volume, part, ballast_o_path())
        if descriptor == -ENOENT, creates { descriptor = unsafe ballast_make_folder_under(volume, part, 0o777) }
        guard descriptor >= 0 else { throw Self.failure(part, -descriptor) }
        return descriptor
    }

    private static func failure(_ part: String, _ number: Int32) -> LaunchFailure {
        LaunchFailure(
            stage: .configuration,
            reason: "CreateContainerConfigError",
            message: "failed to prepare subPath \"\(part)\": \(Errno(number))"
        )
    }
}
