// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc
import Model
import Testing

@testable import PodRuntime

@Suite("parts of containers")
struct ContainerPartsTests {
    @Test func capabilitiesAreTheStandardOnesWithoutWhatIsDropped() throws {
        let standard = try Capabilities.resolve(add: [], drop: [])
        #expect(standard.contains("CAP_CHOWN") && !standard.contains("CAP_NET_RAW"))
        #expect(try Capabilities.resolve(add: ["NET_BIND_SERVICE"], drop: ["ALL"]) == ["CAP_NET_BIND_SERVICE"])
        #expect(try !Capabilities.resolve(add: [], drop: ["cap_chown"]).contains("CAP_CHOWN"))
        for name in ["SYS_ADMIN", "NET_RAW", "NET_ADMIN", "ALL", "SYS_PTRACE"] {
            #expect(throws: Capabilities.Refused(name: name)) { try Capabilities.resolve(add: [name], drop: []) }
        }
    }

    @Test func usersAreLookedUpInTheImage() throws {
        let lookup = UserLookup(
            passwd: "root:x:0:0::/:/bin/sh\nweb:x:101:102::/:\nbroken\n",
            group: "root:x:0:\nweb:x:102:\nmore:x:7:web,root\n"
        )
        func resolve(_ image: String, user: Int? = nil, group: Int? = nil) throws -> ContainerUser {
            try lookup.resolve(image: image, runAsUser: user, runAsGroup: group, additional: [9])
        }
        #expect(try resolve("web") == ContainerUser(uid: 101, gid: 102, additionalGroups: [102, 7, 9]))
        #expect(try resolve("101:more").gid == 7)
        #expect(try resolve("").uid == 0)
        #expect(try resolve("web", user: 5000) == ContainerUser(uid: 5000, gid: 0, additionalGroups: [0, 9]))
        #expect(try resolve("web", user: 101, group: 8).gid == 8)
        #expect(try resolve("4242") == ContainerUser(uid: 4242, gid: 0, additionalGroups: [0, 9]))
        #expect(throws: UserLookup.Unknown.self) { try resolve("nobody") }
        #expect(throws: UserLookup.Unknown.self) { try resolve("web:nogroup") }
    }

    @Test func variablesAreExpandedAsKubernetesDoes() {
        var environment = ContainerEnvironment()
        environment.set("A", "1")
        environment.set("B", "two")
        for (text, expected) in [
            ("$(A)", "1"), ("x$(A)$(B)y", "x1twoy"), ("$$(A)", "$(A)"), ("$(C)", "$(C)"), ("$A", "$A"), ("$", "$"),
            ("$(A", "$(A"), ("$$$(A)", "$1"), ("a$$b", "a$b"), ("", ""),
        ] {
            #expect(environment.expand(text) == expected, "\(text)")
        }
    }

    @Test func sharesQuotaAndMemoryFollowTheKubeletsRules() {
        func json(_ request: Int64, _ limit: Int64?, memory: Int64? = nil) -> JSON {
            ContainerResources(requestedMillicores: request, millicoresLimit: limit, memoryLimit: memory).json
        }
        #expect(json(0, nil)[path: "cpu", "shares"] == 2)
        #expect(json(500, nil)[path: "cpu", "shares"] == 512 && json(500, nil)[path: "cpu", "quota"] == nil)
        #expect(json(0, 250)[path: "cpu", "shares"] == 256 && json(0, 250)[path: "cpu", "quota"] == 25_000)
        #expect(json(0, 1)[path: "cpu", "quota"] == 1000)
        #expect(json(0, nil, memory: 1 << 20)[path: "memory", "limit"] == 1_048_576)
    }

    @Test func runcsWordsAreTakenOutOfItsLines() {
        let line = "time=\"2026-11-23T14:00:00Z\" level=error msg=\"exec: \\\"/x\\\": not found\"\n"
        #expect(Runc.sentence(line) == "exec: \"/x\": not found")
        #expect(Runc.sentence("plain words") == "plain words")
    }

