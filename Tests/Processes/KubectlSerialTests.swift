// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

@Suite(
    "kubectl against the embedded cluster",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct KubectlSerialTests {
    /// A Deployment of busybox from an image that a release made.
    private func deployment(_ image: String, replicas: Int = 2) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: page, namespace: apps, labels: { app: page } }
        spec:
          replicas: \(replicas)
          selector: { matchLabels: { app: page } }
          template:
            metadata: { labels: { app: page } }
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - { name: page, image: "\(image)", env: [{ name: TONE, value: low }] }
        """
    }

    @Test func everyVerbOfADayWorks() throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-apps-\(UUID().uuidString)").path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let app = BusyboxApp(name: "web", command: BusyboxApp.page("hello", before: "echo started $TONE"))
        let released = try machine.ballast("release", try app.write(below: sources))
        try #require(released.code == 0, "\(released.errors)")
        let image = try machine.ask(
            "get",
            "deploy",
            "web",
            "-n",
            "apps",
            "-o",
            "jsonpath={.spec.template.spec.containers[0].image}"
        )

        // create, apply, diff
        #expect(try machine.ask("create", "-f", "-", input: deployment(image)).contains("deployment.apps/page created"))
        #expect(
            try machine.ask("rollout", "status", "deploy/page", "-n", "apps", "--timeout=60s").contains(
                "successfully rolled out"
            )
        )
        let applied = try machine.kubectl("apply", "-f", "-", input: deployment(image))
        #expect(applied.code == 0, "\(applied.errors)")
        let difference = try machine.kubectl("diff", "-f", "-", input: deployment(image, replicas: 3))
        #expect(difference.code == 1 && difference.output.contains("+  replicas: 3"), "\(difference)")
        #expect(try machine.kubectl("diff", "-f", "-", input: deployment(image)).code == 0)

        // A list, as `get -o yaml` prints it, and a kind that nobody knows: kubectl asks for OpenAPI 2 in protobuf.
        let list = """
            { "apiVersion": "v1", "kind": "List", "items": [
              { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "one", "namespace": "apps" } } ] }
            """
        #expect(try machine.ask("apply", "-f", "-", input: list).contains("configmap/one created"))
        let unknown = try machine.kubectl(
            "create",
            "-f",
            "-",
            input: "{ apiVersion: ex.com/v1, kind: Gadget, metadata: { name: g } }"
        )
        #expect(unknown.code == 1 && unknown.errors.contains("no matches for kind"), "\(unknown.errors)")

        // get: tables, yaml, jsonpath, watch
        let table = try machine.ask("get", "pods", "-n", "apps", "-l", "app=page")
        #expect(table.hasPrefix("NAME") && table.contains("1/1") && table.contains("Running"), "\(table)")
        #expect(try machine.ask("get", "deploy", "-A", "-o", "wide").contains("CONTAINERS"))
        #expect(try machine.ask("get", "deploy", "page", "-n", "apps", "-o", "yaml").contains("kind: Deployment"))
        let watched = try machine.kubectl("get", "pods", "-n", "apps", "-w", "--request-timeout=2s")
        #expect(watched.output.contains("Running"))
        #expect(try machine.ask("describe", "deploy", "page", "-n", "apps").contains("ScalingReplicaSet"))
        #expect(try machine.ask("describe", "pods", "-n", "apps", "-l", "app=page").contains("Started"))
        #expect(try machine.ask("describe", "node").contains("Allocatable"))

        // scale, set image, rollout
        try machine.ask("scale", "deploy/page", "-n", "apps", "--replicas=1")
        try machine.ask("wait", "-n", "apps", "--for=jsonpath={.status.replicas}=1", "deploy/page", "--timeout=30s")
        try machine.ask("set", "env", "deploy/page", "-n", "apps", "TONE=high")
        try machine.ask("rollout", "status", "deploy/page", "-n", "apps", "--timeout=60s")
        #expect(try machine.ask("logs", "-n", "apps", "deploy/page").contains("started high"))
        let history = try machine.ask("rollout", "history", "deploy/page", "-n", "apps")
        #expect(history.contains("1 ") && history.contains("2 "), "\(history)")
        try machine.ask("rollout", "undo", "deploy/page", "-n", "apps")
        try machine.ask("rollout", "status", "deploy/page", "-n", "apps", "--timeout=60s")
        #expect(try machine.ask("logs", "-n", "apps", "deploy/page").contains("started low"))
        try machine.ask("set", "image", "deploy/page", "-n", "apps", "page=\(image)")

        // wait, label, annotate
        try machine.ask("wait", "-n", "apps", "--for=condition=Available", "deploy/page", "--timeout=30s")
        try machine.ask("label", "deploy/page", "-n", "apps", "tier=front")
        #expect(
            try machine.ask("get", "deploy", "-n", "apps", "-l", "tier=front", "-o", "name") == "deployment.apps/page\n"
        )
        try machine.ask("annotate", "deploy/page", "-n", "apps", "note=seen")

        // api-resources, explain, api-versions
        let resources = try machine.ask("api-resources")
        for kind in ["Deployment", "Ingress", "EndpointSlice", "CustomResourceDefinition", "App", "Release"] {
            #expect(resources.contains(kind), "\(kind)")
        }
        #expect(try machine.ask("explain", "deployment.spec.replicas").contains("<integer>"))
        #expect(try machine.ask("explain", "app.spec.deploy").contains("replicas"))

        // logs --previous of a container that ended, and -f that follows
        let crasher = """
            apiVersion: v1
            kind: Pod
            metadata: { name: crasher, namespace: apps }
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: main
                  image: "\(image)"
                  command: [/bin/busybox, sh, -c, 'echo run at $(/bin/busybox date +%s); exit 1']
            """
        try machine.ask("create", "-f", "-", input: crasher)
        try machine.wait("a restart") {
            let count = try machine.ask(
                "get",
                "pod",
                "crasher",
                "-n",
                "apps",
                "-o",
                "jsonpath={.status.containerStatuses[0].restartCount}"
            )
            return (Int(count) ?? 0) >= 1
        }
        try machine.wait("previous logs") {
            try machine.kubectl("logs", "--previous", "crasher", "-n", "apps").output.contains("run at")
        }
        let followed = try machine.kubectl("logs", "-f", "deploy/page", "-n", "apps", "--request-timeout=2s")
        #expect(followed.output.contains("started low"))

        // errors as the real server words them
        let missing = try machine.kubectl("get", "pod", "nobody", "-n", "apps")
        #expect(missing.errors.contains(#"Error from server (NotFound): pods "nobody" not found"#), "\(missing.errors)")
        let invalid = try machine.kubectl(
            "create",
            "-f",
            "-",
            input: deployment("").replacing("image: \"\"", with: "image: \"\"")
        )
        #expect(invalid.code != 0)

        try careForTheNode(machine)

        // delete
        try machine.ask("delete", "deploy/page", "-n", "apps", "--timeout=30s")
        try machine.ask("delete", "ns", "apps", "--timeout=60s")
        #expect(try machine.kubectl("get", "ns", "apps").code != 0)
    }

    /// taint, cordon, drain, uncordon: the pods go and come again.
    private func careForTheNode(_ machine: RunningBallast) throws {
        let node = try machine.ask("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
        try machine.ask("taint", "node", node, "care=yes:NoSchedule")
        try machine.ask("taint", "node", node, "care-")
        try machine.ask("cordon", node)
        #expect(try machine.ask("get", "nodes").contains("Ready,SchedulingDisabled"))
        let drained = try machine.kubectl("drain", node, "--force", "--delete-emptydir-data", "--timeout=60s")
        #expect(drained.code == 0 && drained.output.contains("evicted"), "\(drained)")
        let waiting = try machine.ask("get", "pods", "-n", "apps", "-l", "app=page")
        #expect(waiting.contains("Pending"), "\(waiting)")
        try machine.ask("uncordon", node)
        try machine.ask("rollout", "status", "deploy/page", "-n", "apps", "--timeout=60s")
        #expect(try machine.ask("auth", "can-i", "delete", "pods") == "yes\n")
        #expect(try machine.ask("auth", "whoami").contains("system:masters"))
    }
}
