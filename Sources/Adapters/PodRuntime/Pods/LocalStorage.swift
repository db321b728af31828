// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model

/// What a pod may keep on this machine's disk, and whether it keeps more: `emptyDir` volumes, and the changes and logs of
/// its containers.
struct LocalStorage: Sendable {
    /// How often the kubelet looks.
    static let period: Duration = .seconds(10)

    private struct Volume: Sendable {
        var name: String
        var path: String
        var limit: Quantity?
        var isInMemory: Bool
    }
    private struct Container: Sendable {
        var name: String
        var folders: [String]
        var limit: Quantity?
    }

    private let volumes: [Volume]
    private let containers: [Container]
    /// The sum of the containers' limits, where all of them have one.
    private let podLimit: Quantity?

    /// `nil` where nothing of the pod is limited, and nothing needs to be measured.
    init?(_ pod: PodSpec, _ folders: NodeFolders) {
        volumes = (pod.spec["volumes"]?.array ?? []).compactMap { declared in
            guard let source = declared["emptyDir"], let name = declared["name"]?.string else { return nil }
            return Volume(
                name: name,
                path: "\(folders.pod(pod.uid))/volumes/\(name)",
                limit: Self.limit(of: source),
                isInMemory: source["medium"]?.string == "Memory"
            )
        }
        containers = pod.containers.map { spec in
            Container(
                name: spec.name,
                folders: [
                    "\(folders.pod(pod.uid))/containers/\(spec.name)", "\(folders.logs(pod))/\(spec.name)",
                ],
                limit: spec.amount("limits", "ephemeral-storage")
            )
        }
        let limits = pod.containers.filter { $0.role == .regular }.map { $0.amount("limits", "ephemeral-storage") }
        let known = limits.compactMap { $0 }
        podLimit = known.count == limits.count && !known.isEmpty ? known.dropFirst().reduce(known[0], +) : nil
        guard volumes.contains(where: { $0.limit != nil }) || containers.contains(where: { $0.limit != nil }) else {
            return nil
        }
    }

    /// A limit of nothing is none.
    static func limit(of source: JSON) -> Quantity? {
        let text = source["sizeLimit"].flatMap { $0.string ?? $0.int.map(String.init) }
        return text.flatMap { Quantity($0) }.flatMap { $0.nanos > 0 ? $0 : nil }
    }

    /// Why the pod has to go, in the kubelet's words; `nil` while it keeps to its limits. `measure` tells a folder's size.
    func excess(measure: (String) -> Int64 = DiskUse.bytes) -> String? {
        var used: Int64 = 0
        for volume in volumes {
            let size = measure(volume.path)
            if !volume.isInMemory { used += size }
            if let limit = volume.limit, size > limit.value {
                return "Usage of EmptyDir volume \"\(volume.name)\" exceeds the limit \"\(limit)\". "
            }
        }
        let sizes = containers.map { container in container.folders.reduce(0) { $0 + measure($1) } }
        if let podLimit, used + sizes.reduce(0, +) > podLimit.value {
            return "Pod ephemeral local storage usage exceeds the total limit of containers \(podLimit). "
        }
        for (container, size) in zip(containers, sizes) {
            if let limit = container.limit, size > limit.value {
                return "Container \(container.name) exceeded its local ephemeral storage limit \"\(limit)\". "
            }
        }
        return nil
    }
}

/// How much of the disk a folder takes.
enum DiskUse {
    /// The blocks of all that lies in the folder, without following links or entering mounts. What vanishes meanwhile
    /// counts as nothing; what has several names counts once.
    static func bytes(of folder: String) -> Int64 {
        var status = stat()
        guard unsafe lstat(folder, &status) == 0 else { return 0 }
        var linked: Set<ino_t> = []
        return bytes(of: folder, status, device: status.st_dev, &linked)
    }

    private static func bytes(of path: String, _ status: stat, device: dev_t, _ linked: inout Set<ino_t>) -> Int64 {
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        if !isFolder, status.st_nlink > 1, !linked.insert(status.st_ino).inserted { return 0 }
        var total = Int64(status.st_blocks) * 512
        guard isFolder else { return total }
        for name in Folder.names(in: path) {
            var inner = stat()
            guard unsafe lstat("\(path)/\(name)", &inner) == 0, inner.st_dev == device else { continue }
            total += bytes(of: "\(path)/\(name)", inner, device: device, &linked)
        }
        return total
    }
}
