// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import TestKit
import Testing

@Suite(
    "faults, by the built binary",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct FaultsSerialTests {
    /// An app with one thing wrong.
    private struct Fault: Sendable {
        var name: String
        var code: String
        /// What the cause has to say.
        var words: String
        /// Lines below `image:`, `image.build:` and `deploy:`.
        var image = ""
        var build = ""
        var deploy = ""
        var entrypoint = "[/bin/busybox, sh, /run.sh]"
        var script = BusyboxApp.page("fine")
        var make = "true"
        var deadline = "80s"
        var namespace = "faults"

        func write(below folder: String) throws -> String {
            let path = "\(folder)/\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let file = """
                apiVersion: ballast.dev/v1alpha1
                kind: App
                metadata: { name: \(name), namespace: \(namespace) }
                spec:
                  image:
                    repository: localhost:5000/faults/\(name)
                    \(image)
                    build:
                      run: '\(make)'
                      files:
                        - { from: /bin/busybox, to: /bin/busybox, libraries: true }
                        - { from: run.sh, to: /run.sh }
                        \(build)
                      entrypoint: \(entrypoint)
                  deploy:
                    deadline: \(deadline)
                    terminationGracePeriod: 1s
                    ports: [{ name: http, port: 8080 }]
                    \(deploy)
                """
            try Data(file.utf8).write(to: URL(filePath: "\(path)/ballast.yaml"))
            try Data(script.utf8).write(to: URL(filePath: "\(path)/run.sh"))
            return path
        }
    }

    private static func faults(missing: Int, denying: Int) -> [Fault] {
        [
            Fault(name: "crash", code: "B201", words: "exit code 42", script: "echo cannot open the ledger; exit 42\n"),
            Fault(
                name: "memory",
                code: "B202",
                words: "more memory than its limit",
                deploy: "resources: { limits: { memory: 24Mi } }",
                script:
                    "x=$(/bin/busybox head -c 90000000 /dev/zero | /bin/busybox tr '\\0' x); /bin/busybox sleep 99\n"
            ),
            Fault(
                name: "ready",
                code: "B301",
                words: "eadiness probe",
                deploy: "probes: { readiness: { http: /nothing-here, period: 1s } }",
                deadline: "15s"
            ),
            Fault(
                name: "alive",
                code: "B302",
                words: "iveness probe",
                deploy: "probes: { liveness: { http: /nothing-here, period: 1s, failureThreshold: 1 } }"
            ),
            Fault(
                name: "missing",
                code: "B101",
                words: "does not have the image",
                image: "pullHost: 127.0.0.1:\(missing)"
            ),
            Fault(name: "denied", code: "B102", words: "refuses the node", image: "pullHost: 127.0.0.1:\(denying)"),
            Fault(
                name: "foreign",
                code: "B205",
                words: "another processor",
                build: "- { from: run, to: /run }",
                entrypoint: "[/run]",
                // The head of a program for a processor that this machine is not.
                make: #"printf "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\1\0\0\0" > run && chmod 755 run"#
            ),
            Fault(name: "nowhere", code: "B203", words: "/bin/nosuch", entrypoint: "[/bin/nosuch]"),
            Fault(
                name: "greedy",
                code: "B402",
                words: "too little cpu",
                deploy: "resources: { requests: { cpu: '5000' } }"
            ),
            Fault(name: "quota", code: "B408", words: "pods=0", namespace: "tight"),
            Fault(
                name: "secret",
                code: "B204",
                words: "ledger-key",
                deploy: "env: { KEY: { secretRef: ledger-key, key: k } }"
            ),
            Fault(
                name: "volume",
                code: "B410",
                words: "no-such-class",
                deploy: "volumes: [{ name: data, mountPath: /data, size: 1Mi, storageClass: no-such-class }]"
            ),
        ]
    }

    /// All at once, each with its cause by name, at most two seconds after that cause began to count.
    @Test func eachIsNamedAndInTime() async throws {
        let sources = ReleaseSerialTests.temporary()
        let headers = [("Content-Type", "application/json"), ("WWW-Authenticate", "Basic realm=\"none\"")]
        let missing = try ScriptedServer { _, _ in
            let body = #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#
            return .init(status: 404, headers: headers, body: body)
        }
        let denying = try ScriptedServer { _, _ in
            let body = #"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#
            return .init(status: 401, headers: headers, body: body)
        }
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        try machine.ask("create", "namespace", "tight")
        try machine.ask("create", "quota", "none", "-n", "tight", "--hard=pods=0")
        let faults = Self.faults(missing: missing.port, denying: denying.port)
        let folder = machine.folder
        try await withThrowingTaskGroup(of: (Fault, CommandResult).self) { group in
            for fault in faults {
                let path = try fault.write(below: sources)
                group.addTask {
                    // On a thread of its own: it waits for the program's end.
                    let result = try await withCheckedThrowingContinuation { continuation in
                        Thread.detachNewThread {
                            continuation.resume(
                                with: Result {
                                    try Programs.run(
                                        Programs.ballast,
                                        ["release", path, "-o", "json", "--data", folder],
                                        in: Programs.root,
                                        limit: 120
                                    )
                                }
                            )
                        }
                    }
                    return (fault, result)
                }
            }
            for try await (fault, result) in group { Self.check(fault, result) }
        }
    }

    private static func check(_ fault: Fault, _ result: CommandResult) {
        #expect(result.code != 0, "\(fault.name)")
        let events = result.errors.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
        guard let end = events.first(where: { $0["event"] == "diagnosed" }) else {
            Issue.record("\(fault.name): nothing was diagnosed: \(result.errors.suffix(2000))")
            return
        }
        let cause = end["cause"]?.string ?? ""
        #expect(end["code"]?.string == fault.code, "\(fault.name): \(cause)")
        #expect(cause.contains(fault.words), "\(fault.name): \(cause)")
        #expect(end["advice"]?.string?.isEmpty == false)
        // What was suspected said itself when it would count; a loop counts from an end that nobody can foretell.
        let foretold = events.filter { $0["event"] == "health" }.compactMap { event -> Timestamp? in
            let deployment = event["objects"]?.array?.first { $0["kind"] == "Deployment" }
            let counts = deployment?[path: "suspected", "counts"]?.string.flatMap { Timestamp($0) }
            guard let counts, let time = Self.time(of: event), counts > time else { return nil }
            return counts
        }
        guard let counted = foretold.last, let named = Self.time(of: end) else { return }
        #expect(named - counted <= .seconds(2), "\(fault.name) was named \(named - counted) after it counted")
    }

    private static func time(of event: JSON) -> Timestamp? { event["time"]?.string.flatMap { Timestamp($0) } }
}
