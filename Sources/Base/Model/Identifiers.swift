// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// The name of a cluster as Ballast knows it; `local` is the embedded one.
package struct ClusterName: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static let local = ClusterName("local")
}

/// The name of an app: its `metadata.name`.
package struct AppName: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// A Kubernetes namespace's name.
package struct NamespaceName: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// A Kubernetes resource version: opaque to clients, compared for equality only.
package struct ResourceVersion: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}
