// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

@Suite(
    "kubectl and the workloads beside deployments",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct KubectlWorkloadsSerialTests {
    private func pod(_ name: String, _ image: String) -> String {
        """
        metadata: { labels: { app: \(name) } }
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - { name: main, image: "\(image)", env: [{ name: TONE, value: low }] }
        """
    }

    private func statefulSet(_ image: String) -> String {
        """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: db, namespace: apps }
        spec:
          replicas: 2
          serviceName: db
          selector: { matchLabels: { app: db } }
          template:
            \(pod("db", image))
          volumeClaimTemplates:
            - metadata: { name: data }
              spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
        """
    }

    private func daemonSet(_ image: String) -> String {
        """
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: { name: agent, namespace: apps }
        spec:
          selector: { matchLabels: { app: agent } }
          template:
            \(pod("agent", image))
        """
    }

    @Test func statefulSetsDaemonSetsAndCronJobsLiveAndDie() throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-work-\(UUID().uuidString)").path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let app = BusyboxApp(name: "web", command: BusyboxApp.page("hello", before: "echo started $TONE"))
        let released = try machine.ballast("release", try app.write(below: sources))
        try #require(released.code == 0, "\(released.errors)")
        let path = "jsonpath={.spec.template.spec.containers[0].image}"
        let image = try machine.ask("get", "deploy", "web", "-n", "apps", "-o", path)
        for (name, text) in [("sts/db", statefulSet(image)), ("ds/agent", daemonSet(image))] {
            try rolls(machine, name, text)
        }
        #expect(try machine.ask("get", "pvc", "-n", "apps", "-o", "name").contains("persistentvolumeclaim/data-db-1"))
        try scales(machine)
        try schedules(machine, image)
        try measures(machine)
    }

    /// What runs is measured twice before it is shown: `kubectl top` and an autoscaler read the same figures.
    private func measures(_ machine: RunningBallast) throws {
        try machine.wait("the first figures", limit: 60) {
            try machine.kubectl("top", "pods", "-n", "apps").output.contains("web-")
        }
        let pods = try machine.ask("top", "pods", "-n", "apps", "--no-headers").split(whereSeparator: \.isWhitespace)
        #expect(pods.count == 3 && pods[1].hasSuffix("m") && pods[2].contains("Mi"), "\(pods)")
        let nodes = try machine.ask("top", "nodes", "--no-headers")
        #expect(nodes.contains("%") && nodes.contains("Mi"), "\(nodes)")
        _ = try machine.ask("autoscale", "deploy/web", "--max=3", "--memory=1Gi", "-n", "apps")
        _ = try machine.ask("wait", "hpa/web", "--for=condition=ScalingActive", "-n", "apps", "--timeout=40s")
        #expect(try machine.ask("get", "hpa", "web", "-n", "apps", "--no-headers").contains("/1Gi"))
    }

    /// A new template and back again, as people do it.
    private func rolls(_ machine: RunningBallast, _ name: String, _ text: String) throws {
        func status() throws -> String {
            try machine.ask("rollout", "status", name, "-n", "apps", "--timeout=90s")
        }
        func tone() throws -> String {
            let path = "jsonpath={.spec.template.spec.containers[0].env[0].value}"
            return try machine.ask("get", name, "-n", "apps", "-o", path)
        }
        _ = try machine.ask("apply", "-f", "-", input: text)
        _ = try status()
        _ = try machine.ask("set", "env", name, "TONE=high", "-n", "apps")
        _ = try status()
        #expect(try tone() == "high")
        let history = try machine.ask("rollout", "history", name, "-n", "apps")
        #expect(history.contains("\n1 ") && history.contains("\n2 "), "\(history)")
        #expect(try machine.ask("rollout", "undo", name, "-n", "apps").contains("rolled back"))
        _ = try status()
        #expect(try tone() == "low")
        let again = try machine.ask("rollout", "undo", name, "--to-revision=3", "-n", "apps")
        #expect(again.contains("skipped rollback (current template already matches revision 3)"), "\(again)")
    }

    private func scales(_ machine: RunningBallast) throws {
        _ = try machine.ask("scale", "sts/db", "--replicas=1", "-n", "apps")
        _ = try machine.ask("wait", "pod/db-1", "--for=delete", "-n", "apps", "--timeout=60s")
        #expect(try machine.ask("get", "sts", "db", "-n", "apps").contains("1/1"))
        _ = try machine.ask("delete", "sts/db", "ds/agent", "-n", "apps", "--timeout=60s")
        _ = try machine.ask("wait", "pod", "-l", "app in (db,agent)", "--for=delete", "-n", "apps", "--timeout=60s")
    }

    private func schedules(_ machine: RunningBallast, _ image: String) throws {
        _ = try machine.ask(
            "create",
            "cronjob",
            "tick",
            "--image=\(image)",
            "--schedule=* * * * *",
            "-n",
            "apps",
            "--",
            "/bin/busybox",
            "true"
        )
        _ = try machine.ask("create", "job", "now", "--from=cronjob/tick", "-n", "apps")
        _ = try machine.ask("wait", "job/now", "--for=condition=complete", "-n", "apps", "--timeout=60s")
        let waited = try machine.kubectl(
            ["wait", "cronjob/tick", "--for=jsonpath={.status.lastScheduleTime}", "-n", "apps", "--timeout=100s"],
            limit: 120
        )
        #expect(waited.code == 0, "\(waited.errors)")
        #expect(try machine.ask("get", "cj", "tick", "-n", "apps").contains("* * * * *"))
        #expect(try machine.ask("describe", "cj", "tick", "-n", "apps").contains("Created job tick-"))
        _ = try machine.ask("delete", "cj/tick", "-n", "apps", "--timeout=60s")
    }
}
