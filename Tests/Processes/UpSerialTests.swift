// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Testing

@Suite("ballast up", .serialized, .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")"))
struct UpSerialTests {
    @Test func eachObstacleIsOneClearErrorWithItsRemedy() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        #expect(machine.said.contains("\(RunningBallast.kubernetesPort + machine.offset)"))
        #expect(machine.said.split(separator: "\n").last == "ready")

        // Plain HTTP where TLS is spoken.
        let plain = try Programs.run(
            Programs.tool("curl") ?? "curl",
            ["-s", "-w", "%{http_code}", "http://127.0.0.1:\(RunningBallast.kubernetesPort + machine.offset)/api"]
        )
        #expect(plain.output == "Client sent an HTTP request to an HTTPS server.\n400")

        // The same data folder.
        let free = "\(PortOffset.next())"
        let second = try Programs.run(Programs.ballast, ["up", "--data", machine.folder, "--port-offset", free])
        #expect(
            second.code != 0 && second.errors.contains("is in use by process \(machine.process.processIdentifier)"),
            "\(second)"
        )
        #expect(second.errors.contains("ballast down --data"), "\(second)")

        // Taken ports, all of them named with their holder and flag.
        let other = machine.folder + "-other"
        defer { try? FileManager.default.removeItem(atPath: other) }
        let taken = try Programs.run(Programs.ballast, ["up", "--data", other, "--port-offset", "\(machine.offset)"])
        #expect(taken.code != 0)
        for (port, flag) in [
            (RunningBallast.kubernetesPort, "--kubernetes-port"), (RunningBallast.registryPort, "--registry-port"),
            (RunningBallast.edgePort, "--edge-port"),
        ] {
            #expect(taken.errors.contains("port \(port + machine.offset) is taken by process"), "\(taken.errors)")
            #expect(taken.errors.contains(flag))
        }

        // A missing program: hidden in a mount namespace of the test's own.
        let runc = try #require(Programs.tool("runc"))
        let hidden =
            "mount --bind /dev/null \(runc) && exec \(Programs.ballast) up --data \(other) --port-offset \(free)"
        let bare = try Programs.run("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", hidden], limit: 20)
        #expect(bare.code != 0 && bare.errors.contains("'runc' is not installed; run scripts/setup"), "\(bare)")

        // Not root.
        let nobody = try Programs.run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--clear-groups", Programs.ballast, "up", "--data", other]
        )
        if !nobody.errors.contains("Permission denied") {
            #expect(nobody.code != 0 && nobody.errors.contains("needs root"), "\(nobody)")
        }

        // `down` ends it, and says so when there is nothing to end.
        #expect(try machine.ballast("down").code == 0)
        machine.process.waitUntilExit()
        #expect(machine.process.terminationStatus == 0)
        #expect(try machine.ballast("down").errors.contains("nothing runs on the data folder"))
        #expect(Leftovers.of(machine.folder).isEmpty)
    }

    @Test func twoMachinesLiveSideBySide() throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-apps-\(UUID().uuidString)").path
        let machines = [try RunningBallast(), try RunningBallast()]
        defer {
            for machine in machines {
                machine.stop()
                machine.clean()
            }
            try? FileManager.default.removeItem(atPath: sources)
        }
        for machine in machines {
            let app = BusyboxApp(name: "web", command: BusyboxApp.page("from \(machine.offset)"))
            let released = try machine.ballast("release", try app.write(below: "\(sources)/\(machine.offset)"))
            #expect(released.code == 0, "\(released.errors)")
        }
        for machine in machines {
            try machine.wait("its own page") {
                try machine.edge("/", host: "web.localhost").body == "from \(machine.offset)\n"
                    || machine.edge("/", host: "web.localhost").body.contains("from \(machine.offset)")
            }
        }
        machines[0].stop()
        #expect(try machines[1].edge("/", host: "web.localhost").body.contains("from \(machines[1].offset)"))
    }

    @Test func aKillDuringAThousandWritesLosesNothingAcknowledged() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        let python = try #require(Programs.tool("python"), "scripts/setup installs it")
        let journal = machine.folder + ".acknowledged"
        defer { try? FileManager.default.removeItem(atPath: journal) }
        let writer = Process()
        writer.executableURL = URL(filePath: python)
        writer.arguments = ["-c", Self.writer, machine.kubeconfig, journal]
        writer.standardError = FileHandle.nullDevice
        try writer.run()
        func acknowledged() -> [String] {
            let text = (try? String(contentsOfFile: journal, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map(String.init)
        }
        try machine.wait("300 writes") { acknowledged().count >= 300 }
        machine.killHard()
        writer.waitUntilExit()
        let promised = Set(acknowledged())
        try machine.restart()
        let stored = try machine.ask("get", "configmaps", "-n", "default", "-o", "jsonpath={.items[*].metadata.name}")
        let missing = promised.subtracting(stored.split(separator: " ").map(String.init))
        #expect(missing.isEmpty, "\(missing.count) of \(promised.count) acknowledged writes are gone")
    }

    /// Creates ConfigMaps from 8 threads and notes each name once the server has acknowledged it.
    private static let writer = """
        import os, sys, threading
        from kubernetes import client, config
        config.load_kube_config(sys.argv[1])
        log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        def work(part):
            api = client.CoreV1Api(client.ApiClient())
            for i in range(125):
                name = f"w-{part}-{i}"
                try:
                    api.create_namespaced_config_map("default", {"metadata": {"name": name}, "data": {"k": "v" * 200}})
                except Exception:
                    return
                os.write(log, (name + "\\n").encode())
        threads = [threading.Thread(target=work, args=(p,)) for p in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        """

    @Test func thePythonClientListsAndWatches() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        let python = try #require(Programs.tool("python"), "scripts/setup installs it")
        let script = """
            import sys
            from kubernetes import client, config, watch
            config.load_kube_config(sys.argv[1])
            api = client.CoreV1Api()
            for i in range(5):
                api.create_namespaced_config_map("default", {"metadata": {"name": f"c{i}", "labels": {"set": "a"}}})
            first = api.list_namespaced_config_map("default", label_selector="set=a", limit=2)
            rest = api.list_namespaced_config_map("default", label_selector="set=a", limit=10, _continue=first.metadata._continue)
            print("listed", len(first.items), len(rest.items))
            version = rest.metadata.resource_version
            api.patch_namespaced_config_map("c1", "default", {"data": {"x": "1"}})
            api.delete_namespaced_config_map("c2", "default")
            seen = []
            w = watch.Watch()
            for event in w.stream(api.list_namespaced_config_map, "default", label_selector="set=a", resource_version=version, timeout_seconds=10):
                seen.append((event["type"], event["object"].metadata.name))
                if len(seen) == 2:
                    w.stop()
            print(seen)
            print([n.metadata.name for n in api.list_node().items][0] != "")
            print(client.AppsV1Api().list_deployment_for_all_namespaces().items)
            """
        let result = try Programs.run(python, ["-c", script, machine.kubeconfig])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("listed 2 3"), "\(result.output)")
        #expect(result.output.contains("[('MODIFIED', 'c1'), ('DELETED', 'c2')]"), "\(result.output)")
    }
}
