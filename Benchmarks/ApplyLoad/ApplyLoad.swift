// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import KubeServer
import Model
import Ports

/// Measures what one write of a Deployment costs the server, without sockets: a create, an apply that changes nothing, one
/// that changes an image, and a write of its status.
///
/// `ApplyLoad COUNT`; the storage is in memory.
@main
struct ApplyLoad {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 2, let count = Int(arguments[1]), count > 0 else {
            throw Failure(.invalidInput, "usage: ApplyLoad COUNT")
        }
        try await ApplyLoad(count: count).run()
    }

    let count: Int
    let server: KubernetesServer

    init(count: Int) throws {
        self.count = count
        let clock = WallClock { Timestamp(seconds: 1_800_000_000) }
        server = try KubernetesServer(log: try ObjectLog(path: nil, clock: clock), clock: clock)
    }

    private func run() async throws {
        try await server.bootstrap()
        let path = "/apis/apps/v1/namespaces/default/deployments"
        let bodies = (0..<count).map { Self.deployment("load-\($0)", image: "page:1").bytes }
        try await measure("create", bodies) { ("POST", path, "application/json", $0) }
        let apply = "application/apply-patch+yaml"
        try await measure("first apply", bodies) { ("PATCH", "\(path)/load-\($1)", apply, $0) }
        try await measure("apply without change", bodies) { ("PATCH", "\(path)/load-\($1)", apply, $0) }
        let changed = (0..<count).map { Self.deployment("load-\($0)", image: "page:2").bytes }
        try await measure("apply of another image", changed) { ("PATCH", "\(path)/load-\($1)", apply, $0) }
        let status: JSON = ["status": ["replicas": 3, "readyReplicas": 2, "observedGeneration": 1]]
        try await measure("status", Array(repeating: status.bytes, count: count)) {
            ("PATCH", "\(path)/load-\($1)/status", "application/merge-patch+json", $0)
        }
        let maps = (0..<count).map { Self.configMap("load-\($0)").bytes }
        try await measure("create of a ConfigMap", maps) {
            ("POST", "/api/v1/namespaces/default/configmaps", "application/json", $0)
        }
    }

    private func measure(
        _ what: String,
        _ bodies: [[UInt8]],
        _ request: ([UInt8], Int) -> (String, String, String, [UInt8])
    ) async throws {
        let took = try await ContinuousClock().measure {
            for (place, body) in bodies.enumerated() {
                let (method, path, type, bytes) = request(body, place)
                try await send(method, path, type, bytes)
            }
        }
        print("\(what): \(Int(took / .microseconds(1)) / count) µs")
    }

    private func measure(
        _ what: String,
        _ bodies: [[UInt8]],
        _ request: ([UInt8]) -> (String, String, String, [UInt8])
    ) async throws {
        try await measure(what, bodies) { body, _ in request(body) }
    }

    private func send(_ method: String, _ path: String, _ type: String, _ body: [UInt8]) async throws {
        let answer = await server.answer(
            APIRequest(
                method: method,
                path: path,
                query: method == "PATCH"
                    ? [("fieldManager", "load"), ("force", "true")].filter { $0.0 != "force" || type.contains("apply") }
                    : [],
                contentType: type,
                body: body,
                user: APIUser(name: "load", groups: ["system:masters"])
            )
        )
        guard answer.status < 300 else { throw Failure(.fault, "\(method) \(path) answered \(answer.status)") }
    }

    private static func configMap(_ name: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)],
            "data": ["value": .string(String(repeating: "x", count: 1024))],
        ]
    }

    private static func deployment(_ name: String, image: String) -> JSON {
        let labels: JSON = ["app.kubernetes.io/name": .string(name), "app.kubernetes.io/managed-by": "load"]
        let container: JSON = [
            "name": "main", "image": .string(image),
            "ports": [["name": "http", "containerPort": 8080], ["name": "metrics", "containerPort": 9090]],
            "env": .array((0..<8).map { ["name": .string("SETTING_\($0)"), "value": .string("value \($0)")] }),
            "resources": ["requests": ["cpu": "50m", "memory": "64Mi"], "limits": ["memory": "128Mi"]],
            "readinessProbe": ["httpGet": ["path": "/healthz", "port": "http"]],
            "volumeMounts": [["name": "data", "mountPath": "/data"]],
        ]
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name), "labels": labels],
            "spec": [
                "replicas": 3, "selector": ["matchLabels": labels],
                "template": [
                    "metadata": ["labels": labels],
                    "spec": ["containers": [container], "volumes": [["name": "data", "emptyDir": [:]]]],
                ],
            ],
        ]
    }
}
