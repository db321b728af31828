// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Testing

@testable import PodRuntime

/// Probes against servers that are not ours: Python's TLS, and the health service of the gRPC project.
@Suite("probes of foreign servers", .serialized)
struct PeerProbeTestsSerial {
    @Test(.enabled(if: PythonServer.has("ssl"), "needs Python with ssl"))
    func anHTTPSServerIsAskedWhateverItsCertificateSays() async throws {
        let folder = try ScratchFolder()
        try FileText.write(PythonServer.certificate, to: "\(folder.path)/both.pem", mode: 0o600)
        let server = try await PythonServer(PythonServer.https, ["\(folder.path)/both.pem"])
        defer { server.stop() }
        func code(_ path: String, scheme: String = "HTTPS") async throws -> Int {
            let get: JSON = [
                "scheme": .string(scheme), "path": .string(path),
                "httpHeaders": [["name": "X-Probe", "value": "yes"]],
            ]
            return try await ProbeRequest(get, address: "127.0.0.1", port: server.port)
                .statusCode(timeout: .seconds(10), clock: ContinuousClock())
        }
        #expect(try await code("/ok") == 200)
        #expect(try await code("/missing") == 404)
        #expect(try await code("/moved") == 200, "a redirect to the same server is followed")
        #expect(try await code("/away") == 302, "one that leads elsewhere is an answer")
        await #expect(throws: ProbeNetworkError.self) { try await code("/ok", scheme: "HTTP") }
    }

    @Test(.enabled(if: PythonServer.has("grpc_health.v1"), "needs the Python packages of scripts/wheels/test.txt"))
    func aHealthServiceOfGRPCIsUnderstood() async throws {
        let server = try await PythonServer(PythonServer.health, [])
        defer { server.stop() }
        func check(_ service: String) async -> ProbeOutcome {
            await HealthCall(address: "127.0.0.1", port: server.port, service: service)
                .run(timeout: .seconds(10), clock: ContinuousClock())
        }
        #expect(await check("") == .success)
        #expect(await check("good") == .success)
        #expect(await check("bad") == .failure("service unhealthy (responded with \"NOT_SERVING\")"))
        #expect(await check("odd") == .failure("service unhealthy (responded with \"UNKNOWN\")"))
        // A server answers with an error, or with an empty message before one.
        #expect(await check("nobody") != .success)
        #expect(await check(String(repeating: "long", count: 100)) != .success)
    }
}

/// A Python program that prints the port it serves.
final class PythonServer: Sendable {
    let port: Int
    private let process: ChildProcess
    private let capture: OutputCapture

    init(_ program: String, _ arguments: [String]) async throws {
        let (capture, writeEnd) = try OutputCapture.pipe()
        self.capture = capture
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        do {
            defer { close(writeEnd) }
            process = try ChildProcess.spawn(
                Self.python,
                ["-c", program] + arguments,
                environment: ["PATH=\(Self.path)"],
                streams: .init(input: null, output: writeEnd, error: writeEnd)
            )
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let text = capture.partialText
            if let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first,
                let port = Int(line)
            {
                self.port = port
                return
            }
            guard ContinuousClock.now < deadline, process.exitCode == nil else {
                process.signal(SIGKILL)
                throw Failure(.deadlineExceeded, "the Python server did not come up: \(text)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func stop() {
        process.signal(SIGKILL)
        capture.abandon()
    }

    private static let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"

    /// The one that `scripts/setup` made comes first.
    private static let python: String = {
        let root = #filePath.components(before: "/Tests/")
        let folders = ["\(root)/.tools/bin"] + path.split(separator: ":").map(String.init)
        let names = folders.flatMap { ["\($0)/python", "\($0)/python3"] }
        return names.first { unsafe access($0, X_OK) == 0 } ?? "/usr/bin/python3"
    }()

    static func has(_ package: String) -> Bool {
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let streams = ChildProcess.Streams(input: null, output: null, error: null)
        guard
            let child = try? ChildProcess.spawn(
                python,
                ["-c", "import \(package)"],
                environment: ["PATH=\(path)"],
                streams: streams
            )
        else { return false }
        for _ in 0..<1000 where child.exitCode == nil { usleep(10_000) }
        return child.exitCode == 0
    }

    static let health = """
        import concurrent.futures, grpc
        from grpc_health.v1 import health, health_pb2, health_pb2_grpc
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        servicer = health.HealthServicer()
        kinds = health_pb2.HealthCheckResponse
        servicer.set("", kinds.SERVING)
        servicer.set("good", kinds.SERVING)
        servicer.set("bad", kinds.NOT_SERVING)
        servicer.set("odd", kinds.UNKNOWN)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        print(port, flush=True)
        server.wait_for_termination(120)
        """

    static let https = """
        import http.server, ssl, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                known = self.headers.get("X-Probe") == "yes"
                code, to = {"/ok": (200, None), "/moved": (302, "/ok"), "/away": (302, "https://192.0.2.1/")}.get(
                    self.path, (404, None))
                self.send_response(code if known else 400)
                if to: self.send_header("Location", to)
                self.send_header("Content-Length", "0")
                self.end_headers()
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    /// Made for this test, signed by itself, for a name that nobody asks for.
    static let certificate = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4ZoghY4ZhcDpeAAd
        SZbYVTU23lC0H3A2TWIqliuIpfuhRANCAAT+nDdvRMQhz+3XPjhcsFTvcc1ixakV
        WWdRQcVyo/84q73VuKLC5RuClg/7lHnkWDDNJ9c9X772O+sKtbHZgsbl
        -----END PRIVATE KEY-----
        -----BEGIN CERTIFICATE-----
        MIIBgjCCASegAwIBAgIUetaLvxVo8I1USaqu8FWZUpMK/8YwCgYIKoZIzj0EAwIw
        FTETMBEGA1UEAwwKcHJvYmUudGVzdDAgFw0yNjExMjMxNzMxNTFaGA8yMTI2MTAz
        MDE3MzE1MVowFTETMBEGA1UEAwwKcHJvYmUudGVzdDBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABP6cN29ExCHP7dc+OFywVO9xzWLFqRVZZ1FBxXKj/zirvdW4osLl
        G4KWD/uUeeRYMM0n1z1fvvY76wq1sdmCxuWjUzBRMB0GA1UdDgQWBBQ4KhCO8NK9
        01foRnVUNgRp7pzJFDAfBgNVHSMEGDAWgBQ4KhCO8NK901foRnVUNgRp7pzJFDAP
        BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQC2M3UxChjEL/z7rRBc
        AwyGpbAM4CdtEFTSjCOn3bYoJQIhAJb13jkROyS+IaXELM10M+WJCJ/XQtxPEpip
        yjBcfaXv
        -----END CERTIFICATE-----

        """
}

extension String {
    fileprivate func components(before marker: String) -> String {
        firstRange(of: marker).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
