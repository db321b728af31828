// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import TestKit
import Testing

@testable import PodRuntime

@Suite("a node", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct NodeTestsSerial {
    @Test func aPodRunsAndItsOutputIsItsLog() async throws {
        let node = try TestNode()
        try await node.run { node in
            let created = try await node.create("hello", "/bin/sh", "-c", "echo hello; echo oops >&2; exec sleep 100")
            let pod = try await node.waitForReady("hello")
            #expect(pod.status["phase"] == "Running")
            let status = try #require(pod.status["containerStatuses"]?[0])
            #expect(status["ready"] == true && status["started"] == true && status["restartCount"] == 0)
            #expect(status["containerID"]?.string?.hasPrefix("runc://") == true)
            #expect(status["imageID"]?.string?.hasPrefix("r.test/a@sha256:") == true)
            #expect(pod.status["podIP"]?.string != nil)
            let log = try await node.follow(created, until: "hello", "oops")
            #expect(log.split(separator: "\n").sorted() == ["hello", "oops"])
            // Events are written beside the status, not before it.
            try await node.eventually("events") {
                node.events("hello").map { $0.prefix { $0 != ":" } } == ["Pulling", "Pulled", "Created", "Started"]
            }
        }
    }

    @Test func theNodeRegistersItselfWithALease() async throws {
        let node = try TestNode()
        try await node.run { node in
            let found = try await node.wait(for: "local", type: .nodes) { $0?.condition("Ready")?["status"] == "True" }
            let object = try #require(found)
            #expect(object.status[path: "nodeInfo", "containerRuntimeVersion"]?.string?.hasPrefix("runc://1.") == true)
            #expect(object.status[path: "allocatable", "cpu"] != nil && object.labels["kubernetes.io/os"] == "linux")
            try await node.eventually { !(node.cluster.all(.leases).isEmpty) }
            let lease = try #require(node.cluster.all(.leases).first)
            #expect(lease.namespace == "kube-node-lease" && lease.spec["holderIdentity"] == "local")
        }
    }

    @Test func aPodThatEndsWellSucceedsAndIsTakenDown() async throws {
        let node = try TestNode()
        try await node.run { node in
            try await node.create("job", "/bin/sh", "-c", "echo done", spec: ["restartPolicy": "Never"])
            let found = try await node.wait(for: "job") {
                $0?.status["phase"] == "Succeeded" && $0?.condition("PodReadyToStartContainers")?["status"] == "False"
            }
            let pod = try #require(found)
            let end = try #require(pod.status["containerStatuses"]?[0]?[path: "state", "terminated"])
            #expect(end["exitCode"] == 0 && end["reason"] == "Completed")
            #expect(pod.condition("Ready")?["reason"] == "PodCompleted")
            #expect(try await node.log(pod) == "done\n")
            #expect(Mounts.below(node.folder.path).isEmpty)
        }
    }

    @Test func aCrashingContainerIsRestartedWithGrowingDelays() async throws {
        let node = try TestNode()
        try await node.run { node in
            let pod = try await node.create("crash", "/bin/sh", "-c", "echo run; exit 3")
            let found = try await node.wait(for: "crash") {
                $0?.status["containerStatuses"]?[0]?[path: "state", "waiting", "reason"] == "CrashLoopBackOff"
            }
            let status = try #require(found?.status["containerStatuses"]?[0])
            #expect(status["restartCount"] == 1)
            #expect(status[path: "lastState", "terminated", "exitCode"] == 3)
            #expect(status[path: "lastState", "terminated", "reason"] == "Error")
            #expect(
                status[path: "state", "waiting", "message"]?.string
                    == "back-off 10s restarting failed container=main pod=crash_default(\(pod.uid))"
            )
            #expect(try await node.log(pod) == "run\n")
            #expect(try await node.log(pod) { $0.isPrevious = true } == "run\n")
        }
    }

    @Test func missingProgramsAndImagesAreToldApart() async throws {
        let node = try TestNode()
        try await node.run { node in
            try await node.create("noprogram", "/bin/nosuch", spec: ["restartPolicy": "Never"])
            try await node.create("noimage", container: ["image": "r.test/a:nosuch"])
            try await node.create("badname", container: ["image": "UPPER//x"])
            let program = try await node.waitForPhase("Failed", of: "noprogram")
            let end = try #require(program.status["containerStatuses"]?[0]?[path: "state", "terminated"])
            #expect(end["exitCode"] == 128 && end["reason"] == "StartError")
            #expect(end["message"]?.string?.contains("stat /bin/nosuch: no such file or directory") == true)
            try await node.wait(for: "noimage") {
                $0?.status["containerStatuses"]?[0]?[path: "state", "waiting", "reason"] == "ErrImagePull"
            }
            try await node.wait(for: "noimage") {
                $0?.status["containerStatuses"]?[0]?[path: "state", "waiting", "reason"] == "ImagePullBackOff"
            }
            try await node.wait(for: "badname") {
                $0?.status["containerStatuses"]?[0]?[path: "state", "waiting", "reason"] == "InvalidImageName"
            }
            try await node.eventually("both events") {
                let events = node.events("noimage")
                return events.contains("Failed: Error: ErrImagePull")
                    && events.contains("Failed: Error: ImagePullBackOff")
            }
        }
    }

    @Test func aDeletedPodMayEndInPeaceAndLeavesNothingBehind() async throws {
        let node = try TestNode()
        try await node.run { node in
            let script = "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.05; done"
            let pod = try await node.create(
                "gentle",
                "/bin/sh",
                "-c",
                script,
                container: [
                    "lifecycle": ["preStop": ["exec": ["command": ["/bin/sh", "-c", "echo pre > /proc/1/fd/1"]]]]
                ],
                spec: ["terminationGracePeriodSeconds": 15]
            )
            _ = try await node.follow(pod, until: "up")
            async let log = node.follow(pod, until: "pre", "bye")
            try await node.cluster.delete(ObjectReference(.pods, namespace: "default", name: "gentle"))
            #expect(try await log.contains("bye"))
            try await node.wait(for: "gentle") { $0 == nil }
            try await node.eventually { node.events("gentle").contains("Killing: Stopping container main") }
            try await node.eventually { !Folder.exists("\(node.folder.path)/pods/\(pod.uid)") }
            #expect(Mounts.below(node.folder.path).isEmpty)
            #expect(try await Runc(program: "/usr/sbin/runc", root: "\(node.folder.path)/run/runc").list().isEmpty)
        }
    }

    @Test func initialContainersComeFirstAndInOrder() async throws {
        let node = try TestNode()
        try await node.run { node in
            let mount: JSON = ["volumeMounts": [["name": "work", "mountPath": "/work"]]]
            func initial(_ name: String) -> JSON {
                [
                    "name": .string(name), "image": "r.test/a:busybox",
                    "command": ["/bin/sh", "-c", "echo \(name) >> /work/order"],
                    "volumeMounts": [["name": "work", "mountPath": "/work"]],
                ]
            }
            let pod = try await node.create(
                "ordered",
                "/bin/sh",
                "-c",
                "cat /work/order; exec sleep 100",
                container: mount,
                spec: [
                    "initContainers": [initial("one"), initial("two")], "volumes": [["name": "work", "emptyDir": [:]]],
                ]
            )
            #expect(try await node.follow(pod, until: "two") == "one\ntwo\n")
            let ready = try await node.waitForReady("ordered")
            #expect(
                ready.status["initContainerStatuses"]?.array?.allSatisfy {
                    $0[path: "state", "terminated", "reason"] == "Completed"
                } == true
            )
            #expect(ready.condition("Initialized")?["status"] == "True")
        }
    }

    @Test func memoryBeyondTheLimitEndsTheContainer() async throws {
        let node = try TestNode()
        try await node.run { node in
            try await node.create(
                "hungry",
                "/bin/dd",
                "if=/dev/zero",
                "of=/dev/shm/x",
                "bs=1M",
                "count=60",
                container: ["resources": ["limits": ["memory": "16Mi"]]],
                spec: ["restartPolicy": "Never"]
            )
            let pod = try await node.waitForPhase("Failed", of: "hungry")
            let end = try #require(pod.status["containerStatuses"]?[0]?[path: "state", "terminated"])
            #expect(end["reason"] == "OOMKilled" && end["exitCode"] == 137)
        }
    }

    @Test func podsSurviveARestartOfTheNodeWithTheirVolumes() async throws {
        let node = try TestNode()
        let script = "echo run >> /data/runs; cat /data/runs; exec sleep 100"
        let pod = try await node.create(
            "stays",
            "/bin/sh",
            "-c",
            script,
            container: ["volumeMounts": [["name": "data", "mountPath": "/data"]]],
            spec: ["volumes": [["name": "data", "emptyDir": [:]]]]
        )
        try await node.run { node in _ = try await node.follow(pod, until: "run") }
        #expect(Mounts.below(node.folder.path).isEmpty)
        let between = try await node.cluster.get(ObjectReference(.pods, namespace: "default", name: "stays"))
        #expect(between.status["phase"] == "Running")
        let second = try TestNode(node.folder, node.cluster, node.registry)
        try await second.run { node in
            let found = try await node.wait(for: "stays") {
                $0?.status["containerStatuses"]?[0]?["restartCount"] == 1 && $0?.condition("Ready")?["status"] == "True"
            }
            let status = try #require(found?.status["containerStatuses"]?[0])
            #expect(status[path: "lastState", "terminated", "exitCode"] == 255)
            #expect(try await node.follow(pod, until: "run\nrun") == "run\nrun\n")
            #expect(try await node.log(pod) { $0.isPrevious = true } == "run\n")
        }
    }

    @Test func aNodeStopsInTimeWhileTheAPIAnswersNothing() async throws {
        let node = try TestNode()
        node.start()
        try await node.create("up", "/bin/sh", "-c", "exec sleep 100")
        _ = try await node.waitForReady("up")
        try await node.create("going", "/bin/true", spec: ["restartPolicy": "Never"])
        _ = try await node.waitForPhase("Succeeded", of: "going")
        node.cluster.setFault { _ in throw Failure(.unavailable, "gone") }
        let start = ContinuousClock.now
        try await node.stop()
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(Mounts.below(node.folder.path).isEmpty)
    }

    @Test func whatAKilledNodeLeftBehindIsRemoved() async throws {
        let node = try TestNode()
        let pods = NodeFolders(data: node.folder.path)
        let left = "\(pods.pods)/0000-left/sandbox/shm"
        try Folder.make(left)
        try Folder.make(pods.runcState)
        try #require(unsafe mount("tmpfs", left, "tmpfs", 0, nil) == 0)
        let plan = try PodNetwork.plan(dataFolder: node.folder.path)
        let id = ContainerID.random()
        let bundle = "\(pods.pods)/0000-left/containers/main/0"
        try await TestContainer.start(
            id,
            bundle: bundle,
            runc: Runc(program: "/usr/sbin/runc", root: pods.runcState),
            group: "/ballast-\(plan.id)/0000-left/\(id)"
        )
        #expect(!ControlGroups().processes(below: "/ballast-\(plan.id)").isEmpty)
        try await node.run { node in
            try await node.wait(for: "local", type: .nodes) { $0?.condition("Ready")?["status"] == "True" }
            try await node.eventually { !(Folder.exists("\(pods.pods)/0000-left")) }
            #expect(ControlGroups().processes(below: "/ballast-\(plan.id)").isEmpty)
            #expect(Mounts.below(pods.pods).isEmpty)
        }
    }

    @Test func aContainerThatFloodsItsOutputFillsNeitherDiskNorMemory() async throws {
        let node = try TestNode()
        try await node.run { node in
            let pod = try await node.create(
                "flood",
                "/bin/sh",
                "-c",
                "yes 0123456789012345678901234567890123456789 | head -c 30000000; echo; echo end",
                spec: ["restartPolicy": "Never"]
            )
            try await node.wait(for: "flood") { $0?.status["phase"] == "Succeeded" }
            let files = LogFiles.all(of: "\(node.folder.path)/logs/pods/default_flood_\(pod.uid)/main/0.log")
            #expect(files.count == 5)
            #expect(try await node.log(pod) { $0.tailLines = 1 } == "end\n")
        }
    }
}

/// A container without a node, as a killed one leaves it.
enum TestContainer {
    static func start(_ id: ContainerID, bundle: String, runc: Runc, group: String) async throws {
        let root = "\(bundle)/rootfs"
        for name in ["bin", "proc", "dev", "sys"] { try Folder.make("\(root)/\(name)") }
        try FileText.write(FileText.content("/bin/busybox") ?? [], to: "\(root)/bin/sleep", mode: 0o755)
        let configuration: JSON = [
            "ociVersion": "1.0.2", "root": ["path": .string(root)],
            "process": ["user": ["uid": 0, "gid": 0], "args": ["/bin/sleep", "1000"], "cwd": "/"],
            "mounts": [["destination": "/proc", "type": "proc", "source": "proc"]],
            "linux": ["namespaces": [["type": "pid"], ["type": "mount"]], "cgroupsPath": .string(group)],
        ]
        try FileText.write(configuration.text, to: "\(bundle)/config.json")
        let null = unsafe open("/dev/null", O_RDWR)
        defer { close(null) }
        _ = try await runc.create(id, bundle: bundle, streams: ChildStreams())
        try await runc.start(id)
    }
}
