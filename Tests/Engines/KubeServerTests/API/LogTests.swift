// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

@Suite("pods/log")
struct LogTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    /// A node that answers with what it was asked, or fails.
    private final class Agent: NodeAgent {
        let asked = Mutexed<LogOptions?>(nil)
        let failure: Failure?

        init(failure: Failure? = nil) { self.failure = failure }

        func logs(
            namespace: String,
            pod: String,
            uid: String,
            _ options: LogOptions
        ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
            asked.value = options
            if let failure { throw failure }
            return AsyncThrowingStream { stream in
                stream.yield(Array("\(namespace)/\(pod) ".utf8))
                stream.yield(Array((uid.isEmpty ? "nobody" : "somebody").utf8))
                stream.finish()
            }
        }

        func session(namespace: String, pod: String, uid: String, _ options: SessionOptions) async throws
            -> any ContainerSession
        { throw Failure(.unavailable, "only logs are asked for here") }

        func ports(namespace: String, pod: String, uid: String) async throws -> any PodPorts {
            throw Failure(.unavailable, "only logs are asked for here")
        }
    }

    private func text(_ answer: APIResponse) async throws -> String {
        guard case .stream(let stream) = answer.body else { return answer.message }
        var bytes: [UInt8] = []
        for try await part in stream { bytes += part }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a container's log comes from the node as text, with the options as they were asked for")
    func streams() async throws {
        let agent = Agent()
        let test = try await TestServer.withPods(agent)
        let answer = await test.send(
            "GET",
            "\(Self.pods)/one/log?follow=true&previous=0&timestamps=1&tailLines=7&limitBytes=100&sinceSeconds=60"
        )
        #expect(answer.status == 200)
        #expect(answer.contentType == "text/plain")
        #expect(try await text(answer) == "default/one somebody")
        var wanted = LogOptions(container: "main")
        (wanted.follows, wanted.hasTimestamps, wanted.tailLines, wanted.limitBytes) = (true, true, 7, 100)
        wanted.since = Timestamp(seconds: 1_800_000_000 - 60)
        #expect(agent.asked.value == wanted)
    }

    @Test("a pod with several containers needs a name, or an annotation that says which")
    func containers() async throws {
        let agent = Agent()
        let test = try await TestServer.withPods(agent)
        let unclear = await test.send("GET", "\(Self.pods)/two/log")
        #expect(unclear.status == 400)
        #expect(
            unclear.message == "a container name must be specified for pod two, choose one of: [main side] or one of "
                + "the init containers: [init]"
        )
        let unknown = await test.send("GET", "\(Self.pods)/two/log?container=ghost")
        #expect(unknown.status == 400)
        #expect(unknown.message == "container ghost is not valid for pod two")
        #expect(await test.send("GET", "\(Self.pods)/two/log?container=init").status == 200)
        #expect(agent.asked.value?.container == "init")
    }

    @Test("a pod that is on no node has no log yet; one that is not there is not found")
    func withoutNode() async throws {
        let test = try await TestServer.withPods(Agent())
        let empty = await test.send("GET", "\(Self.pods)/free/log")
        #expect(empty.status == 200)
        #expect(try await text(empty) == "")
        let missing = await test.send("GET", "\(Self.pods)/ghost/log")
        #expect(missing.status == 404)
        #expect(missing.message == "pods \"ghost\" not found")
    }

    @Test("what the node objects to reaches the client, and so does its absence")
    func failures() async throws {
        let words = "container \"main\" in pod \"one\" is waiting to start: ContainerCreating"
        let waiting = try await TestServer.withPods(Agent(failure: Failure(.invalidInput, words)))
        let early = await waiting.send("GET", "\(Self.pods)/one/log")
        #expect(early.status == 400)
        #expect(early.message == words)
        let alone = try await TestServer.withPods(nil)
        #expect(await alone.send("GET", "\(Self.pods)/one/log").status == 503)
    }

    @Test(
        "options that make no sense are refused",
        arguments: [
            ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
            ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
            ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ]
    )
    func refused(query: String, objection: String) async throws {
        let test = try await TestServer.withPods(Agent())
        let answer = await test.send("GET", "\(Self.pods)/one/log?\(query)")
        #expect(answer.status == 422)
        #expect(answer.message == "PodLogOptions \"one\" is invalid: \(objection)")
    }
}
