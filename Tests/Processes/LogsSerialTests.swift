// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Testing

@Suite("kubectl logs", .serialized, .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")"))
struct LogsSerialTests {
    /// Counts to five, waits to be told to go on, counts to six, and fails.
    private static let script = """
        for n in 1 2 3 4 5; do echo "run line $n"; done
        echo trouble >&2
        until [ -e /tmp/go ]; do /bin/busybox sleep 0.1; done
        /bin/busybox rm /tmp/go
        echo "last line"
        exit 3
        """

    private func pod(_ image: String) -> String {
        let script = Self.script.replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
        return """
            apiVersion: v1
            kind: Pod
            metadata: { name: talker, namespace: apps }
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: main
                  image: "\(image)"
                  command: [/bin/busybox, sh, -c, "\(script)"]
                  volumeMounts: [{ name: tmp, mountPath: /tmp }]
              volumes: [{ name: tmp, emptyDir: {} }]
            """
    }

    private func log(_ machine: RunningBallast, _ options: String...) throws -> String {
        let result = try machine.kubectl(["logs", "talker", "-n", "apps"] + options)
        guard result.code == 0 else { throw Failure(.fault, result.errors) }
        return result.output
    }

    @Test func everyOptionMeansWhatItMeansElsewhere() throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-apps-\(UUID().uuidString)").path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        let app = BusyboxApp(name: "web", command: BusyboxApp.page("hello"))
        let released = try machine.ballast("release", try app.write(below: sources))
        try #require(released.code == 0, "\(released.errors)")
        let path = "jsonpath={.spec.template.spec.containers[0].image}"
        let image = try machine.ask("get", "deploy", "web", "-n", "apps", "-o", path)
        try machine.ask("create", "-f", "-", input: pod(image))
        try machine.wait("its lines") {
            let text = (try? log(machine)) ?? ""
            return text.contains("run line 5") && text.contains("trouble")
        }

        let lines = (1...5).map { "run line \($0)" }
        let all = try log(machine).split(separator: "\n").map(String.init)
        #expect(all.filter { $0 != "trouble" } == lines && all.contains("trouble"))
        #expect(try log(machine, "--tail=0").isEmpty)
        #expect(try log(machine, "--tail=2").split(separator: "\n").map(String.init) == all.suffix(2))
        #expect(try log(machine, "--limit-bytes=12") == String(all.joined(separator: "\n").prefix(12)))
        #expect(try log(machine, "--since=1h").split(separator: "\n").count == 6)
        #expect(try log(machine, "--since-time=2999-01-01T00:00:00Z").isEmpty)
        let stamped = try log(machine, "--timestamps", "--tail=1")
        let stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z .+\n$/
        #expect(try stamp.wholeMatch(in: stamped) != nil, "\(stamped)")
        let none = try machine.kubectl("logs", "talker", "-n", "apps", "--previous")
        #expect(
            none.code != 0 && none.errors.contains("previous terminated container \"main\" in pod \"talker\" not found")
        )

        // A follower sees what comes, and ends with the run that it follows; the next run is another log.
        let follower = Process()
        let output = Pipe()
        follower.executableURL = URL(filePath: Programs.tool("kubectl") ?? "kubectl")
        follower.arguments = ["logs", "-f", "talker", "-n", "apps", "--kubeconfig", machine.kubeconfig]
        follower.standardOutput = output
        try follower.run()
        let uid = try machine.ask("get", "pod", "talker", "-n", "apps", "-o", "jsonpath={.metadata.uid}")
        let go = "\(machine.folder)/pods/\(uid)/volumes/tmp/go"
        try machine.wait("the volume") {
            FileManager.default.fileExists(atPath: URL(filePath: go).deletingLastPathComponent().path)
        }
        #expect(FileManager.default.createFile(atPath: go, contents: nil))
        let followed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        follower.waitUntilExit()
        #expect(follower.terminationStatus == 0)
        #expect(followed.hasPrefix("run line 1\n") || followed.hasPrefix("trouble\n"))
        #expect(followed.hasSuffix("last line\n"))
        #expect(followed.split(separator: "\n").count { $0 == "last line" } == 1)
        try machine.wait("a restart") {
            (try? log(machine, "--previous"))?.hasSuffix("last line\n") ?? false
        }
        #expect(try log(machine, "--previous", "--tail=1") == "last line\n")
        // Nobody tells the second run to go on.
        try machine.wait("the second run") { (try? log(machine))?.contains("run line 5") ?? false }
        #expect(try !log(machine).contains("last line"))
    }
}
