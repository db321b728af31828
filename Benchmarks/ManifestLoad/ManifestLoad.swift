// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import KubernetesClient
import Model
import Ports
import Releases

/// Applies the manifests of a folder to any cluster as a release does, and tells what it did.
///
/// `ManifestLoad KUBECONFIG NAMESPACE FOLDER`; the namespace must exist. `ManifestLoad --write COUNT FOLDER` writes the manifests:
/// ConfigMaps, Secrets, Services and Deployments without pods, one file each.
@main
struct ManifestLoad {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count == 3 else {
            throw Failure(
                .invalidInput,
                "usage: ManifestLoad KUBECONFIG NAMESPACE FOLDER, or ManifestLoad --write COUNT FOLDER"
            )
        }
        if arguments[0] == "--write" {
            guard let count = Int(arguments[1]), count > 0 else {
                throw Failure(.invalidInput, "'\(arguments[1])' is no count")
            }
            return try write(count, to: arguments[2])
        }
        let client = try KubernetesClient(KubeConfig.load(path: arguments[0]))
        let app = App(
            KubeObject([
                "apiVersion": "ballast.dev/v1alpha1", "kind": "App",
                "metadata": ["name": "load", "namespace": .string(arguments[1])], "spec": ["deploy": [:]],
            ])
        )
        let outcome = try await ManifestSet(["."], in: arguments[2], of: app).apply(to: client, progress: Silence())
        await client.shutdown()
        print("\(outcome.created) created, \(outcome.changed) changed, \(outcome.unchanged) unchanged")
    }

    private struct Silence: ReleaseProgress {
        func report(_ event: ReleaseEvent) async {}
    }

    // MARK: The manifests

    private static func write(_ count: Int, to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for number in 0..<count {
            let text = object(number).json.prettyText
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(number).json"))
        }
    }

    /// Of twenty objects: ten ConfigMaps, four Secrets, three Services, three Deployments.
    private static func object(_ number: Int) -> KubeObject {
        let labels = ["app": "load-\(number)"]
        switch number % 20 {
        case 0..<10:
            var object = KubeObject(.configMaps, name: "load-\(number)", labels: labels)
            object["data"] = ["text": .string(String(repeating: "x", count: 512)), "number": .string("\(number)")]
            return object
        case 10..<14:
            var object = KubeObject(.secrets, name: "load-\(number)", labels: labels)
            object["data"] = ["password": .string(Base64.encode(Array("secret \(number)".utf8)))]
            return object
        case 14..<17:
            var object = KubeObject(.services, name: "load-\(number)", labels: labels)
            object["spec"] = [
                "selector": JSON(labels),
                "ports": [["name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"]],
            ]
            return object
        default:
            var object = KubeObject(.deployments, name: "load-\(number)", labels: labels)
            let container: JSON = [
                "name": "main", "image": "registry.example/load:1", "env": [["name": "A", "value": "b"]],
                "ports": [["name": "http", "containerPort": 8080, "protocol": "TCP"]],
                "resources": ["requests": ["cpu": "50m", "memory": "64Mi"]],
            ]
            object["spec"] = [
                "replicas": 0, "selector": ["matchLabels": JSON(labels)],
                "template": ["metadata": ["labels": JSON(labels)], "spec": ["containers": [container]]],
            ]
            return object
        }
    }
}
