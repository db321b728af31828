// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

@Suite("pods/exec, pods/attach and pods/portforward")
struct ConnectionTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private let dev = APIUser(name: "dev", groups: ["system:authenticated"])

    /// A node whose containers run or do not.
    private final class Agent: NodeAgent {
        let asked = Mutexed<SessionOptions?>(nil)
        let failure: Failure?
        init(failure: Failure? = nil) { self.failure = failure }

        func logs(namespace: String, pod: String, uid: String, _ options: LogOptions) async throws
            -> AsyncThrowingStream<[UInt8], any Error>
        { throw Failure(.unavailable, "no logs are asked for here") }

        func session(namespace: String, pod: String, uid: String, _ options: SessionOptions) async throws
            -> any ContainerSession
        {
            asked.value = options
            if let failure { throw failure }
            return Session()
        }

        func ports(namespace: String, pod: String, uid: String) async throws -> any PodPorts {
            if let failure { throw failure }
            return NoPorts()
        }
    }

    private struct Session: ContainerSession {
        func run(_ peer: any SessionPeer) async -> SessionEnd { .ended }
    }

    private struct NoPorts: PodPorts {
        func dial(_ port: Int) async throws -> any PortStream { throw Failure(.unavailable, "none") }
        func waitUntilGone() async {}
    }

    private func request(
        _ path: String,
        _ query: [(String, String)] = [("command", "ls"), ("stdout", "true")],
        method: String = "GET",
        upgrade: String = "websocket",
        user: APIUser = TestServer.admin
    ) -> APIRequest {
        APIRequest(
            method: method,
            path: "\(Self.pods)/\(path)",
            query: query.map { (name: $0.0, value: $0.1) },
            accept: "",
            user: user,
            upgrade: upgrade
        )
    }

    private func refusal(_ test: TestServer, _ request: APIRequest) async throws -> APIResponse {
        guard case .refused(let answer) = await test.server.connect(request) else {
            throw Failure(.fault, "\(request.path) was accepted")
        }
        return answer
    }

    @Test("what the client asks for reaches the node as it was asked")
    func options() async throws {
        let agent = Agent()
        let test = try await TestServer.withPods(agent)
        let query = [
            ("command", "sh"), ("command", "-c"), ("command", "echo a b"), ("container", "side"), ("stdin", "1"),
            ("stdout", ""), ("stderr", "True"), ("stderr", "false"),
        ]
        guard case .open(.session(_, let options)) = await test.server.connect(request("two/exec", query)) else {
            Issue.record("it was refused")
            return
        }
        var wanted = SessionOptions(container: "side", command: ["sh", "-c", "echo a b"])
        (wanted.hasInput, wanted.hasOutput, wanted.hasErrors) = (true, true, true)
        #expect(options == wanted && agent.asked.value == wanted)
        let terminal = [("command", "sh"), ("stdout", "1"), ("stderr", "1"), ("tty", "1"), ("stdin", "0")]
        _ = await test.server.connect(request("one/exec", terminal))
        #expect(agent.asked.value?.hasErrors == false && agent.asked.value?.isTerminal == true)
        #expect(agent.asked.value?.hasInput == false && agent.asked.value?.container == "main")
        _ = await test.server.connect(request("one/attach", [("stdout", "1"), ("command", "ls")]))
        #expect(agent.asked.value?.command == [])
    }

    @Test("the ports in the request are numbers")
    func ports() async throws {
        let test = try await TestServer.withPods(Agent())
        let query = [("ports", "80,81"), ("ports", "9090")]
        guard case .open(.ports(_, let wanted)) = await test.server.connect(request("one/portforward", query)) else {
            Issue.record("it was refused")
            return
        }
        #expect(wanted == [80, 81, 9090])
        let wrong = try await refusal(test, request("one/portforward", [("ports", "http")]))
        #expect(wrong.status == 400)
    }

    @Test(
        "what makes no sense is refused in the real server's words",
        arguments: [
            ("ghost/exec", "command=ls&stdout=1", 404, "pods \"ghost\" not found"),
            ("one/exec", "command=ls&stdout=1&container=x", 400, "container x is not valid for pod one"),
            (
                "two/exec", "command=ls&stdout=1", 400,
                "a container name must be specified for pod two, choose one of: [init main side]"
            ),
            ("free/exec", "command=ls&stdout=1", 400, "pod free does not have a host assigned"),
            ("free/portforward", "", 400, "pod free does not have a host assigned"),
            ("one/exec", "stdout=1", 400, "a command is required"),
        ]
    )
    func refused(_ path: String, _ query: String, _ status: Int, _ message: String) async throws {
        let test = try await TestServer.withPods(Agent())
        let pairs = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=").map(String.init)
            return (parts[0], parts[1])
        }
        for method in ["GET", "POST"] {
            let asked = request(path, pairs, method: method, upgrade: method == "GET" ? "websocket" : "SPDY/3.1")
            let answer = try await refusal(test, asked)
            #expect(answer.status == status && answer.message == message)
            // Asked as a plain request, which is how the client comes to read it, it says the same.
            let plain = await test.server.answer(asked)
            #expect(plain.status == status && plain.message == message)
        }
    }

    @Test("the node's own words come as plain text")
    func containerNotRunning() async throws {
        let test = try await TestServer.withPods(Agent(failure: Failure(.notFound, "container not found (\"main\")")))
        let answer = try await refusal(test, request("one/exec"))
        #expect(answer.status == 500 && answer.contentType.hasPrefix("text/plain"))
        #expect(String(decoding: answer.bytes, as: UTF8.self) == "container not found (\"main\")")
        let nothing = try await refusal(test, request("one/exec", [("command", "ls")]))
        #expect(nothing.status == 400)
        #expect(
            String(decoding: nothing.bytes, as: UTF8.self)
                == "you must specify at least 1 of stdin, stdout, stderr"
        )
        #expect(try await refusal(TestServer.withPods(nil), request("one/exec")).status == 503)
    }

    @Test("a request that brings no protocol, or SPDY, is told what to bring")
    func withoutWebSocket() async throws {
        let test = try await TestServer.withPods(Agent())
        for path in ["one/exec", "one/attach", "one/portforward"] {
            let plain = await test.server.answer(request(path, upgrade: ""))
            #expect(plain.status == 400 && plain.message == "Upgrade request required")
            let spdy = await test.server.answer(request(path, method: "POST", upgrade: "SPDY/3.1"))
            #expect(spdy.status == 400 && spdy.message.contains("WebSocket") && spdy.message.contains("SPDY/3.1"))
            let deaf = await test.server.answer(request(path))
            #expect(deaf.status == 400 && deaf.message.contains("subprotocols"))
        }
        #expect(await test.server.answer(request("one/exec", method: "PUT")).status == 405)
    }

    @Test("a WebSocket takes the right to create, although it begins with GET")
    func rights() async throws {
        let test = try await TestServer.withPods(Agent())
        let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
        let stranger = try await refusal(test, request("one/exec", user: dev))
        #expect(stranger.status == 403)
        #expect(stranger.message.contains("User \"dev\" cannot get resource \"pods/exec\""))
        func grant(_ verbs: [JSON]) async {
            let rule: JSON = ["verbs": .array(verbs), "apiGroups": [""], "resources": ["pods/exec"]]
            let role: JSON = ["metadata": ["name": "r"], "rules": [rule]]
            let made = await test.send("POST", "\(rbac)/roles", role)
            if made.status == 409 { _ = await test.send("PUT", "\(rbac)/roles/r", role) }
        }
        let binding: JSON = [
            "metadata": ["name": "b"], "roleRef": ["kind": "Role", "name": "r"],
            "subjects": [["kind": "User", "name": "dev"]],
        ]
        await grant(["get"])
        #expect(await test.send("POST", "\(rbac)/rolebindings", binding).status == 201)
        let reader = try await refusal(test, request("one/exec", user: dev))
        #expect(reader.status == 403 && reader.message.hasPrefix("pods \"one\" is forbidden: "))
        await grant(["get", "create"])
        guard case .open = await test.server.connect(request("one/exec", user: dev)) else {
            Issue.record("it was refused")
            return
        }
        #expect(try await refusal(test, request("one/attach", user: dev)).status == 403)
    }

    @Test("clients find the connections among the pods' subresources")
    func discovery() async throws {
        let test = try await TestServer()
        let list = await test.send("GET", "/api/v1").json["resources"]?.array ?? []
        for (name, kind) in [
            ("attach", "PodAttachOptions"), ("exec", "PodExecOptions"), ("portforward", "PodPortForwardOptions"),
        ] {
            let entry = list.first { $0["name"]?.string == "pods/\(name)" }
            #expect(entry?["kind"]?.string == kind && entry?["verbs"] == ["create", "get"])
        }
        let document = await test.send("GET", "/openapi/v3/api/v1").json
        let path = document["paths"]?["/api/v1/namespaces/{namespace}/pods/{name}/exec"] ?? [:]
        #expect(path[path: "get", "operationId"] == "connectCoreV1GetNamespacedPodExec")
        #expect(path[path: "post", "x-kubernetes-action"] == "connect")
    }
}
