// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Model
import Testing

@Suite("the stop of an up", .serialized, .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")"))
struct StopSerialTests {
    /// Serves, and hears no SIGTERM.
    private static let deaf = """
        trap '' TERM
        /bin/busybox mkdir -p /www
        echo hi > /www/index.html
        /bin/busybox httpd -f -p 8080 -h /www &
        while true; do /bin/busybox sleep 1; done

        """

    @Test func itNamesWhomItWaitsForAndASecondCtrlCKillsThem() throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-apps-\(UUID().uuidString)").path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        var app = BusyboxApp(name: "deaf", command: Self.deaf)
        app.gracePeriod = "60s"
        let released = try machine.ballast("release", try app.write(below: sources))
        try #require(released.code == 0, "\(released.errors)")
        kill(machine.process.processIdentifier, SIGINT)
        try machine.wait("the notice") { machine.said.contains("stopping 1 pod: apps/deaf-") }
        #expect(machine.said.contains("(up to 10 s); Ctrl-C again kills them"))
        let start = Date()
        kill(machine.process.processIdentifier, SIGINT)
        machine.process.waitUntilExit()
        #expect(Date().timeIntervalSince(start) < 8, "a deaf pod would have taken 10 s")
        #expect(Leftovers.of(machine.folder).isEmpty)
    }

    /// Shakes hands with the API and is deaf from then on, also to the farewell of TLS.
    private static let silentClient = """
        import socket, ssl, sys, time
        context = ssl._create_unverified_context()
        talk = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
        talk.sendall(b"GET /version HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        talk.recv(1)
        print("connected", flush=True)
        time.sleep(60)
        """

    @Test func aMachineWithSilentClientsStopsAtOnce() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        let client = Process()
        client.executableURL = URL(filePath: try #require(Programs.tool("python"), "scripts/setup installs it"))
        client.arguments = ["-c", Self.silentClient, "\(RunningBallast.kubernetesPort + machine.offset)"]
        let output = Pipe()
        client.standardOutput = output
        try client.run()
        defer {
            kill(client.processIdentifier, SIGKILL)
            client.waitUntilExit()
        }
        // A Python that does not buffer writes the line in two pieces.
        var said = Data()
        while !said.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            said += more
        }
        #expect(String(decoding: said, as: UTF8.self) == "connected\n")

        let start = Date()
        #expect(try machine.ballast("down").code == 0)
        #expect(Date().timeIntervalSince(start) < 4, "a client that says no farewell is waited for, 5 s by default")
    }
}
