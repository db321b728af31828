// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// `ballast clusters`, against clusters that really answer.
@Suite("clusters by the built binary", .serialized)
struct ClustersSerialTests {
    private func text(_ result: CommandResult) -> String { result.output + result.errors }

    /// A kubeconfig made from the machine's own with some lines changed.
    private func kubeconfig(_ machine: RunningBallast, _ name: String, _ change: (String) -> String) throws -> String {
        let text = try String(contentsOfFile: machine.kubeconfig, encoding: .utf8)
        let path = "\(machine.folder)/\(name)"
        try change(text).write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func aClusterIsAddedListedAndForgotten() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        let port = RunningBallast.kubernetesPort + machine.offset
        let config = try kubeconfig(machine, "second") { $0.replacing("127.0.0.1:\(port)", with: "localhost:\(port)") }

        // A new one, over TLS with a client certificate: who we are and what we may do is said.
        let added = try machine.ballast("clusters", "add", "second", "--kubeconfig", config)
        #expect(added.code == 0, "\(added.errors)")
        #expect(added.output.hasPrefix("added second: https://localhost:\(port)"))
        #expect(added.errors.contains("there we are '") && added.errors.contains("we may do there what releases need"))
        try FileManager.default.removeItem(atPath: config)
        #expect(try machine.ask("get", "clusters", "-o", "name").contains("cluster.ballast.dev/second"))

        let again = try machine.ballast("clusters", "add", "second", "--kubeconfig", machine.kubeconfig)
        #expect(again.code == 1 && again.errors.contains("there is a cluster 'second' already"))

        // One that does not answer is not stored.
        let away = try kubeconfig(machine, "away") { $0.replacing("127.0.0.1:\(port)", with: "127.0.0.1:1") }
        let refused = try machine.ballast("clusters", "add", "away", "--kubeconfig", away)
        #expect(refused.code == 1 && refused.errors.contains("cannot be reached"), "\(refused.errors)")

        // One that stops answering is listed with the reason, beside the others.
        try machine.ask("patch", "cluster", "second", "--type=merge", "-p", #"{"spec":{"server":"https://localhost"}}"#)
        let list = try machine.ballast("clusters", "list", "-o", "json")
        let rows = try JSON(parsing: list.output).array ?? []
        #expect(rows.map { $0["name"]?.string } == ["local", "second"])
        #expect(
            rows.allSatisfy { $0["reachable"] == true && $0["version"]?.string?.hasPrefix("v1.") == true },
            "\(list.output)"
        )
        #expect(rows.allSatisfy { $0["nodes"] == ["ready": 1, "all": 1] && $0["latencyMilliseconds"] != nil })

        let broken = Base64.encode(Array(try String(contentsOfFile: away, encoding: .utf8).utf8))
        try machine.ask(
            "patch",
            "secret",
            "cluster-second",
            "-n",
            "ballast-system",
            "--type=merge",
            "-p",
            #"{"data":{"kubeconfig":"\#(broken)"}}"#
        )
        let table = try machine.ballast("clusters")
        #expect(table.code == 0)
        #expect(
            table.output.contains("unreachable: the cluster at 'https://127.0.0.1:1' cannot be reached"),
            "\(table.output)"
        )

        // What ended is renewed where it stands.
        let fresh = try kubeconfig(machine, "fresh") { $0 }
        let renewed = try machine.ballast("clusters", "add", "second", "--kubeconfig", fresh, "--replace")
        #expect(renewed.code == 0 && renewed.output.hasPrefix("renewed second: "), "\(text(renewed))")
        #expect(try machine.ballast("clusters").output.contains("unreachable") == false)

