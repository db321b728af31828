// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

/// A network namespace that lives on without a process, at `/run/netns/<name>`, as `ip netns` keeps its own.
enum NetworkNamespace {
    static let folder = "/run/netns"

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Makes the namespace and runs `configure` on a thread inside it, with a routing socket of the namespace.
    static func create(
        _ name: String,
        _ configure: @escaping @Sendable (_ descriptor: CInt, _ inside: Netlink) throws -> Void
    )
        async throws
    {
        try await OwnThread.run {
            try prepareFolder()
            let path = path(name)
            let file = unsafe open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444)
            guard file >= 0 else { throw Failure.system("cannot create '\(path)'", errno) }
            close(file)
            do {
                guard ballast_unshare_net() == 0 else { throw Failure.system("cannot make a network namespace", errno) }
                guard unsafe mount("/proc/thread-self/ns/net", path, "none", UInt(MS_BIND), nil) == 0 else {
                    throw Failure.system("cannot keep the network namespace at '\(path)'", errno)
                }
                let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw Failure.system("cannot open '\(path)'", errno) }
                defer { close(descriptor) }
                try configure(descriptor, Netlink())
            } catch {
                remove(name)
                throw error
            }
        }
    }

    /// Lets go of the namespace; the kernel takes it and its interfaces away once no process is in it. Idempotent.
    static func remove(_ name: String) {
        let path = path(name)
        while unsafe umount2(path, CInt(MNT_DETACH)) == 0 {}
        _ = unsafe unlink(path)
    }

    /// Mounts under the folder have to reach other mount namespaces and leave them again, else they outlive their end.
    private static func prepareFolder() throws {
        try Folder.make(folder)
        if unsafe mount("", folder, "none", UInt(MS_SHARED | MS_REC), nil) == 0 { return }
        guard errno == EINVAL, unsafe mount(folder, folder, "none", UInt(MS_BIND | MS_REC), nil) == 0,
            unsafe mount("", folder, "none", UInt(MS_SHARED | MS_REC), nil) == 0
        else { throw Failure.system("cannot share '\(folder)'", errno) }
    }
}
