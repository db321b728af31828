// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// Releases by a job that has a kubeconfig and no `up`: the cluster itself keeps the records.
@Suite(
    "a cluster that is home without an up",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct RealHomeSerialTests {
    /// The kubeconfig of a service account that may edit one namespace.
    private func robot(_ machine: RunningBallast, in namespace: String) throws -> String {
        try machine.ask("create", "namespace", namespace)
        try machine.ask("create", "serviceaccount", "robot", "-n", namespace)
        let account = "--serviceaccount=\(namespace):robot"
        try machine.ask("create", "rolebinding", "robot", "--clusterrole=edit", account, "-n", namespace)
        let token = try machine.ask("create", "token", "robot", "-n", namespace)
        let authority = "jsonpath={.clusters[0].cluster.certificate-authority-data}"
        let config = "\(machine.folder)/robot"
        try """
        apiVersion: v1
        kind: Config
        current-context: r
        contexts: [{ name: r, context: { cluster: c, user: robot } }]
        clusters:
        - name: c
          cluster:
            server: https://127.0.0.1:\(RunningBallast.kubernetesPort + machine.offset)
            certificate-authority-data: \(try machine.ask("config", "view", "--raw", "-o", authority))
        users: [{ name: robot, user: { token: "\(token.trimmingCharacters(in: .whitespacesAndNewlines))" } }]
        """.write(toFile: config, atomically: true, encoding: .utf8)
        return config
    }

    @Test func aJobWithAKubeconfigReleasesAndTheClusterKeepsTheRecords() throws {
        let sources = ReleaseSerialTests.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        func job(_ arguments: String..., config: String? = nil) throws -> CommandResult {
            // Its home folder is its own, so no other `up` is met by chance.
            var environment = ["HOME": sources, "KUBECONFIG": "", "BALLAST_DATA": "", "BALLAST_KUBECONFIG": ""]
            if let config { environment["KUBECONFIG"] = config }
            return try Programs.run(
                Programs.ballast,
                arguments,
                in: Programs.root,
                environment: environment,
                limit: 300
            )
        }
        let robot = try robot(machine, in: "apps")
        // As a cluster that never met Ballast.
        let kinds = ["apps", "releases", "clusters", "inventories"].map { "crd/\($0).ballast.dev" }
        try machine.kubectl(["delete"] + kinds)

        let path = try BusyboxApp(name: "web", command: BusyboxApp.page("one")).write(below: sources)
        let file = "\(path)/ballast.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let unnamed = text.replacing("    repository: localhost:5000/apps/web\n", with: "")
        try unnamed.write(toFile: file, atomically: true, encoding: .utf8)

        // Nobody said which cluster.
        let lost = try job("release", path)
        #expect(lost.code != 0 && lost.errors.contains("a real home cluster with --context"), "\(lost.errors)")

        // The default registry is an up's, and here is none.
        let admin = machine.kubeconfig
        let homeless = try job("release", path, "--kubeconfig", admin)
        #expect(homeless.code != 0 && homeless.errors.contains("'repository' is missing"), "\(homeless.errors)")

        let registry = "127.0.0.1:\(RunningBallast.registryPort + machine.offset)"
        try text.replacing("localhost:5000", with: registry).write(toFile: file, atomically: true, encoding: .utf8)
        let empty = try job("status", "--kubeconfig", admin)
        #expect(empty.code == 0 && empty.output.contains("no apps yet"), "\(empty.output)\(empty.errors)")

        // Who may only edit a namespace is told who has to do what; then somebody does.
        let refused = try job("release", path, config: robot)
        #expect(refused.code != 0, "\(refused.output)")
        #expect(refused.errors.contains("ballast schema --definitions | kubectl apply"), "\(refused.errors)")
        let definitions = try job("schema", "--definitions").output
        try machine.ask("apply", "--server-side", "-f", "-", input: definitions)
        try machine.wait("Ballast's kinds are served") {
            try machine.kubectl("get", "releases.ballast.dev", "-n", "apps").code == 0
        }

        let first = try job("release", path, config: robot)
        #expect(first.code == 0, "\(first.errors)")
        #expect(first.errors.contains("the home cluster is https://127.0.0.1:"), "\(first.errors)")
        try machine.wait("the edge serves it") { try machine.edge("/", host: "web.localhost").body.contains("one") }
        #expect(try machine.ask("get", "releases", "-n", "apps", "-o", "name").contains("web-1"))

        try BusyboxApp.page("two").write(toFile: "\(path)/run.sh", atomically: true, encoding: .utf8)
        let second = try job("release", path, config: robot)
        #expect(second.code == 0, "\(second.errors)")
        try machine.wait("the edge serves 'two'") { try machine.edge("/", host: "web.localhost").body.contains("two") }
        // What a release needs of this machine is below its user's home, also where a variable is set to nothing.
        #expect(FileManager.default.fileExists(atPath: "\(sources)/.ballast/build"))

        let list = try job("releases", "web", "-n", "apps", "-o", "json", config: robot)
        #expect(try JSON(parsing: list.output).array?.count == 2, "\(list.output)\(list.errors)")

        let back = try job("rollback", "web", "-n", "apps", config: robot)
        #expect(back.code == 0, "\(back.errors)")
        try machine.wait("the edge serves 'one'") { try machine.edge("/", host: "web.localhost").body.contains("one") }
    }
}
