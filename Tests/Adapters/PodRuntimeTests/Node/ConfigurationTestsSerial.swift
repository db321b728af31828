// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import TestKit
import Testing

@testable import PodRuntime

@Suite("what pods are given", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct ConfigurationTestsSerial {
    private func configMap(_ name: String, _ data: [String: String]) -> KubeObject {
        var map = KubeObject(.configMaps, namespace: "default", name: name)
        map["data"] = JSON(data)
        return map
    }

    private func secret(_ name: String, _ data: [String: String]) -> KubeObject {
        var secret = KubeObject(.secrets, namespace: "default", name: name)
        secret["data"] = JSON(data)
        return secret
    }

    @Test func theEnvironmentComesFromImageServicesObjectsAndThePodItself() async throws {
        let node = try TestNode()
        try await node.run { node in
            _ = try await node.cluster.create(configMap("all", ["A": "1", "B": "2"]), as: .configMaps)
            _ = try await node.cluster.create(secret("login", ["password": "aHVudGVyMg=="]), as: .secrets)
            var service = KubeObject(.services, namespace: "default", name: "cart-api")
            service["spec"] = ["clusterIP": "10.9.8.7", "ports": [["name": "http", "port": 80, "protocol": "TCP"]]]
            _ = try await node.cluster.create(service, as: .services)
            let env: JSON = [
                ["name": "PASSWORD", "valueFrom": ["secretKeyRef": ["name": "login", "key": "password"]]],
                [
                    "name": "OPTIONAL",
                    "valueFrom": ["configMapKeyRef": ["name": "none", "key": "x", "optional": true]],
                ],
                ["name": "ME", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]],
                ["name": "IP", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]],
                [
                    "name": "MEMORY",
                    "valueFrom": ["resourceFieldRef": ["resource": "limits.memory", "divisor": "1Mi"]],
                ],
                ["name": "BOTH", "value": "$(P_A)-$(CART_API_SERVICE_HOST)-$$(P_A)-$(UNKNOWN)"],
            ]
            let pod = try await node.create(
                "environment",
                container: [
                    "command": ["/bin/sh", "-c"], "args": ["env; echo arg=$(P_B); exec sleep 100"],
                    "env": env, "envFrom": [["prefix": "P_", "configMapRef": ["name": "all"]]],
                    "resources": ["limits": ["memory": "64Mi"]],
                ],
                metadata: ["labels": ["app": "shop"]]
            )
            let log = try await node.follow(pod, until: "arg=")
            let ready = try await node.waitForReady("environment")
            for line in [
                "FROM_IMAGE=yes", "P_A=1", "P_B=2", "PASSWORD=hunter2", "ME=shop", "MEMORY=64", "arg=2",
                "BOTH=1-10.9.8.7-$(P_A)-$(UNKNOWN)", "HOSTNAME=environment", "CART_API_PORT_80_TCP_ADDR=10.9.8.7",
                "CART_API_SERVICE_PORT_HTTP=80", "IP=\(ready.status["podIP"]?.string ?? "")",
            ] {
                #expect(log.contains("\(line)\n"), "\(line)")
            }
            #expect(!log.contains("OPTIONAL"))
        }
    }

    @Test func aMissingConfigMapHoldsTheContainerUntilItComes() async throws {
        let node = try TestNode()
        try await node.run { node in
            try await node.create(
                "waits",
                "/bin/sleep",
                "100",
                container: ["envFrom": [["configMapRef": ["name": "late"]]]]
            )
            let found = try await node.wait(for: "waits") {
                $0?.status["containerStatuses"]?[0]?[path: "state", "waiting", "reason"] == "CreateContainerConfigError"
            }
            let waiting = found?.status["containerStatuses"]?[0]?[path: "state", "waiting"]
            #expect(waiting?["message"] == "configmap \"late\" not found")
            try await node.eventually {
                node.events("waits").contains("Failed: Error: configmap \"late\" not found")
            }
            _ = try await node.cluster.create(configMap("late", ["X": "1"]), as: .configMaps)
            // Sooner than the ten seconds after which it would be tried anyway.
            let start = ContinuousClock.now
            _ = try await node.waitForReady("waits")
            #expect(ContinuousClock.now - start < .seconds(8))
        }
    }

    @Test func mountedObjectsHaveTheirModesAndFollowChanges() async throws {
        let node = try TestNode()
        try await node.run { node in
            _ = try await node.cluster.create(
                configMap("settings", ["app.conf": "one", "other": "x"]),
                as: .configMaps
            )
            _ = try await node.cluster.create(secret("key", ["id": "c2VjcmV0"]), as: .secrets)
            let volumes: JSON = [
                ["name": "settings", "configMap": ["name": "settings"]],
                [
                    "name": "key",
                    "secret": ["secretName": "key", "defaultMode": 256, "items": [["key": "id", "path": "deep/id"]]],
                ],
                [
                    "name": "mixed",
                    "projected": [
                        "sources": [
                            ["configMap": ["name": "settings", "items": [["key": "other", "path": "o"]]]],
                            [
                                "downwardAPI": [
                                    "items": [["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]]]
                                ]
                            ],
                        ]
                    ],
                ],
            ]
            let script = """
                cat /s/app.conf; echo; cat /k/deep/id; echo; stat -L -c %a /k/deep/id; cat /m/o /m/labels; echo; cat /one; echo
                touch /s/x 2>/dev/null || echo readonly
                while [ "$(cat /s/app.conf)" = one ]; do sleep 0.1; done; echo changed to $(cat /s/app.conf); ls /s; exec sleep 100
                """
            let pod = try await node.create(
                "mounts",
                "/bin/sh",
                "-c",
                script,
                container: [
                    "volumeMounts": [
                        ["name": "settings", "mountPath": "/s"], ["name": "key", "mountPath": "/k"],
                        ["name": "mixed", "mountPath": "/m"],
                        ["name": "settings", "mountPath": "/one", "subPath": "app.conf"],
                    ]
                ],
                spec: ["volumes": volumes],
                metadata: ["labels": ["app": "shop"]]
            )
            let first = try await node.follow(pod, until: "readonly")
            #expect(first == "one\nsecret\n400\nxapp=\"shop\"\none\nreadonly\n")
            let reference = ObjectReference(.configMaps, namespace: "default", name: "settings")
            _ = try await node.cluster.patch(
                reference,
                .merge,
                ["data": ["app.conf": "two", "other": .null, "new": "n"]]
            )
            // The projected volume needs a key that is gone now; the other volumes follow all the same.
            let log = try await node.follow(pod, until: "changed to two", "new")
            #expect(log.hasSuffix("app.conf\nnew\n"))
        }
    }

    @Test func claimsAreFoldersBelowTheDataFolderAlone() async throws {
        let node = try TestNode()
        try await node.run { node in
            for (name, path) in [("good", "\(node.folder.path)/volumes/good"), ("evil", "/etc")] {
                var volume = KubeObject(.persistentVolumes, name: name)
                volume["spec"] = ["local": ["path": .string(path)]]
                _ = try await node.cluster.create(volume, as: .persistentVolumes)
                var claim = KubeObject(.persistentVolumeClaims, namespace: "default", name: name)
                claim["spec"] = ["volumeName": .string(name)]
                claim["status"] = ["phase": "Bound"]
                _ = try await node.cluster.create(claim, as: .persistentVolumeClaims)
                let reference = ObjectReference(.persistentVolumeClaims, namespace: "default", name: name)
                _ = try await node.cluster.patch(
                    reference,
                    subresource: "status",
                    .merge,
                    ["status": ["phase": "Bound"]],
                    options: WriteOptions()
                )
                try await node.create(
                    name,
                    "/bin/sh",
                    "-c",
                    "echo kept > /data/file; exec sleep 100",
                    container: ["volumeMounts": [["name": "data", "mountPath": "/data", "subPath": "a/b"]]],
                    spec: ["volumes": [["name": "data", "persistentVolumeClaim": ["claimName": .string(name)]]]]
                )
            }
            _ = try await node.waitForReady("good")
            try await node.eventually { node.folder.text("volumes/good/a/b/file") == "kept\n" }
            try await node.eventually { node.events("evil").contains(where: { $0.hasPrefix("FailedMount: ") }) }
            #expect(node.events("evil").contains { $0.contains("outside the data folder") })
        }
    }

    @Test func aPathInsideAVolumeCannotLeadOutOfIt() throws {
        let folder = try ScratchFolder()
        try Folder.make("\(folder.path)/volume/inside")
        try Folder.make("\(folder.path)/outside")
        try #require(unsafe symlink("../../outside", "\(folder.path)/volume/up") == 0)
        try #require(unsafe symlink("/etc", "\(folder.path)/volume/absolute") == 0)
        try FileText.write("mine", to: "\(folder.path)/outside/file")
        try #require(unsafe symlink("../../outside/file", "\(folder.path)/volume/file") == 0)
        var parts = PinnedParts(folder: "\(folder.path)/parts")
        // A link that would lead out leads to nothing, or to what has that name inside.
        for path in ["up/new", "absolute/passwd", "file"] {
            #expect(throws: LaunchFailure.self, "\(path)") {
                try parts.pin(path, of: "\(folder.path)/volume", isProjected: true)
            }
        }
        let place = try parts.pin("inside/new/deep", of: "\(folder.path)/volume", isProjected: false)
        try FileText.write("x", to: "\(place)/file")
        #expect(folder.text("volume/inside/new/deep/file") == "x")
        // What is bound is never removed along with the folder it is bound in.
        #expect(throws: Failure.self) { try Folder.remove("\(folder.path)/parts") }
        try Mounts.detachAll(below: "\(folder.path)/parts")
        try Folder.remove("\(folder.path)/parts")
        #expect(folder.text("volume/inside/new/deep/file") == "x")
        #expect(Folder.names(in: "\(folder.path)/outside") == ["file"])
    }

    @Test func containersAreConfined() async throws {
        let node = try TestNode()
        try await node.run { node in
            let script = """
                id; cat /proc/self/status; touch /denied 2>/dev/null || echo readonly; touch /tmp/x && echo tmp
                cat /proc/kcore 2>/dev/null | head -c 1; ls /proc/acpi; cat /etc/hostname; cat /etc/resolv.conf; cat /etc/hosts; echo end; exec sleep 100
                """
            let pod = try await node.create(
                "confined",
                "/bin/sh",
                "-c",
                script,
                container: [
                    "securityContext": [
                        "runAsUser": 101, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
                    ],
                    "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
                ],
                spec: [
                    "volumes": [["name": "tmp", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]]],
                    "securityContext": ["fsGroup": 555, "supplementalGroups": [777]],
                    "hostAliases": [["ip": "1.2.3.4", "hostnames": ["a", "b"]]],
                ]
            )
            let log = try await node.follow(pod, until: "end\n")
            #expect(log.contains("uid=101(web) gid=102(web) groups=102(web),103(extra),555,777"))
            #expect(log.contains("NoNewPrivs:\t1") && log.contains("Seccomp:\t2"))
            #expect(log.contains("CapBnd:\t0000000000000000") && log.contains("CapEff:\t0000000000000000"))
            #expect(log.contains("readonly\ntmp\n") && log.contains("confined\n"))
            #expect(log.contains("search default.svc.cluster.local svc.cluster.local cluster.local"))
            #expect(log.contains("1.2.3.4\ta\tb"))
            for (name, security): (String, JSON) in [
                ("privileged", ["privileged": true]), ("admin", ["capabilities": ["add": ["SYS_ADMIN"]]]),
                ("root", ["runAsNonRoot": true]),
            ] {
                try await node.create(name, "/bin/true", container: ["securityContext": security])
                try await node.wait(for: name) {
                    $0?.status["containerStatuses"]?[0]?[path: "state", "waiting", "reason"]
                        == "CreateContainerConfigError"
                }
            }
        }
    }

    @Test func containersOfAPodShareNetworkNamesAndMemory() async throws {
        let node = try TestNode()
        try await node.run { node in
            let other: JSON = [
                "name": "other", "image": "r.test/a:busybox",
                "command": [
                    "/bin/sh", "-c",
                    "while ! cat /dev/shm/note 2>/dev/null; do sleep 0.05; done; nc -l -p 9000 -e /bin/echo; hostname; exec sleep 100",
                ],
            ]
            let main: JSON = [
                "name": "main", "image": "r.test/a:busybox",
                "command": ["/bin/sh", "-c", "echo shared > /dev/shm/note; exec sleep 100"],
            ]
            let pod = try await node.create("shared", spec: ["containers": [main, other], "hostname": "twins"])
            #expect(try await node.follow(pod, until: "shared", container: "other") == "shared\n")
            #expect(try await node.waitForReady("shared").status["containerStatuses"]?.array?.count == 2)
        }
    }
}
