// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What one node is called, where it keeps its things, and how it talks to its pods.
package struct PodRuntimeConfiguration: Sendable {
    /// Everything the node keeps lies below this folder.
    package var dataFolder: String
    /// The name of the `Node` object.
    package var nodeName: String
    /// Short and unique to the data folder; part of the names of control groups.
    package var instance: String
    /// The node's address as its pods and its status name it.
    package var hostAddress: String
    package var kubeletVersion: String
    package var podCIDR: String
    package var clusterDomain: String
    package var maximumPods = 110
    /// How long a pod may take to stop when the node stops.
    package var shutdownGrace: Duration = .seconds(10)
    /// Where `runc` is; `nil`: wherever PATH and the usual folders have it.
    package var runc: String?

    package init(
        dataFolder: String, nodeName: String, instance: String, hostAddress: String, kubeletVersion: String,
        podCIDR: String, clusterDomain: String = "cluster.local"
    ) {
        self.dataFolder = dataFolder
        self.nodeName = nodeName
        self.instance = instance
        self.hostAddress = hostAddress
        self.kubeletVersion = kubeletVersion
        self.podCIDR = podCIDR
        self.clusterDomain = clusterDomain
    }
}

/// Where the node keeps what, below its data folder.
struct NodeFolders: Sendable {
    let data: String

    var runcState: String { "\(data)/run/runc" }
    var pods: String { "\(data)/pods" }
    var podLogs: String { "\(data)/logs/pods" }
    /// Where claims' local volumes may lie; nothing else of the host is ever mounted.
    var volumes: String { "\(data)/volumes" }

    func pod(_ uid: String) -> String { "\(pods)/\(uid)" }
    func container(_ pod: PodSpec, _ name: String, attempt: Int) -> String {
        "\(self.pod(pod.uid))/containers/\(name)/\(attempt)"
    }
    func logs(_ pod: PodSpec) -> String { "\(podLogs)/\(pod.namespace)_\(pod.name)_\(pod.uid)" }
    func log(_ pod: PodSpec, _ container: String, attempt: Int) -> String {
        "\(logs(pod))/\(container)/\(attempt).log"
    }
}
