// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What one container is made of, decided before any effect: the input of an OCI runtime configuration.
struct ContainerBundle: Sendable {
    struct Mount: Sendable, Hashable {
        var source: String
        var destination: String
        var isReadOnly: Bool
    }

    var id: ContainerID
    var rootfs: String
    var arguments: [String]
    /// `NAME=value`, in order.
    var environment: [String]
    var workingDirectory: String
    var user: ContainerUser
    var capabilities: [String]
    var hasReadOnlyRoot: Bool
    var mounts: [Mount]
    /// Paths of the pod's namespaces.
    var networkNamespace: String?
    var utsNamespace: String
    var ipcNamespace: String
    /// Absolute, below the control groups' mount.
    var cgroupsPath: String
    var resources: ContainerResources
    var sysctls: [String: String]
    var oomScoreAdjustment: Int
    var hasTerminal = false

    /// The OCI runtime configuration (`config.json`), version 1.0.2.
    var configuration: JSON {
        [
            "ociVersion": "1.0.2",
            "process": process,
            "root": ["path": .string(rootfs), "readonly": .bool(hasReadOnlyRoot)],
            "mounts": .array(Self.standardMounts + mounts.map(Self.bind)),
            "linux": linux,
        ]
    }

    private var process: JSON {
        let names = JSON.array(capabilities.map { .string($0) })
        var process: JSON = [
            "terminal": .bool(hasTerminal),
            "user": user.json,
            "args": .array(arguments.map { .string($0) }),
            "env": .array(environment.map { .string($0) }),
            "cwd": .string(workingDirectory),
            "capabilities": ["bounding": names, "effective": names, "permitted": names],
            "noNewPrivileges": true,
        ]
        // Lowering the score below our own needs a privilege that a confined host does not give.
        if oomScoreAdjustment > 0 { process["oomScoreAdj"] = JSON(oomScoreAdjustment) }
        return process
    }

    private var linux: JSON {
        var namespaces: [JSON] = [
            ["type": "pid"], ["type": "mount"], ["type": "cgroup"],
            ["type": "ipc", "path": .string(ipcNamespace)], ["type": "uts", "path": .string(utsNamespace)],
        ]
        namespaces.append(networkNamespace.map { ["type": "network", "path": .string($0)] } ?? ["type": "network"])
        var linux: JSON = [
            "namespaces": .array(namespaces),
            "cgroupsPath": .string(cgroupsPath),
            "resources": resources.json,
            "seccomp": SeccompProfile.json,
            "maskedPaths": .array(Self.maskedPaths.map { .string($0) }),
            "readonlyPaths": .array(Self.readOnlyPaths.map { .string($0) }),
        ]
        if !sysctls.isEmpty { linux["sysctl"] = JSON(sysctls) }
        return linux
    }

    private static func bind(_ mount: Mount) -> JSON {
        [
            "destination": .string(mount.destination), "type": "bind", "source": .string(mount.source),
            "options": ["rbind", "rprivate", mount.isReadOnly ? "ro" : "rw"],
        ]
    }

    private static let standardMounts: [JSON] = [
        ["destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]],
        [
            "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        ],
        [
            "destination": "/dev/pts", "type": "devpts", "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ],
        [
            "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
            "options": ["nosuid", "noexec", "nodev"],
        ],
        ["destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]],
        [
            "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
            "options": ["nosuid", "noexec", "nodev", "relatime", "ro"],
        ],
    ]

    private static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]

    private static let readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}

/// The numeric identity of a container's processes.
struct ContainerUser: Sendable, Hashable {
    var uid: Int
    var gid: Int
    var additionalGroups: [Int]

    var json: JSON {
        ["uid": JSON(uid), "gid": JSON(gid), "additionalGids": .array(additionalGroups.map { JSON($0) })]
    }
}

/// A container's share of the machine, in the terms of control groups.
struct ContainerResources: Sendable, Hashable {
    var requestedMillicores: Int64
    /// `nil`: no limit.
    var millicoresLimit: Int64?
    /// In bytes; `nil`: no limit.
    var memoryLimit: Int64?
    /// Whether the kernel accounts swap, so that a memory limit can forbid it.
    var canLimitSwap = false

    private static let period: Int64 = 100_000

    var json: JSON {
        var cpu: JSON = ["shares": JSON(Int(shares))]
        if let millicoresLimit, millicoresLimit > 0 {
            cpu["quota"] = JSON(Int(max(1000, millicoresLimit * Self.period / 1000)))
            cpu["period"] = JSON(Int(Self.period))
        }
        var json: JSON = ["devices": [["allow": false, "access": "rwm"]], "cpu": cpu]
        if let memoryLimit, memoryLimit > 0 {
            json["memory"] = ["limit": JSON(Int(memoryLimit))]
            if canLimitSwap { json.set(JSON(Int(memoryLimit)), at: ["memory", "swap"]) }
        }
        return json
    }

    /// The kubelet's rule: 1024 shares a core, the limit standing in for a missing request, never below 2.
    private var shares: Int64 {
        let millicores = requestedMillicores > 0 ? requestedMillicores : millicoresLimit ?? 0
        return min(262_144, max(2, millicores * 1024 / 1000))
    }
}
