// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What one node is called, where it keeps its things, and what it tells about itself.
package struct PodRuntimeConfiguration: Sendable {
    /// Everything the node keeps lies below this folder, an absolute path.
    package var dataFolder: String
    /// The name of the `Node` object.
    package var nodeName: String
    /// As `nodeInfo` names it, such as `v1.36.2+ballast`.
    package var kubeletVersion: String
    package var clusterDomain = "cluster.local"
    package var maximumPods = 110
    /// How long a pod may take to stop when the node stops.
    package var shutdownGrace: Duration = .seconds(10)

    package init(dataFolder: String, nodeName: String, kubeletVersion: String) {
        self.dataFolder = dataFolder
        self.nodeName = nodeName
        self.kubeletVersion = kubeletVersion
    }
}

/// Where the node keeps what, below its data folder.
struct NodeFolders: Sendable {
    let data: String

    var runcState: String { "\(data)/run/runc" }
    var pods: String { "\(data)/pods" }
    var podLogs: String { "\(data)/logs/pods" }
    var images: String { "\(data)/images" }
    /// Where claims' local volumes lie; nothing else of the host is ever mounted into a pod.
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
