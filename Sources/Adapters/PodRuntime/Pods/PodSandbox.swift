// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CLinux
import Glibc
import Model

/// What the containers of one pod share: address, namespaces, shared memory, and the files that name the pod.
struct PodSandbox: Sendable {
    let folder: String
    let connection: PodConnection

    var utsNamespace: String { "\(folder)/namespaces/uts" }
    var ipcNamespace: String { "\(folder)/namespaces/ipc" }
    var sharedMemory: String { "\(folder)/shm" }
    var hostsFile: String { "\(folder)/hosts" }
    var hostnameFile: String { "\(folder)/hostname" }
    var resolverFile: String { "\(folder)/resolv.conf" }

    /// Builds the sandbox of a pod, anew where an earlier one was left.
    static func setUp(_ pod: PodSpec, _ services: PodServices) async throws -> PodSandbox {
        let folder = services.folders.pod(pod.uid) + "/sandbox"
        try unmount(folder)
        let connection = try await services.network.connect(pod.uid)
        let sandbox = PodSandbox(folder: folder, connection: connection)
        try sandbox.pinNamespaces(hostname: pod.hostname)
        try sandbox.mountSharedMemory()
        try FileText.write(sandbox.hosts(pod, domain: services.configuration.clusterDomain), to: sandbox.hostsFile)
        try FileText.write(pod.hostname + "\n", to: sandbox.hostnameFile)
        try FileText.write(services.network.resolverText(for: pod), to: sandbox.resolverFile)
        return sandbox
    }

    static func tearDown(_ pod: PodSpec, _ services: PodServices) async throws {
        try unmount(services.folders.pod(pod.uid) + "/sandbox")
        try await services.network.disconnect(pod.uid)
    }

    /// Undoes the mounts of a sandbox folder; what is not mounted is no failure.
    static func unmount(_ folder: String) throws(Failure) {
        for path in ["\(folder)/namespaces/uts", "\(folder)/namespaces/ipc", "\(folder)/shm"] {
            try Mounts.detach(path)
        }
    }

    private func pinNamespaces(hostname: String) throws(Failure) {
        try Folder.make("\(folder)/namespaces", mode: 0o700)
        for path in [utsNamespace, ipcNamespace] { try FileText.write("", to: path, mode: 0o600) }
        let result = unsafe ballast_pin_namespaces(hostname, utsNamespace, ipcNamespace)
        guard result == 0 else { throw Failure(.fault, "the pod's namespaces cannot be made", cause: Errno(-result)) }
    }

    private func mountSharedMemory() throws(Failure) {
        try Folder.make(sharedMemory)
        let result = unsafe ballast_mount_tmpfs(sharedMemory, "mode=1777,size=65536k")
        guard result == 0 else { throw Failure(.fault, "shared memory cannot be mounted", cause: Errno(-result)) }
    }

    private func hosts(_ pod: PodSpec, domain: String) -> String {
        var lines = [
            "# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback",
            "fe00::0\tip6-localnet", "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
        ]
        let subdomain = pod.spec["subdomain"]?.string ?? ""
        let full = subdomain.isEmpty ? "" : "\(pod.hostname).\(subdomain).\(pod.namespace).svc.\(domain)\t"
        lines.append("\(connection.address)\t\(full)\(pod.hostname)")
        let aliases = pod.spec["hostAliases"]?.array ?? []
        if !aliases.isEmpty { lines += ["", "# Entries added by HostAliases."] }
        for alias in aliases {
            let names = alias["hostnames"]?.array?.compactMap(\.string) ?? []
            lines.append("\(alias["ip"]?.string ?? "")\t\(names.joined(separator: "\t"))")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Mounts of this node.
enum Mounts {
    /// Takes away every mount at `path`; none is no failure.
    static func detach(_ path: String) throws(Failure) {
        let result = unsafe ballast_unmount(path)
        guard result == 0 else { throw Failure(.fault, "'\(path)' cannot be unmounted", cause: Errno(-result)) }
    }

    /// Takes away every mount below a folder, innermost first.
    static func detachAll(below folder: String) throws(Failure) {
        guard Folder.exists(folder) else { return }
        for path in below(folder) { try detach(path) }
    }
}
