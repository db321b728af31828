// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The system calls that no container may make: those that change the machine or leave the container.
enum SeccompProfile {
    /// Answered with EPERM.
    private static let refused = [
        "acct", "add_key", "bpf", "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64",
        "create_module", "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
        "get_kernel_syms", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl",
        "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount",
        "move_pages", "nfsservctl", "open_by_handle_at", "open_tree", "open_tree_attr",
        "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev",
        "query_module", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns",
        "settimeofday", "stime", "swapoff", "swapon", "_sysctl", "sysfs", "syslog", "umount", "umount2", "unshare",
        "uselib", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old",
    ]

    /// Flags of `clone` that make namespaces: mount, cgroup, UTS, IPC, user, process, network.
    private static let namespaceFlags = [
        0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]

    static let json: JSON = {
        let eperm: JSON = 1
        let enosys: JSON = 38
        var rules: [JSON] = [
            ["names": .array(refused.map { .string($0) }), "action": "SCMP_ACT_ERRNO", "errnoRet": eperm],
            // Its flags are behind a pointer, out of sight; programs fall back to clone.
            ["names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": enosys],
        ]
        for flag in namespaceFlags {
            let argument: JSON = ["index": 0, "value": JSON(flag), "valueTwo": JSON(flag), "op": "SCMP_CMP_MASKED_EQ"]
            rules.append([
                "names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": eperm, "args": .array([argument]),
            ])
        }
        return [
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": architectures, "syscalls": .array(rules),
        ]
    }()

    private static var architectures: JSON {
        #if arch(arm64)
            ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
        #else
            ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        #endif
    }
}
