// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// Whatever a client sends, the server answers, and never with a fault of its own.
struct OddJSONTests {
    private static let odd: [JSON] = [
        .null, true, 0, -1, .number(JSONNumber(text: "1e400")), .number(JSONNumber(text: "99999999999999999999")), "",
        "\u{0}é\n", [], [.null], [[]], [:], ["x": [:]],
    ]

    private static let samples: [(path: String, body: JSON)] = [
        ("/api/v1/namespaces/default/pods", pod), ("/apis/apps/v1/namespaces/default/deployments", workload),
        ("/apis/apps/v1/namespaces/default/replicasets", workload),
        ("/apis/batch/v1/namespaces/default/jobs", ["metadata": ["name": "j"], "spec": ["template": pod]]),
        (
            "/api/v1/namespaces/default/services",
            [
                "metadata": ["name": "s"],
                "spec": [
                    "type": "NodePort", "clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.5"], "selector": ["a": "b"],
                    "ports": [
                        ["name": "http", "port": 80, "targetPort": "http", "nodePort": 30001, "protocol": "TCP"]
                    ],
                    "sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 5]],
                ],
            ]
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
            [
                "metadata": ["name": "i"],
                "spec": [
                    "tls": [["hosts": ["a.b"], "secretName": "t"]],
                    "rules": [
                        [
                            "host": "a.b",
                            "http": [
                                "paths": [
                                    [
                                        "path": "/", "pathType": "Prefix",
                                        "backend": ["service": ["name": "s", "port": ["number": 80]]],
                                    ]
                                ]
                            ],
                        ]
                    ],
                ],
            ]
        ),
        (
            "/api/v1/namespaces/default/configmaps",
            [
                "metadata": [
                    "name": "m", "labels": ["a": "b"], "annotations": ["c": "d"], "finalizers": ["x.io/y"],
                    "ownerReferences": [
                        ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": true]
                    ],
                ], "data": ["k": "v"], "binaryData": ["b": "dg=="],
            ]
        ),
        (
            "/api/v1/namespaces/default/secrets",
            [
                "metadata": ["name": "x"], "type": "kubernetes.io/dockerconfigjson",
                "data": [".dockerconfigjson": "e30="], "stringData": ["a": "b"],
            ]
        ),
        (
            "/api/v1/namespaces/default/persistentvolumeclaims",
            [
                "metadata": ["name": "c"],
                "spec": [
                    "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]],
                    "selector": ["matchExpressions": [["key": "a", "operator": "In", "values": ["b"]]]],
                ],
            ]
        ),
        (
            "/api/v1/persistentvolumes",
            [
                "metadata": ["name": "v"],
                "spec": ["capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"], "hostPath": ["path": "/x"]],
            ]
        ),
        (
            "/api/v1/nodes",
            [
                "metadata": ["name": "n"], "spec": ["taints": [["key": "a", "effect": "NoSchedule"]]],
                "status": ["conditions": [["type": "Ready", "status": "True"]]],
            ]
        ),
        ("/api/v1/namespaces", ["metadata": ["name": "ns"], "spec": ["finalizers": ["kubernetes"]]]),
        (
            "/api/v1/namespaces/default/events",
            [
                "metadata": ["name": "e"], "involvedObject": ["kind": "Pod", "namespace": "default"],
                "series": ["count": 1],
            ]
        ),
        (
            "/apis/coordination.k8s.io/v1/namespaces/default/leases",
            ["metadata": ["name": "l"], "spec": ["leaseDurationSeconds": 5]]
        ),
        (
            "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
            [
                "metadata": ["name": "es"], "addressType": "IPv4", "endpoints": [["addresses": ["10.0.0.1"]]],
                "ports": [["port": 1]],
            ]
        ),
        ("/apis/storage.k8s.io/v1/storageclasses", ["metadata": ["name": "sc"], "provisioner": "x.io/p"]),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DeletionTests.definition),
    ]

    private static let pod: JSON = [
        "metadata": ["name": "p", "labels": ["a": "b"]],
        "spec": [
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 30, "activeDeadlineSeconds": 5,
            "nodeSelector": ["a": "b"], "imagePullSecrets": [["name": "x"]],
            "tolerations": [["key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3]],
            "containers": [
                [
                    "name": "c", "image": "x", "ports": [["name": "http", "containerPort": 80]],
                    "env": [["name": "A", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]]],
                    "envFrom": [["configMapRef": ["name": "m"]]],
                    "resources": ["limits": ["cpu": "1", "memory": "1Gi"], "requests": ["cpu": "100m"]],
                    "livenessProbe": ["httpGet": ["port": 80, "httpHeaders": [["name": "X", "value": "y"]]]],
                    "lifecycle": ["preStop": ["exec": ["command": ["x"]]]],
                    "volumeMounts": [["name": "v", "mountPath": "/v"]],
                    "securityContext": ["capabilities": ["add": ["CHOWN"]], "runAsUser": 5],
                ]
            ],
            "volumes": [
                [
                    "name": "v",
                    "projected": ["sources": [["secret": ["name": "s", "items": [["key": "k", "path": "p"]]]]]],
                ],
                [
                    "name": "w",
                    "downwardAPI": ["items": [["path": "l", "fieldRef": ["fieldPath": "metadata.labels"]]]],
                ],
            ],
        ],
    ]

    private static let workload: JSON = [
        "metadata": ["name": "w"],
        "spec": [
            "replicas": 1, "selector": ["matchLabels": ["a": "b"]], "template": pod,
            "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": 1]],
        ],
    ]

    /// Every place in a value, outer ones first.
    private static func places(_ json: JSON, _ path: [String] = []) -> [[String]] {
        var all = [path]
        for (key, value) in json.object ?? [:] { all += places(value, path + [key]) }
        for (index, value) in (json.array ?? []).enumerated() { all += places(value, path + ["\(index)"]) }
        return all
    }

    private static func replacing(_ json: JSON, _ path: ArraySlice<String>, with value: JSON) -> JSON {
        guard let first = path.first else { return value }
        let rest = path.dropFirst()
        switch json {
        case .object(var object):
            object[first] = replacing(object[first] ?? .null, rest, with: value)
            return .object(object)
        case .array(var elements):
            guard let index = Int(first), elements.indices.contains(index) else { return json }
            elements[index] = replacing(elements[index], rest, with: value)
            return .array(elements)
        default: return json
        }
    }

    @Test("an odd value at any place of any kind is answered", arguments: samples.indices)
    func oddValues(sample: Int) async throws {
        let (path, body) = Self.samples[sample]
        let test = try await TestServer()
        let name = body[path: "metadata", "name"]?.string ?? ""
        for (number, place) in Self.places(body).enumerated() {
            // A third of the values at each place, others at the next: all of them everywhere takes minutes.
            for (index, value) in Self.odd.enumerated() where index % 3 == number % 3 {
                let changed = Self.replacing(body, place[...], with: value)
                let answer = await test.send("POST", path, changed)
                #expect(answer.status < 500, "\(place) as \(value.text): \(answer.message)")
                if answer.status == 201 {
                    let made = answer.json[path: "metadata", "name"]?.string ?? name
                    let table = await test.send(
                        "GET",
                        "\(path)/\(made)",
                        accept: "application/json;as=Table;v=v1;g=meta.k8s.io"
                    )
                    #expect(table.status == 200, "\(place) as \(value.text)")
                    _ = await test.send(
                        "PATCH",
                        "\(path)/\(made)",
                        ["metadata": ["finalizers": .null]],
                        contentType: "application/merge-patch+json"
                    )
                    _ = await test.send("DELETE", "\(path)/\(made)?gracePeriodSeconds=0")
                }
            }
        }
    }

    @Test(
        "an odd request is answered",
        arguments: [
            "/api/v1/namespaces/é/configmaps", "/api/v1/configmaps?limit=-1",
            "/api/v1/configmaps?limit=9223372036854775807",
            "/api/v1/configmaps?continue=%00", "/api/v1/configmaps?continue=====",
            "/api/v1/configmaps?labelSelector=((((",
            "/api/v1/configmaps?fieldSelector=%5C", "/api/v1/configmaps?resourceVersion=9223372036854775807",
            "/api/v1/configmaps?resourceVersion=-1", "//api//v1", "/apis//v1", "/api/v1/namespaces//pods", "",
            "/api/v1/watch", "/openapi/v3/", "/openapi/v3/apis/x/y", "/api/v1/pods/x", "/healthz/none",
            "/api/v1/namespaces/default/pods/x/log?tailLines=x",
            "/apis/apps/v1/namespaces/default/deployments/x/scale/y",
        ]
    )
    func oddRequests(path: String) async throws {
        let test = try await TestServer()
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let answer = await test.send(
                method,
                path,
                bytes: Array("{".utf8),
                contentType: "application/merge-patch+json"
            )
            #expect(answer.status < 500 || answer.status == 504, "\(method) \(path): \(answer.message)")
        }
    }
}
