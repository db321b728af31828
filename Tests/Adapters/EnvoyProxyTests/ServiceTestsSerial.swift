// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Testing

@testable import EnvoyProxy

@Suite(
    "Services of all types, with a real Envoy",
    .serialized,
    .enabled(if: TestEdge.isPossible, "needs root and .tools/bin/envoy")
)
struct ServiceTestsSerial {
    private func body(_ address: String, _ port: Int) async -> String? {
        try? await TestConnection.get("any/", at: address, port).body
    }

    private func until(_ ask: () async -> String?, _ holds: (String?) -> Bool) async -> Bool {
        holds(
            await eventually {
                await ask()
            } holds: {
                holds($0 ?? nil)
            } ?? nil
        )
    }

    @Test func nodePortsAnswerAtTheNodesAddress() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            let ports: JSON = [["name": "http", "port": 80, "nodePort": 30123]]
            try await edge.service("web", 100, spec: ["type": "NodePort", "ports": ports])
            try await edge.endpoints("web", [(1, web)])
            #expect(
                await until {
                    await body("\(edge.net).250", 30123)
                } _: {
                    $0?.hasPrefix("web\n") == true
                }
            )
            #expect(await body("\(edge.net).100", 80)?.hasPrefix("web\n") == true)
            #expect(await body("127.0.0.1", 30123) == nil, "two machines' node ports never meet")
            await web.close()
        }
    }

    @Test func balancersSayWhereTheyAnswer() async throws {
        try await TestEdge.with { edge in
            let web = try await edge.backend("web", 1)
            let ports: JSON = [["name": "http", "port": 8888, "nodePort": 30124]]
            try await edge.service("web", 100, spec: ["type": "LoadBalancer", "ports": ports])
            try await edge.endpoints("web", [(1, web)])
            try await edge.service("theirs", 101, spec: ["type": "LoadBalancer", "loadBalancerClass": "acme.test/lb"])
            func address() async -> String? {
                let found = try? await edge.cluster.find(ObjectReference(.services, namespace: "shop", name: "web"))
                return found?.status[path: "loadBalancer", "ingress"]?[0]?["ip"]?.string
            }
            #expect(await until(address) { $0 == "\(edge.net).100" })
            #expect(
                await until {
                    await body("\(edge.net).100", 8888)
                } _: {
                    $0?.hasPrefix("web\n") == true
                }
            )
            #expect(
                await until {
                    await body("\(edge.net).250", 30124)
                } _: {
                    $0?.hasPrefix("web\n") == true
                }
            )
            #expect(
                await until {
                    edge.events("web").first
                } _: {
                    $0?.hasPrefix("EnsuredLoadBalancer: ") == true
                }
            )
            #expect(
                await until {
                    edge.events("theirs").first
                } _: {
                    $0?.hasPrefix("LoadBalancerClassUnknown: ") == true
                }
            )
            // One that is no balancer any more answers no longer as one.
            try await edge.service("web", 100, spec: ["type": "ClusterIP"])
            #expect(await until(address) { $0 == nil })
            #expect(
                await until {
                    await body("\(edge.net).250", 30124)
                } _: {
                    $0 == nil
                }
            )
            await web.close()
        }
    }

    @Test func affinityKeepsAClientAtOnePod() async throws {
        try await TestEdge.with { edge in
            var backends: [(Int, TestBackend)] = []
            for number in 1...4 { backends.append((number, try await edge.backend("pod\(number)", number))) }
            try await edge.service("sticky", 100, spec: ["sessionAffinity": "ClientIP"])
            try await edge.service("loose", 101)
            try await edge.endpoints("sticky", backends)
            try await edge.endpoints("loose", backends)
            func pods(_ number: Int) async -> Set<String> {
                var found: Set<String> = []
                for _ in 0..<24 {
                    found.insert(await body("\(edge.net).\(number)", 80).map { String($0.prefix { $0 != "\n" }) } ?? "")
                }
                return found
            }
            _ = await eventually {
                await pods(101)
            } holds: {
                $0?.count == 4
            }
            let (sticky, loose) = (await pods(100), await pods(101))
            #expect(sticky.count == 1 && loose.count == 4, "\(sticky) \(loose)")
            for (_, backend) in backends { await backend.close() }
        }
    }

    @Test func slicesDoNotLeadToThisMachinesOwnPorts() async throws {
        try await TestEdge.with { edge in
            // Such as a database on the host: by a range that is routed here, and by an interface's address.
            let hosts = try await edge.backend("host", 200)
            try await edge.service("sneaky", 100)
            try await edge.handwritten("sneaky", "\(edge.net).200", port: hosts.port)
            #expect(
                await until {
                    edge.events("sneaky").first
                } _: {
                    $0?.hasPrefix("EndpointRefused: ") == true
                }
            )
            #expect(edge.events("sneaky").first?.contains("\(edge.net).200") == true)
            #expect(await body("\(edge.net).100", 80) == nil)
            // The same slice with a pod's address leads there.
            let pod = try await edge.backend("pod", 1)
            try await edge.handwritten("sneaky", "\(edge.net).1", port: pod.port)
            #expect(
                await until {
                    await body("\(edge.net).100", 80)
                } _: {
                    $0?.hasPrefix("pod\n") == true
                }
            )
            await hosts.close()
            await pod.close()
        }
    }

    @Test func aMachineKnowsItsOwnAddresses() {
        let addresses = HostAddresses(podSubnet: "198.19.0.0/16")
        let some: Set<String> = ["127.0.0.1", "127.8.9.10", "203.0.113.9", "198.19.0.7", "nonsense"]
        #expect(addresses.own(among: some) == ["127.0.0.1", "127.8.9.10"])
        let outside = HostAddresses.present().filter { !$0.hasPrefix("127.") }
        #expect(HostAddresses(podSubnet: "0.0.0.0/0").own(among: outside) == outside, "a bridge's address is no pod's")
    }
}
