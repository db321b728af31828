// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model

extension KubeConfig {
    package static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The API of the cluster in whose pod this process runs, as the pod's service account; `nil` outside of pods.
    package static func inCluster(
        environment: [String: String],
        folder: String = serviceAccountFolder
    ) throws -> KubeConfig? {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = environment["KUBERNETES_SERVICE_PORT"].flatMap({ Int($0) }),
            FileManager.default.fileExists(atPath: "\(folder)/token")
        else { return nil }
        var config = KubeConfig(server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)")
        config.authority = .file("\(folder)/ca.crt")
        config.user.name = "service account"
        config.user.tokenFile = "\(folder)/token"
        if let namespace = try? Material.file("\(folder)/namespace").read() {
            config.namespace = namespace.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return config
    }
}
