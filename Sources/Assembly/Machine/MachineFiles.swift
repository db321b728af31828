// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CommandLine
import Foundation
import HTTPSurface
import Model

/// The kubeconfig through which kubectl and Ballast's own parts reach the embedded cluster.
enum KubeconfigFile {
    /// Writes it, readable by its owner alone.
    static func write(to path: String, server: String, certificates: ClusterCertificates) throws {
        func encoded(_ text: String) -> String { Base64.encode(Array(text.utf8)) }
        let text = """
            apiVersion: v1
            kind: Config
            current-context: ballast
            clusters:
            - name: ballast
              cluster:
                server: \(server)
                certificate-authority-data: \(encoded(certificates.authority))
            contexts:
            - name: ballast
              context:
                cluster: ballast
                user: ballast-admin
            users:
            - name: ballast-admin
              user:
                client-certificate-data: \(encoded(certificates.administrator.certificate))
                client-key-data: \(encoded(certificates.administrator.key))

            """
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw Failure(.fault, "the kubeconfig '\(path)' cannot be written", cause: error)
        }
    }
}

/// What an `up` writes down about itself, so that other commands find it.
extension MachinePorts {
    func write(to path: String) throws {
        let json: JSON = [
            "kubernetesPort": JSON(kubernetes), "registryPort": JSON(registry), "edgePort": JSON(edge),
        ]
        do {
            try Data(json.bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure(.fault, "'\(path)' cannot be written", cause: error)
        }
    }

    /// `nil` where no `up` has run on this folder yet.
    static func read(from path: String) -> MachinePorts? {
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(parsing: data),
            let kubernetes = json["kubernetesPort"]?.int, let registry = json["registryPort"]?.int,
            let edge = json["edgePort"]?.int
        else { return nil }
        return MachinePorts(kubernetes: kubernetes, registry: registry, edge: edge)
    }
}
