// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import PodRuntime

/// The C library's resolver and `nslookup` in a real pod, by the pod's own `/etc/resolv.conf`.
@Suite("names in a pod", .serialized, .enabled(if: TestNode.isPossible, "needs root, runc and busybox"))
struct NamesTestsSerial {
    @Test func theResolverOfAPodFindsWhatTheClusterNames() async throws {
        let node = try TestNode()
        let plan = try #require(NetworkPlan.kept(in: node.folder.path))
        let (web, db) = ("\(plan.serviceSubnet[77])", "\(plan.podSubnet[200])")
        let objects: [(KubeObject, ResourceType)] = [
            (
                DNSFixtures.service(
                    "web",
                    "default",
                    spec: ["clusterIP": .string(web), "ports": [["name": "http", "port": 80]]]
                ), .services
            ),
            (
                DNSFixtures.service(
                    "db",
                    "default",
                    spec: ["clusterIP": "None", "ports": [["name": "sql", "port": 5432]]]
                ), .services
            ),
            (
                DNSFixtures.service(
                    "alias",
                    "default",
                    spec: ["type": "ExternalName", "externalName": "web.default.svc.cluster.local"]
                ), .services
            ),
            (
                DNSFixtures.slice(
                    "db",
                    "default",
                    endpoints: [["addresses": [.string(db)], "hostname": "db-0"]],
                    ports: [["name": "sql", "port": 5432, "protocol": "TCP"]]
                ), .endpointSlices
            ),
        ]
        for (object, type) in objects { _ = try await node.cluster.create(object, as: type) }
        // `ping` asks by the C library: the search path, an IPv4 and an IPv6 question at once.
        let script = """
            until nslookup web.default.svc.cluster.local > /dev/null; do sleep 0.1; done
            for name in web web.default web.default.svc web.default.svc.cluster.local. db db-0.db alias; do
              busybox ping -c 1 -w 1 $name | head -1
            done
            for question in aaaa:web.default.svc.cluster.local srv:_http._tcp.web.default.svc.cluster.local \
                srv:_sql._tcp.db.default.svc.cluster.local cname:alias.default.svc.cluster.local \
                a:nosuch.default.svc.cluster.local; do
              echo "ask $question"; nslookup -type=${question%%:*} ${question#*:} 2>&1
            done
            nslookup \(web) 2>&1; nslookup \(db) 2>&1
            echo finished; exec sleep 100
            """
        try await node.run { node in
            let pod = try await node.create("asker", "/bin/sh", "-c", script)
            let log = try await node.follow(pod, until: "finished\n")
            for (name, address) in [
                ("web", web), ("web.default", web), ("web.default.svc", web), ("web.default.svc.cluster.local.", web),
                ("db", db), ("db-0.db", db), ("alias", web),
            ] { #expect(log.contains("PING \(name) (\(address))"), "\(name): \(log)") }
            func answer(_ question: String) -> Substring {
                log.components(after: "ask \(question)", before: "ask ")
            }
            let empty = answer("aaaa:web.default.svc.cluster.local")
            #expect(empty.contains("Server:") && !empty.contains("NXDOMAIN") && !empty.contains(web), "\(empty)")
            #expect(
                answer("srv:_http._tcp.web.default.svc.cluster.local").contains(
                    "0 100 80 web.default.svc.cluster.local"
                )
            )
            #expect(
                answer("srv:_sql._tcp.db.default.svc.cluster.local").contains(
                    "0 100 5432 db-0.db.default.svc.cluster.local"
                )
            )
            #expect(
                answer("cname:alias.default.svc.cluster.local").contains(
                    "canonical name = web.default.svc.cluster.local"
                )
            )
            #expect(answer("a:nosuch.default.svc.cluster.local").contains("NXDOMAIN"))
            #expect(log.contains("name = web.default.svc.cluster.local"))
            #expect(log.contains("name = db-0.db.default.svc.cluster.local"))
        }
    }
}

extension String {
    /// What stands between two texts; the second may be missing.
    fileprivate func components(after first: String, before second: String) -> Substring {
        guard let start = firstRange(of: first)?.upperBound else { return "" }
        let rest = self[start...]
        return rest.firstRange(of: second).map { rest[..<$0.lowerBound] } ?? rest
    }
}
