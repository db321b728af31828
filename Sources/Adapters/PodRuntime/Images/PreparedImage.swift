// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// When the kubelet asks the registry for an image.
package enum ImagePullPolicy: String, Sendable {
    case always = "Always"
    case ifNotPresent = "IfNotPresent"
    case never = "Never"
}

/// An image whose layers lie unpacked on this machine.
package struct PreparedImage: Sendable, Hashable {
    /// The name it was asked for by.
    package var reference: ImageReference
    /// What the name means in the registry: the digest of the manifest, or of the index that lists it.
    package var digest: Digest
    package var config: ImageConfig
    /// Digests of the layers' blobs, lowest first.
    package var layers: [Digest]
    /// The layers' compressed size in bytes.
    package var size: Int
    /// How long the pull took; `nil` where the image was here already.
    package var pullDuration: Duration?

    /// As a container's status names it: `registry/repository@sha256:…`.
    package var imageID: String { "\(reference.registry)/\(reference.repository)@\(digest)" }
}

/// What an image says about the program in it.
package struct ImageConfig: Sendable, Hashable {
    package var entrypoint: [String] = []
    package var command: [String] = []
    /// `NAME=value`, in the image's order.
    package var environment: [String] = []
    /// `user`, `user:group`, as names or numbers; empty: root.
    package var user = ""
    package var workingDirectory = ""
    /// Such as `SIGQUIT` or `3`; empty: SIGTERM.
    package var stopSignal = ""
    package var labels: [String: String] = [:]

    package init() {}

    /// Reads the `config` member of an image configuration (OCI and Docker write it alike).
    init(json: JSON) {
        entrypoint = json["Entrypoint"]?.array?.compactMap(\.string) ?? []
        command = json["Cmd"]?.array?.compactMap(\.string) ?? []
        environment = json["Env"]?.array?.compactMap(\.string) ?? []
        user = json["User"]?.string ?? ""
        workingDirectory = json["WorkingDir"]?.string ?? ""
        stopSignal = json["StopSignal"]?.string ?? ""
        labels = json["Labels"]?.stringMap ?? [:]
    }
}

/// Why a container's image cannot be had, as the kubelet reports it.
package struct ImageFailure: Error, Sendable, CustomStringConvertible {
    /// The `reason` of a waiting container.
    package enum Reason: String, Sendable {
        case invalidImageName = "InvalidImageName"
        case imageInspectError = "ImageInspectError"
        case errImageNeverPull = "ErrImageNeverPull"
        case errImagePull = "ErrImagePull"
        case registryUnavailable = "RegistryUnavailable"
    }

    package var reason: Reason
    package var code: Failure.Code
    /// The `message` beside the reason, with the registry's own words.
    package var message: String

    package init(_ reason: Reason, _ code: Failure.Code, _ message: String) {
        self.reason = reason
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
