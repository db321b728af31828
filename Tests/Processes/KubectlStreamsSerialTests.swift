// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Testing

@Suite(
    "kubectl exec, cp, attach, run and port-forward",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct KubectlStreamsSerialTests {
    private let scratch = FileManager.default.temporaryDirectory.appending(path: "ballast-streams-\(UUID().uuidString)")
        .path

    /// A shell command in which `$K` is kubectl with the namespace of the tests.
    private func shell(_ machine: RunningBallast, _ script: String, limit: TimeInterval = 60) throws -> CommandResult {
        let kubectl = Programs.tool("kubectl") ?? "kubectl"
        return try Programs.run(
            "/bin/bash",
            ["-c", "set -o pipefail; K='\(kubectl) -n apps'; cd '\(scratch)'; \(script)"],
            environment: ["KUBECONFIG": machine.kubeconfig, "HOME": scratch],
            limit: limit
        )
    }

    /// The processes of this machine whose command line holds the text.
    private func processes(_ text: String) -> [String] {
        Folder.names("/proc").filter { Int($0) != nil }.compactMap { process in
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            let words = String(decoding: line, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
            return words.contains(text) ? words : nil
        }
    }

    private enum Folder {
        static func names(_ path: String) -> [String] {
            (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        }
    }

    @Test func bytesGoInAndOutOfPods() throws {
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: scratch)
        }
        let app = BusyboxApp(
            name: "web",
            command: BusyboxApp.page("hello"),
            programs: ["/bin/tar", "/usr/bin/test", "/bin/cat"]
        )
        let released = try machine.ballast("release", try app.write(below: scratch))
        try #require(released.code == 0, "\(released.errors)")
        let made = try shell(
            machine,
            "head -c 20000000 /dev/urandom > big; mkdir tree; seq 1 2000 > tree/a; ln -s a tree/b"
        )
        try #require(made.code == 0)
        try commands(machine)
        try refusals(machine)
        try terminals(machine)
        try copies(machine)
        try attachments(machine)
        try ports(machine)
        try leavers(machine)
    }

    private func commands(_ machine: RunningBallast) throws {
        for code in [0, 3, 137] {
            let result = try shell(
                machine,
                "$K exec deploy/web -- /bin/busybox sh -c 'echo out; echo err >&2; exit \(code)'"
            )
            #expect(result.code == code && result.output == "out\n", "\(result)")
            #expect(result.errors.hasPrefix("err\n"))
            #expect(code == 0 || result.errors.contains("command terminated with exit code \(code)"))
        }
        let through = try shell(machine, "$K exec -i -c web deploy/web -- cat < big | cmp - big && echo same")
        #expect(through.output == "same\n", "\(through)")
        // What the command does not read keeps nobody waiting.
        let deaf = try shell(machine, "$K exec -i deploy/web -- /bin/busybox true < big; echo $?")
        #expect(deaf.output == "0\n", "\(deaf)")
    }

    private func refusals(_ machine: RunningBallast) throws {
        for (words, answer) in [
            ("exec deploy/web -c ghost -- cat", "container ghost is not valid for pod web-"),
            ("exec deploy/web -- ghost", "executable file not found in $PATH"),
            ("exec ghost -- cat", "pods \"ghost\" not found"),
            (
                "exec deploy/web --as=dev --as-group=none -- cat",
                "User \"dev\" cannot"
            ),
        ] {
            let result = try shell(machine, "$K \(words)")
            #expect(result.code == 1 && result.errors.contains(answer), "\(words): \(result)")
        }
        let spdy = try shell(machine, "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false $K exec deploy/web -- cat")
        #expect(spdy.code == 1 && spdy.errors.contains("streams over WebSocket alone"), "\(spdy)")
    }

    private func terminals(_ machine: RunningBallast) throws {
        let script = "stty cols 91 rows 33; $K exec -it deploy/web -- /bin/busybox sh -c 'busybox stty size; exit 5'"
        try Data(script.utf8).write(to: URL(filePath: "\(scratch)/tty.sh"))
        let result = try shell(machine, "export K; script -qec 'bash tty.sh' /dev/null; echo $?")
        #expect(result.output.contains("33 91\r\n") && result.output.hasSuffix("\r\n5\n"), "\(result)")
    }

    private func copies(_ machine: RunningBallast) throws {
        let there = "pod=$($K get pod -l app.kubernetes.io/name=web -o name | head -1); pod=${pod#pod/}; [ $pod ]"
        let result = try shell(
            machine,
            """
            \(there) && $K cp big $pod:/big && $K cp $pod:/big back && cmp big back \
            && $K cp tree $pod:/tree && $K cp $pod:/tree tree2 && cmp tree/a tree2/a && echo same
            """
        )
        #expect(result.output.hasSuffix("same\n"), "\(result)")
    }

    private func attachments(_ machine: RunningBallast) throws {
        let image = try machine.ask(
            "get",
            "deploy",
            "web",
            "-n",
            "apps",
            "-o",
            "jsonpath={.spec.template.spec.containers[0].image}"
        )
        let run = "$K run --image=\(image) --restart=Never --pod-running-timeout=30s --command"
        let once = try shell(
            machine,
            "echo word | \(run) -i --rm once -- /bin/busybox sh -c 'read x; echo got $x; exit 4'; echo $?"
        )
        #expect(once.output.contains("got word\n") && once.output.hasSuffix("\n4\n"), "\(once)")
        #expect(try shell(machine, "$K get pod once").errors.contains("not found"))
        let counted = try shell(machine, "\(run) -i --rm count -- /bin/busybox wc -c < big")
        #expect(counted.output.contains("20000000"), "\(counted)")
        _ = try shell(machine, "\(run) talk -- /bin/busybox sh -c 'while true; do echo tick; busybox sleep 0.1; done'")
        _ = try machine.ask("wait", "pod/talk", "--for=condition=Ready", "-n", "apps", "--timeout=30s")
        let heard = try shell(machine, "timeout 20 $K attach talk | head -3; $K delete pod talk --now > /dev/null")
        #expect(heard.output == "tick\ntick\ntick\n", "\(heard)")
    }

    /// Runs `work` while kubectl forwards to port 8080 of `target`; returns what kubectl said.
    private func forwarding(
        _ machine: RunningBallast,
        _ target: String,
        remote: Int = 8080,
        _ work: (Int) throws -> Void
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: Programs.tool("kubectl") ?? "kubectl")
        process.arguments = ["-n", "apps", "port-forward", target, ":\(remote)"]
        process.environment = ProcessInfo.processInfo.environment.merging(["KUBECONFIG": machine.kubeconfig]) { $1 }
        let file = "\(scratch)/forward-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        let output = try FileHandle(forWritingTo: URL(filePath: file))
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        func said() -> String { String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self) }
        var port = 0
        try machine.wait("forwarding to \(target)") {
            let line = said().split(separator: "\n").first { $0.hasPrefix("Forwarding from 127.0.0.1:") } ?? ""
            port = line.split(separator: ":").last?.split(separator: " ").first.flatMap { Int($0) } ?? 0
            return port != 0
        }
        try work(port)
        return said()
    }

    private func ports(_ machine: RunningBallast) throws {
        let page = "curl -s -m 20 http://127.0.0.1"
        for target in ["deploy/web", "svc/web"] {
            _ = try forwarding(machine, target) { port in
                let many = try shell(
                    machine,
                    "for i in $(seq 1 40); do \(page):\(port)/index.html & done | sort | uniq -c; wait"
                )
                #expect(many.output.contains("40 hello"), "\(target): \(many)")
            }
        }
        _ = try shell(machine, "$K exec deploy/web -- /bin/busybox ln /big /www/big")
        _ = try forwarding(machine, "deploy/web") { port in
            let large = try shell(machine, "\(page):\(port)/big | cmp - big && echo same")
            #expect(large.output == "same\n", "\(large)")
        }
        let refused = try forwarding(machine, "deploy/web", remote: 8081) { port in
            #expect(try shell(machine, "\(page):\(port)/").code != 0)
            try machine.wait("the refusal") { processes("port-forward deploy/web :8081").isEmpty }
        }
        #expect(refused.contains("connection refused") && refused.contains("lost connection to pod"), "\(refused)")
    }

    /// A client that is killed leaves nothing behind, and a stop ends those who stay.
    private func leavers(_ machine: RunningBallast) throws {
        func begin(_ words: String...) throws -> Process {
            let process = Process()
            process.executableURL = URL(filePath: Programs.tool("kubectl") ?? "kubectl")
            process.arguments = ["-n", "apps", "exec", "deploy/web", "--", "/bin/busybox"] + words
            process.environment = ProcessInfo.processInfo.environment.merging(["KUBECONFIG": machine.kubeconfig]) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            return process
        }
        let killed = try begin("sh", "-c", "trap '' HUP; busybox sleep 4321 & wait")
        try machine.wait("the command runs") { processes("sleep 4321").contains { $0.hasPrefix("busybox") } }
        kill(killed.processIdentifier, SIGKILL)
        killed.waitUntilExit()
        try machine.wait("nothing is left") { processes("sleep 4321").isEmpty }
        let staying = try begin("sleep", "4322")
        try machine.wait("the command runs") { processes("sleep 4322").contains { $0.hasPrefix("/bin/busybox") } }
        let start = Date()
        #expect(machine.stop() == 0)
        #expect(Date().timeIntervalSince(start) < 15)
        staying.waitUntilExit()
        #expect(staying.terminationStatus != 0 && processes("sleep 4322").isEmpty)
    }
}
