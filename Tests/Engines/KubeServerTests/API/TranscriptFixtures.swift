// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

@testable import KubeServer

/// What existed before the recorded steps, or was done between them, without being recorded itself.
enum TranscriptFixtures {
    /// In the order in which they were recorded: later scenarios list what earlier ones left behind.
    static let order = [
        "discovery", "namespaces", "configmaps-crud", "patches", "server-side-apply", "defaults", "validation",
        "field-validation", "subresources", "deletion", "tables", "custom-resources", "watch", "authorization",
        "errors",
    ]

    private static let namespaces = [
        "configmaps-crud": "t-crud", "patches": "t-patch", "server-side-apply": "t-ssa", "defaults": "t-def",
        "validation": "t-val", "field-validation": "t-fv", "subresources": "t-sub", "deletion": "t-del",
        "tables": "t-tab", "custom-resources": "t-crd", "watch": "t-watch", "authorization": "t-auth",
        "errors": "t-err",
    ]

    static func prepare(
        _ step: TranscriptReplay.Step,
        _ test: TestServer,
        _ prepared: inout Set<String>,
        _ remember: (String, String) -> Void
    ) async throws {
        if let namespace = namespaces[step.scenario], prepared.insert(step.scenario).inserted {
            await create(test, "/api/v1/namespaces", ["metadata": ["name": .string(namespace)]])
        }
        guard prepared.insert("\(step.scenario)/\(step.place)").inserted else { return }
        switch (step.scenario, step.place) {
        case ("configmaps-crud", 22): await pages(test)
        case ("deletion", 0): await deployments(test)
        case ("deletion", 22):
            let owner = await create(test, "/api/v1/namespaces/t-del/configmaps", configMap("owner"))
            let recorded = step.json["request"]?[path: "body", "metadata", "ownerReferences"]?[0]?["uid"]?.string
            if let recorded { remember(recorded, owner[path: "metadata", "uid"]?.string ?? "") }
        case ("validation", 33):
            let made = await create(test, "/api/v1/namespaces/t-val/pods", pod("ok"))
            match(step, made, remember)
        case ("validation", 34):
            let made = await create(test, "/api/v1/namespaces/t-val/services", service("s", [:]))
            match(step, made, remember)
        case ("subresources", 0):
            await create(test, "/api/v1/namespaces/t-sub/serviceaccounts", ["metadata": ["name": "sa"]])
        case ("tables", 0):
            await create(test, "/api/v1/namespaces", ["metadata": ["name": "t-ssa"]])
            await tableObjects(test)
        case ("authorization", 19): await publicInfoOfThatServer(test)
        case ("watch", 0):
            var first = configMap("w0")
            first.set(["k": "a"], at: ["metadata", "labels"])
            let made = await create(test, "/api/v1/namespaces/t-watch/configmaps", first)
            remember("384", made[path: "metadata", "resourceVersion"]?.string ?? "")
        default: break
        }
    }

    /// The recorded server had one default role more than the real project's.
    private static func publicInfoOfThatServer(_ test: TestServer) async {
        let name = "system:openshift:public-info-viewer"
        let path = "/apis/rbac.authorization.k8s.io/v1"
        let rule: JSON = ["verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]]
        await create(test, "\(path)/clusterroles", ["metadata": ["name": .string(name)], "rules": [rule]])
        await create(
            test,
            "\(path)/clusterrolebindings",
            [
                "metadata": ["name": .string(name)],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(name)],
                "subjects": [
                    ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"]
                ],
            ]
        )
    }

    /// The request's object is the one just made.
    private static func match(_ step: TranscriptReplay.Step, _ made: JSON, _ remember: (String, String) -> Void) {
        for member in ["uid", "resourceVersion"] {
            guard let recorded = step.json["request"]?[path: "body", "metadata", member]?.string else { continue }
            remember(recorded, made[path: "metadata", member]?.string ?? "")
        }
    }

    @discardableResult
    private static func create(_ test: TestServer, _ path: String, _ body: JSON) async -> JSON {
        await test.send("POST", path, body).json
    }

    private static func configMap(_ name: String) -> JSON { ["metadata": ["name": .string(name)], "data": ["a": "1"]] }

    private static func pages(_ test: TestServer) async {
        for number in 0..<7 {
            var map = configMap("page-\(number)")
            map.set(["p": .string("\(number % 2)")], at: ["metadata", "labels"])
            await create(test, "/api/v1/namespaces/t-crud/configmaps", map)
        }
    }

    private static func pod(_ name: String) -> JSON {
        [
            "metadata": ["name": .string(name), "labels": ["app": .string(name)]],
            "spec": ["containers": [["name": "main", "image": "nginx:1"]]],
        ]
    }

    private static func service(_ name: String, _ selector: JSON) -> JSON {
        ["metadata": ["name": .string(name)], "spec": ["selector": selector, "ports": [["port": 80]]]]
    }

    private static func deployment(_ name: String) -> JSON {
        let labels: JSON = ["app": .string(name)]
        return [
            "metadata": ["name": .string(name), "labels": labels],
            "spec": [
                "replicas": 2, "selector": ["matchLabels": labels],
                "template": [
                    "metadata": ["labels": labels],
                    "spec": [
                        "containers": [
                            [
                                "name": "main", "image": "nginx:1", "ports": [["containerPort": 80]],
                                "env": [["name": "A", "value": "1"]],
                            ]
                        ]
                    ],
                ],
            ],
        ]
    }

    private static func deployments(_ test: TestServer) async {
        for name in ["d-foreground", "d-background", "d-orphan", "d-odd"] {
            await create(test, "/apis/apps/v1/namespaces/t-del/deployments", deployment(name))
        }
    }

    private static func tableObjects(_ test: TestServer) async {
        var pod = pod("p")
        pod.set("t-node", at: ["spec", "nodeName"])
        await create(test, "/api/v1/namespaces/t-tab/pods", pod)
        let status: JSON = [
            "status": [
                "phase": "Running", "conditions": [["type": "Ready", "status": "False"]], "podIP": "10.0.0.7",
                "podIPs": [["ip": "10.0.0.7"]], "startTime": "2026-01-01T00:00:00Z",
                "containerStatuses": [
                    [
                        "name": "main", "ready": false, "restartCount": 3, "image": "nginx:1", "imageID": "",
                        "state": ["waiting": ["reason": "CrashLoopBackOff"]],
                        "lastState": [
                            "terminated": [
                                "exitCode": 1, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z",
                                "finishedAt": "2026-01-01T00:01:00Z",
                            ]
                        ],
                    ]
                ],
            ]
        ]
        _ = await test.send(
            "PATCH",
            "/api/v1/namespaces/t-tab/pods/p/status",
            status,
            contentType: "application/strategic-merge-patch+json"
        )
        await create(test, "/apis/apps/v1/namespaces/t-tab/deployments", deployment("w"))
        var service = service("s", ["a": "b"])
        service.set([["name": "http", "port": 80]], at: ["spec", "ports"])
        await create(test, "/api/v1/namespaces/t-tab/services", service)
    }

    /// A body as text; two are only described in the recording, for their size.
    static func body(_ text: String) -> [UInt8] {
        let lead = "a ConfigMap whose one value is "
        guard text.hasPrefix(lead) else { return Array(text.utf8) }
        let count = Int(text.dropFirst(lead.count).filter(\.isNumber)) ?? 0
        let map: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "big"],
            "data": ["a": .string(String(repeating: "x", count: count))],
        ]
        return map.bytes
    }
}
