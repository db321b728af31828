// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Glibc
import Testing

/// A strict token service of a registry, as a process on loopback (Python and openssl); it ends with the value.
///
/// It reads only the first scope, wants its own service's name, and knows two users with the password `s3cret`: `tester`, who
/// may do anything, and `reader`, who may pull.
package final class TokenServer {
    private let folder: String
    private let process: Process
    package let port: Int

    package static let service = "peer.test"

    package static let obstacle: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for program in ["python3", "openssl"] {
            let isThere = folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
            if !isThere { return "'\(program)' is missing" }
        }
        return nil
    }()

    /// What docker-registry trusts.
    package var certificate: String { "\(folder)/cert.pem" }
    package var realm: String { "http://127.0.0.1:\(port)/token" }
    /// One line for each request: user, method, scopes.
    package var requests: [String] {
        let text = (try? String(contentsOfFile: "\(folder)/requests", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    package init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/ballast-token-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(folder)/key.pem", "-out",
            "\(folder)/cert.pem", "-days", "2", "-subj", "/CN=tokens",
        ]
        openssl.standardError = FileHandle.nullDevice
        openssl.standardOutput = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0, "openssl made no certificate")
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, folder, Self.service]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Its first line is the port, printed once it listens.
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "the token server did not start")
    }

    deinit {
        // It may have been started by a thread that blocks the other signals, and inherited that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static let script = """
        import base64, http.server, json, subprocess, sys, time, urllib.parse, uuid
        folder, service = sys.argv[1:]
        b64 = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        der = "".join(open(folder + "/cert.pem").read().split("-----")[2].split())
        def sign(data):
            done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", folder + "/key.pem"], input=data, capture_output=True)
            return done.stdout
        def token(user, scope):
            access = []
            if scope:
                kind, name, actions = scope.split(":")
                allowed = ["pull", "push", "delete"] if user == "tester" else ["pull"] if user == "reader" else []
                access = [{"type": kind, "name": name, "actions": [a for a in actions.split(",") if a in allowed]}]
            now = int(time.time())
            head = b64(json.dumps({"typ": "JWT", "alg": "RS256", "x5c": [der]}).encode())
            body = b64(json.dumps({"iss": "tokens", "sub": user, "aud": service, "exp": now + 300, "nbf": now - 10,
                "iat": now, "jti": uuid.uuid4().hex, "access": access}).encode())
            text = head + "." + body
            return text + "." + b64(sign(text.encode()))
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *rest): pass
            def answer(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                header = self.headers.get("Authorization", "")
                user, password = "", ""
                if header.startswith("Basic "):
                    user, password = base64.b64decode(header[6:]).decode().split(":", 1)
                scopes = query.get("scope", [])
                with open(folder + "/requests", "a") as log: log.write(" ".join([user or "-", "GET"] + scopes) + "\\n")
                if query.get("service") != [service]: return self.answer(400, {"details": "a strange service"})
                if user and (user not in ("tester", "reader") or password != "s3cret"):
                    return self.answer(401, {"details": "incorrect username or password"})
                self.answer(200, {"token": token(user, scopes[0] if scopes else ""), "expires_in": 300})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
        """
}
