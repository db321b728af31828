// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// The commands a newcomer types first. kubectl sends most of these objects as protobuf.
@Suite(
    "kubectl's generators",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct KubectlCreateSerialTests {
    /// What kubectl creates by itself, and what it prints for the same arguments without a server, applied as JSON to a
    /// namespace of its own, must become the same object.
    private static let generators: [(kind: String, name: String, arguments: [String], command: [String])] = [
        ("deployment", "page", ["deployment", "page", "--image=nginx:1.27", "--replicas=0", "--port=8080"], []),
        ("job", "tick", ["job", "tick", "--image=nosuch.invalid/busybox"], ["date", "-u"]),
        ("configmap", "settings", ["configmap", "settings", "--from-literal=tone=low", "--from-file=blob=BLOB"], []),
        ("secret", "login", ["secret", "generic", "login", "--from-literal=user=ada", "--from-file=blob=BLOB"], []),
        (
            "secret", "pull",
            [
                "secret", "docker-registry", "pull", "--docker-server=127.0.0.1:5000", "--docker-username=ada",
                "--docker-password=secret",
            ], []
        ),
        ("secret", "edge", ["secret", "tls", "edge", "--cert=CERT", "--key=KEY"], []),
        ("service", "plain", ["service", "clusterip", "plain", "--tcp=80:8080", "--tcp=443:8443"], []),
        ("service", "headless", ["service", "clusterip", "headless", "--clusterip=None"], []),
        ("service", "node", ["service", "nodeport", "node", "--tcp=80:http"], []),
        ("service", "away", ["service", "externalname", "away", "--external-name=shop.example.com"], []),
        (
            "ingress", "page",
            ["ingress", "page", "--rule=shop.localhost/cart*=cart:http", "--rule=shop.localhost/=web:80,tls=edge"], []
        ),
        ("serviceaccount", "robot", ["serviceaccount", "robot"], []),
    ]

    @Test func eachCommandMakesTheObjectThatItsJSONMakes() throws {
        let files = FileManager.default.temporaryDirectory.appending(path: "ballast-files-\(UUID().uuidString)").path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: files)
        }
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        try Data([0x00, 0xFF, 0xFE, 0x0A]).write(to: URL(filePath: "\(files)/blob"))
        try writeCertificate(machine, in: files)
        for namespace in ["typed", "plain"] {
            #expect(try machine.ask("create", "namespace", namespace) == "namespace/\(namespace) created\n")
        }
        for generator in Self.generators {
            let arguments = generator.arguments.map {
                $0.replacing("BLOB", with: "\(files)/blob").replacing("CERT", with: "\(files)/cert.pem")
                    .replacing("KEY", with: "\(files)/key.pem")
            }
            let tail = generator.command.isEmpty ? [] : ["--"] + generator.command
            let created = try machine.kubectl(["create"] + arguments + ["-n", "typed"] + tail)
            try #require(created.code == 0, "\(generator.arguments): \(created.errors)")
            let printed = try machine.kubectl(
                ["create"] + arguments + ["-n", "plain", "--dry-run=client", "-o", "json"] + tail
            )
            try machine.ask("create", "-f", "-", input: printed.output)
            let typed = try object(generator.kind, generator.name, in: "typed", machine)
            let plain = try object(generator.kind, generator.name, in: "plain", machine)
            #expect(typed.text == plain.text, "\(generator.arguments)")
        }
        try settingsAreWhole(machine)
        try runAndExpose(machine)
        try refusals(machine)
    }

    /// The object without what differs between any two.
    private func object(_ kind: String, _ name: String, in namespace: String, _ machine: RunningBallast) throws -> JSON
    {
        var object = try JSON(parsing: try machine.ask("get", kind, name, "-n", namespace, "-o", "json"))
        let uid = object[path: "metadata", "uid"]?.string ?? ""
        for key in ["uid", "resourceVersion", "creationTimestamp", "namespace", "generation", "managedFields"] {
            object.set(nil, at: ["metadata", key])
        }
        object.set(nil, at: ["status"])
        for key in ["clusterIP", "clusterIPs"] where object[path: "spec", key] != "None" {
            object.set(nil, at: ["spec", key])
        }
        if object["kind"] == "Service", var ports = object[path: "spec", "ports"]?.array {
            for place in ports.indices { ports[place].set(nil, at: ["nodePort"]) }
            object.set(.array(ports), at: ["spec", "ports"])
        }
        // A job's pods bear its uid.
        return try JSON(parsing: uid.isEmpty ? object.text : object.text.replacing(uid, with: "UID"))
    }

    private func settingsAreWhole(_ machine: RunningBallast) throws {
        let settings = try object("configmap", "settings", in: "typed", machine)
        #expect(settings["data"] == ["tone": "low"])
        #expect(settings["binaryData"] == ["blob": "AP/+Cg=="])
        let replicas = try machine.ask("get", "deploy", "page", "-n", "typed", "-o", "jsonpath={.spec.replicas}")
        #expect(replicas == "0")
    }

    private func runAndExpose(_ machine: RunningBallast) throws {
        let run = try machine.ask("run", "lone", "--image=nosuch.invalid/page", "--port=8080", "-n", "typed")
        #expect(run == "pod/lone created\n")
        let exposed = try machine.ask("expose", "deployment", "page", "--port=80", "--target-port=8080", "-n", "typed")
        #expect(exposed == "service/page exposed\n")
        let port = try machine.ask(
            "get",
            "service",
            "page",
            "-n",
            "typed",
            "-o",
            "jsonpath={.spec.ports[0].targetPort}"
        )
        #expect(port == "8080")
        try machine.ask("delete", "pod", "lone", "-n", "typed", "--force")
    }

    private func refusals(_ machine: RunningBallast) throws {
        let unknown = """
            apiVersion: nosuch.example.com/v1
            kind: Gadget
            metadata: { name: a }
            """
        let applied = try machine.kubectl("apply", "-f", "-", input: unknown)
        #expect(applied.code != 0)
        #expect(applied.errors.contains("no matches for kind \"Gadget\" in version \"nosuch.example.com/v1\""))
        let explained = try machine.ask("explain", "--output=plaintext-openapiv2", "deployment.spec")
        #expect(explained.contains("replicas") && explained.contains("<integer>"), "\(explained)")
        // A kind without a place here must say so, and one that is served must not be refused.
        let scheduled = try machine.kubectl(
            "create",
            "cronjob",
            "tick",
            "--image=busybox",
            "--schedule=*/5 * * * *",
            "-n",
            "typed"
        )
        let isServed = try machine.ask("api-resources", "--api-group=batch", "-o", "name").contains("cronjobs")
        #expect(scheduled.code == (isServed ? 0 : 1))
        if !isServed {
            #expect(
                scheduled.errors.contains("the server could not find the requested resource"),
                "\(scheduled.errors)"
            )
        }
    }

    /// The key and certificate of the kubeconfig, as files.
    private func writeCertificate(_ machine: RunningBallast, in folder: String) throws {
        for (field, file) in [("client-certificate-data", "cert.pem"), ("client-key-data", "key.pem")] {
            let data = try machine.ask("config", "view", "--raw", "-o", "jsonpath={.users[0].user.\(field)}")
            try #require(Data(base64Encoded: data)).write(to: URL(filePath: "\(folder)/\(file)"))
        }
    }
}
