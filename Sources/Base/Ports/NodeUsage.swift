// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// What a container, or a whole machine, has used of its processors since it started, and of memory now.
package struct ResourceUsage: Sendable, Hashable {
    package var processorTime: Duration
    /// In bytes, without what the kernel would give up at once.
    package var memory: Int64

    package init(processorTime: Duration, memory: Int64) {
        self.processorTime = processorTime
        self.memory = memory
    }
}

/// What a node and the containers on it have used.
package struct NodeUsage: Sendable, Hashable {
    package var node: String
    package var machine: ResourceUsage
    /// By container id.
    package var containers: [String: ResourceUsage]

    package init(node: String, machine: ResourceUsage, containers: [String: ResourceUsage]) {
        self.node = node
        self.machine = machine
        self.containers = containers
    }
}

extension NodeAgent {
    /// A node that counts nothing.
    package func usage() async -> NodeUsage? { nil }
}