        let dry = try machine.ballast("clusters", "remove", "second", "--dry-run")
        #expect(dry.output.hasPrefix("would remove second"))
        let wrong = try machine.ballast("clusters", "remove", "secnod")
        #expect(wrong.code == 1 && wrong.errors.contains("did you mean 'second'?"))
        let removed = try machine.ballast("clusters", "remove", "second")
        #expect(removed.code == 0, "\(text(removed))")
        #expect(try machine.kubectl("get", "secret", "cluster-second", "-n", "ballast-system").code != 0)
        #expect(try machine.ask("get", "clusters", "-o", "name").isEmpty)
    }

    @Test func aRobotWithFewRightsAndATLSNameOfItsOwnHearsWhatIsMissing() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        try machine.ask("create", "serviceaccount", "robot", "-n", "default")
        try machine.ask(
            "create",
            "rolebinding",
            "robot",
            "--clusterrole=edit",
            "--serviceaccount=default:robot",
            "-n",
            "default"
        )
        let token = try machine.ask("create", "token", "robot", "-n", "default").trimmingCharacters(
            in: .whitespacesAndNewlines
        )
        let original = try machine.ask(
            "config",
            "view",
            "--raw",
            "-o",
            "jsonpath={.clusters[0].cluster.certificate-authority-data}"
        )
        let port = RunningBallast.kubernetesPort + machine.offset
        // The token comes from a program, and the server's certificate is asked for by another name than its address.
        let login = "\(machine.folder)/login"
        try """
        #!/bin/sh
        echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"\(token)"}}'
        """.write(toFile: login, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: login)
        let config = "\(machine.folder)/robot"
        try """
        apiVersion: v1
        kind: Config
        current-context: r
        contexts: [{ name: r, context: { cluster: c, user: robot } }]
        clusters:
        - name: c
          cluster:
            server: https://127.0.0.1:\(port)
            tls-server-name: kubernetes.default.svc
            certificate-authority-data: \(original)
        users:
        - name: robot
          user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never } }
        """.write(toFile: config, atomically: true, encoding: .utf8)
        let added = try machine.ballast("clusters", "add", "robot", "--kubeconfig", config)
        #expect(added.code == 0, "\(text(added))")
        #expect(added.errors.contains("there we are 'system:serviceaccount:default:robot'"))
        #expect(added.errors.contains("outside of the namespace 'default' we may not"), "\(added.errors)")
        #expect(added.errors.contains("we may not create namespaces"), "\(added.errors)")
        #expect(added.errors.contains("its credentials come from '\(login)'"))
        // Its stored kubeconfig works from anywhere; another authority is not believed.
        let rows = try JSON(parsing: try machine.ballast("clusters", "-o", "json").output).array ?? []
        #expect(
            rows.last?["reachable"] == true && rows.last?["user"] == "system:serviceaccount:default:robot",
            "\(rows)"
        )
        let other = try machine.ask(
            "config",
            "view",
            "--raw",
            "-o",
            "jsonpath={.users[0].user.client-certificate-data}"
        )
        let wrong = try String(contentsOfFile: config, encoding: .utf8).replacing(original, with: other)
        try wrong.write(toFile: config, atomically: true, encoding: .utf8)
        let refused = try machine.ballast("clusters", "add", "wrong", "--kubeconfig", config)
        #expect(refused.code == 1 && refused.errors.contains("does not trust"), "\(text(refused))")
    }

    /// A token that its cluster takes until somebody says otherwise, and a program that hands it out.
    private func login(_ machine: RunningBallast, as robots: [String]) throws -> String {
        for name in robots {
            try machine.ask("create", "serviceaccount", name, "-n", "default")
            let account = "--serviceaccount=default:\(name)"
            try machine.ask("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", account)
            let token = try machine.ask("create", "token", name, "-n", "default")
            try token.write(toFile: "\(machine.folder)/\(name).token", atomically: true, encoding: .utf8)
        }
        let login = "\(machine.folder)/login"
        try """
        #!/bin/sh
        token=$(/bin/cat '\(machine.folder)/token')
        echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'$token'"}}'
        """.write(toFile: login, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: login)
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
        users:
        - name: robot
          user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: \(login), interactiveMode: Never } }
        """.write(toFile: config, atomically: true, encoding: .utf8)
        return config
    }

    @Test(.enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")"))
    func credentialsThatEndInTheMiddleOfAReleaseAreHadAnewOrNamed() throws {
        let sources = ReleaseSerialTests.temporary()
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let folder = machine.folder
        let config = try login(machine, as: ["first", "next"])
        try FileManager.default.copyItem(atPath: "\(folder)/first.token", toPath: "\(folder)/token")
        let added = try machine.ballast("clusters", "add", "robot", "--kubeconfig", config)
        #expect(added.code == 0, "\(text(added))")

        // While its tests run the first account goes, and with it its token; the program has the next one.
        let kubectl = "\(Programs.tool("kubectl") ?? "kubectl") --kubeconfig \(machine.kubeconfig)"
        func release(_ name: String, _ test: String) throws -> CommandResult {
            let path = try BusyboxApp(name: name, test: test, command: BusyboxApp.page(name)).write(below: sources)
            let file = "\(path)/ballast.yaml"
            let app = try String(contentsOfFile: file, encoding: .utf8)
            let registry = "127.0.0.1:\(RunningBallast.registryPort + machine.offset)"
            try app.replacing("  deploy:\n", with: "  deploy:\n    clusters: [robot]\n")
                .replacing("localhost:5000", with: registry)
                .write(toFile: file, atomically: true, encoding: .utf8)
            return try machine.ballast("release", path)
        }
        let renewed = try release(
            "web",
            "\(kubectl) delete serviceaccount first -n default && cp \(folder)/next.token \(folder)/token"
        )
        #expect(renewed.code == 0, "\(text(renewed))")
        try machine.wait("the edge serves it") { try machine.edge("/", host: "web.localhost").body.contains("web") }

        // And where there is no next one, that is said, and nothing is changed.
        let ended = try release("late", "\(kubectl) delete serviceaccount next -n default")
        #expect(ended.code != 0)
        #expect(ended.errors.contains("refuses the credentials of user 'robot': "), "\(ended.errors)")
        #expect(ended.errors.contains("log in with that program anew"), "\(ended.errors)")
        #expect(try machine.kubectl("get", "deployment", "late", "-n", "apps").code != 0)
        let phases = try machine.ask("get", "releases", "-A", "-o", "jsonpath={.items[*].status.phase}")
        #expect(Set(phases.split(separator: " ")) == ["Succeeded", "Failed"], "\(phases)")
    }
}
