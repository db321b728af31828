// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// A cluster that Ballast was told of: a `Cluster` object, whose kubeconfig is in a Secret.
package struct KnownCluster: Sendable, Hashable {
    package static let secretNamespace = "ballast-system"
    package static let secretKey = "kubeconfig"

    package var name: String
    package var server: String
    /// The kubeconfig's context it was made from.
    package var context: String
    /// As whom it is asked, in the kubeconfig's words.
    package var user: String
    /// The program that hands out its credentials, where there is one.
    package var plugin: String?
    package var added: Timestamp?
    package var uid = ""

    package init(name: String, server: String, context: String = "", user: String = "", plugin: String? = nil) {
        self.name = name
        self.server = server
        self.context = context
        self.user = user
        self.plugin = plugin
    }

    /// Where its kubeconfig is.
    package var secret: ObjectReference {
        ObjectReference(.secrets, namespace: Self.secretNamespace, name: "cluster-\(name)")
    }

    package var reference: ObjectReference { ObjectReference(.clusters, name: name) }

    /// Throws `invalidInput` where no cluster can be called so.
    package static func check(name: String) throws {
        guard name != ClusterName.local.text else {
            throw Failure(.invalidInput, "'local' is the home cluster itself; choose another name")
        }
        // The Secret's name is this one with a prefix, and a label's value.
        guard KubernetesNames.isLabel(name), name.utf8.count <= 50 else {
            throw Failure(
                .invalidInput,
                "'\(name)' cannot be a cluster's name: at most 50 lower-case letters, digits and inner dashes"
            )
        }
    }
}

extension KnownCluster {
    init(_ object: KubeObject) {
        self.init(
            name: object.name,
            server: object.spec["server"]?.string ?? "",
            context: object.spec["context"]?.string ?? "",
            user: object.spec["user"]?.string ?? "",
            plugin: object.spec["plugin"]?.string
        )
        added = object.creationTimestamp
        uid = object.uid
    }

    var object: KubeObject {
        var object = KubeObject(.clusters, name: name)
        var spec: JSON = [
            "server": .string(server), "context": .string(context), "user": .string(user),
            "secretRef": [
                "namespace": .string(Self.secretNamespace), "name": .string(secret.name),
                "key": .string(Self.secretKey),
            ],
        ]
        if let plugin { spec["plugin"] = .string(plugin) }
        object["spec"] = spec
        return object
    }

    func secretObject(_ kubeconfig: JSON) -> KubeObject {
        var object = KubeObject(
            .secrets,
            namespace: Self.secretNamespace,
            name: secret.name,
            labels: ["app.kubernetes.io/managed-by": "ballast", "ballast.dev/cluster": name]
        )
        object["type"] = "ballast.dev/kubeconfig"
        object["data"] = [Self.secretKey: .string(Base64.encode(kubeconfig.bytes))]
        return object
    }
}
