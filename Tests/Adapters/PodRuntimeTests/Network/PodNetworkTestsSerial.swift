// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Ports
import Subprocess
import SystemPackage
import Telemetry
import TestKit
import Testing

@testable import PodRuntime

@Suite("the pod network", .serialized, .enabled(if: geteuid() == 0, "only root may make networks"))
struct PodNetworkTestsSerial {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// Runs a program and returns its output; a non-zero end is an empty text.
    private func output(_ program: String, _ arguments: [String]) async throws -> String {
        let path = try #require(ProgramSearch.find(program))
        let result = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 20),
            error: .discarded
        )
        return result.terminationStatus.isSuccess ? result.standardOutput : ""
    }

    private func inPod(_ place: PodPlace, _ command: String...) async throws -> String {
        try await output("ip", ["netns", "exec", place.name] + command)
    }

    private func withNetwork(_ body: (PodNetwork) async throws -> Void) async throws {
        let network = try PodNetwork(dataFolder: folder.path, telemetry: Telemetry("test"))
        try await network.start()
        do { try await body(network) } catch {
            await network.stop()
            throw error
        }
        await network.stop()
    }

    @Test func aPodHasItsAddressAndReachesOthersAndTheBridge() async throws {
        try await withNetwork { network in
            let one = try await network.addPod("one")
            let two = try await network.addPod("two")
            #expect(try await network.addPod("one") == one)
            #expect(one.address != two.address && network.plan.podSubnet.contains(one.address))
            #expect(one.namespacePath == "/run/netns/\(one.name)")
            let shown = try await inPod(one, "ip", "-brief", "address")
            #expect(shown.contains("\(one.address)/24") && shown.contains("127.0.0.1/8"))
            #expect(!shown.contains("fe80"))
            #expect(try await inPod(one, "ip", "route").contains("default via \(network.plan.gateway)"))
            let server = try Listener("\(network.plan.gateway)", port: 53)
            #expect(try await connects(one, network.plan.gateway, server.port))
            #expect(try await inPod(one, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "0\n")
            let inside = try await Listener.inside(two)
            #expect(try await connects(one, two.address, inside.port))
            #expect(Listener.connects("\(two.address)", inside.port), "the host reaches pods")
        }
    }

    @Test func podsReachServicesAndNothingElseOfTheHost() async throws {
        try await withNetwork { network in
            let pod = try await network.addPod("one")
            let service = network.plan.serviceSubnet[77]
            let exact = try Listener("\(service)")
            #expect(try await connects(pod, service, exact.port))
            let everywhere = try Listener("0.0.0.0")
            #expect(try await !connects(pod, service, everywhere.port), "a port bound to all addresses is no Service")
            #expect(try await !connects(pod, network.plan.gateway, everywhere.port))
            for address in try await hostAddresses(except: network.plan) {
                #expect(try await !connects(pod, address, everywhere.port), "\(address)")
            }
            #expect(Listener.connects("\(service)", exact.port), "the host reaches Services")
        }
    }

    @Test func podsAskTheBridgeForNames() async throws {
        try await withNetwork { network in
            let pod = try await network.addPod("one")
            let cluster = FakeCluster()
            _ = try await cluster.create(DNSFixtures.services[0], as: .services)
            let dns = PodDNS(plan: network.plan, api: cluster, telemetry: Telemetry("test"))
            let question = DNSFixtures.question("web.shop.svc.cluster.local", .a)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await dns.run() }
                let server = "\(network.plan.gateway)"
                var reply: [UInt8]?
                // The server may not be bound, or not have heard of the Service, at the first question.
                for _ in 0..<500 where reply?.suffix(4) != [10, 200, 0, 7] {
                    reply = try await OwnThread.run {
                        try Listener.enter(pod)
                        return Listener.ask(question, server, 53)
                    }
                }
                #expect(reply?.suffix(4) == [10, 200, 0, 7])
                group.cancelAll()
            }
        }
    }

    @Test func twoNetworksLiveSideBySide() async throws {
        let other = try ScratchFolder()
        try await withNetwork { network in
            let second = try PodNetwork(dataFolder: other.path, telemetry: Telemetry("test"))
            #expect(!second.plan.podSubnet.overlaps(network.plan.podSubnet))
            #expect(second.plan.bridge != network.plan.bridge)
            try await second.start()
            let mine = try await network.addPod("one")
            let theirs = try await second.addPod("one")
            let exit = Folder.names(in: "/run").first { $0.hasPrefix("ballast-forwarding-") }
            await second.stop()
            #expect(
                exit.map { Folder.exists("/run/\($0)") } ?? true,
                "forwarding stays on as long as one network needs it"
            )
            #expect(try await output("ip", ["link", "show", second.plan.bridge]) == "")
            #expect(unsafe access(theirs.namespacePath, F_OK) != 0)
            #expect(try await inPod(mine, "ip", "-brief", "address").contains("\(mine.address)"))
        }
    }

    @Test func whatAKilledProcessLeftIsCleanedUpAndThePlanStays() async throws {
        let killed = try PodNetwork(dataFolder: folder.path, telemetry: Telemetry("test"))
        try await killed.start()
        _ = try await killed.addPod("one")
        // No stop: the next one finds namespaces, interfaces, route and rules.
        try await withNetwork { network in
            #expect(network.plan.podSubnet == killed.plan.podSubnet && network.plan.bridge == killed.plan.bridge)
            let pod = try await network.addPod("one")
            #expect(try await inPod(pod, "ip", "-brief", "address").contains("\(pod.address)"))
        }
        #expect(
            Folder.names(in: NetworkNamespace.folder).filter { $0.hasPrefix(killed.plan.namespacePrefix) }.isEmpty
        )
        #expect(try await output("ip", ["link", "show", killed.plan.bridge]) == "")
        #expect(try await !output("ip", ["route", "show", "table", "local"]).contains("\(killed.plan.serviceSubnet)"))
        #expect(try await !output("nft", ["list", "tables"]).contains(killed.plan.bridge))
    }

    @Test func aRemovedPodsAddressRests() async throws {
        try await withNetwork { network in
            let first = try await network.addPod("one")
            await network.removePod("one")
            await network.removePod("one")
            let second = try await network.addPod("one")
            #expect(second.address != first.address)
        }
    }

    // MARK: helpers

    private func connects(_ pod: PodPlace, _ address: IPv4Address, _ port: UInt16) async throws -> Bool {
        try await OwnThread.run {
            try Listener.enter(pod)
            return Listener.connects("\(address)", port)
        }
    }

    private func hostAddresses(except plan: NetworkPlan) async throws -> [IPv4Address] {
        let shown = try await output("ip", ["-4", "-brief", "address"])
        return shown.split { $0 == " " || $0 == "\n" }.compactMap { IPv4Address(String($0.split(separator: "/")[0])) }
            .filter { !plan.podSubnet.contains($0) && $0.bytes[0] != 127 }
    }
}