    @Test func aProcessThatEndsAtOnceIsStillCollected() async throws {
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let streams = ChildProcess.Streams(input: null, output: null, error: null)
        for code in [0, 7] {
            let child = try ChildProcess.spawn("/bin/sh", ["-c", "exit \(code)"], environment: [], streams: streams)
            #expect(await child.wait() == code)
            #expect(child.exitCode == Int32(code))
        }
        let sleeper = try ChildProcess.spawn("/bin/sleep", ["100"], environment: [], streams: streams)
        sleeper.signal(SIGTERM)
        #expect(await sleeper.wait() == 128 + SIGTERM)
        #expect(throws: Failure.self) {
            try ChildProcess.spawn("/nosuch", [], environment: [], streams: streams)
        }
    }

    @Test func outputBeyondTheLimitIsDroppedWithoutStallingTheWriter() async throws {
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let (capture, writeEnd) = try OutputCapture.pipe(limit: 100)
        let streams = ChildProcess.Streams(input: null, output: writeEnd, error: null)
        let child = try ChildProcess.spawn(
            "/bin/sh",
            ["-c", "head -c 1000000 /dev/zero | tr '\\0' x"],
            environment: ["PATH=/bin:/usr/bin"],
            streams: streams
        )
        close(writeEnd)
        #expect(await child.wait() == 0)
        #expect(await capture.text() == String(repeating: "x", count: 100))
    }

    @Test func goPrintsDurationsLikeThis() {
        #expect(Duration.seconds(10).goText == "10s" && Duration.seconds(80).goText == "1m20s")
        #expect(Duration.seconds(300).goText == "5m0s" && Duration.seconds(3661).goText == "1h1m1s")
        #expect(Duration.milliseconds(340).goPreciseText == "340ms")
        #expect(
            Duration.milliseconds(1500).goPreciseText == "1.5s"
                && Duration.milliseconds(61_050).goPreciseText == "1m1.05s"
        )
    }

    @Test func servicesAreAnnouncedInBothStyles() {
        var service = KubeObject(.services, namespace: "shop", name: "cart-db")
        service["spec"] = [
            "clusterIP": "10.0.0.9",
            "ports": [["name": "sql", "port": 5432], ["port": 53, "protocol": "UDP", "name": "dns-x"]],
        ]
        let variables = Dictionary(ServiceVariables.of(service), uniquingKeysWith: { $1 })
        #expect(variables["CART_DB_SERVICE_HOST"] == "10.0.0.9" && variables["CART_DB_SERVICE_PORT"] == "5432")
        #expect(variables["CART_DB_SERVICE_PORT_DNS_X"] == "53")
        #expect(variables["CART_DB_PORT"] == "tcp://10.0.0.9:5432")
        #expect(variables["CART_DB_PORT_53_UDP_PROTO"] == "udp")
        service["spec"] = ["clusterIP": "None", "ports": [["port": 1]]]
        #expect(ServiceVariables.of(service).isEmpty)
    }

    @Test func theResolverFileFollowsThePodsPolicy() {
        func text(_ spec: JSON) -> String {
            var pod = KubeObject(.pods, namespace: "shop", name: "web")
            pod["spec"] = spec
            return ResolverText.of(
                PodSpec(pod),
                server: "10.1.0.1",
                domain: "cluster.local",
                host: "search old\nsearch lab. svc.cluster.local\nnameserver 9.9.9.9\noptions rotate timeout:1\n"
            )
        }
        #expect(
            text(["dnsPolicy": "ClusterFirst"])
                == "search shop.svc.cluster.local svc.cluster.local cluster.local lab\nnameserver 10.1.0.1\noptions ndots:5\n"
        )
        #expect(
            text(["dnsPolicy": "Default"])
                == "search lab svc.cluster.local\nnameserver 9.9.9.9\noptions rotate timeout:1\n"
        )
        #expect(
            text([
                "dnsPolicy": "None",
                "dnsConfig": [
                    "nameservers": ["1.1.1.1"], "searches": ["x"],
                    "options": [["name": "ndots", "value": "2"], ["name": "rotate"]],
                ],
            ]) == "search x\nnameserver 1.1.1.1\noptions ndots:2 rotate\n"
        )
    }
}
