// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

struct ObjectLifeTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test("an update that changes nothing keeps the resource version")
    func noChangeNoVersion() async throws {
        let test = try await TestServer()
        let made = await test.send("POST", Self.maps, ["metadata": ["name": "a"], "data": ["k": "v"]]).json
        let same = await test.send("PUT", "\(Self.maps)/a", ["metadata": ["name": "a"], "data": ["k": "v"]]).json
        #expect(same[path: "metadata", "resourceVersion"] == made[path: "metadata", "resourceVersion"])
        #expect(same == made)
    }

    @Test("a generated name is tried again when it is taken")
    func generatedNamesCollide() async throws {
        let numbers = Mutexed<UInt64>(0)
        // The first ten letters are all the same, so the second name collides once.
        let randomness = Randomness {
            numbers.value += 1
            return numbers.value < 30 ? 0 : numbers.value
        }
        let log = try ObjectLog(path: nil, clock: WallClock { Timestamp(seconds: 1_800_000_000) })
        let server = try KubernetesServer(
            log: log,
            clock: WallClock { Timestamp(seconds: 1_800_000_000) },
            randomness: randomness
        )
        _ = try await server.api.create(KubeObject(.namespaces, name: "default"), as: .namespaces)
        var names: Set<String> = []
        for _ in 0..<3 {
            var object = KubeObject(.configMaps, namespace: "default", name: "")
            object.json.set(nil, at: ["metadata", "name"])
            object.json.set("gen-", at: ["metadata", "generateName"])
            names.insert(try await server.api.create(object, as: .configMaps).name)
        }
        #expect(names.count == 3)
        #expect(names.allSatisfy { $0.hasPrefix("gen-") && $0.utf8.count == 9 })
    }

    @Test("a dry run leaves nothing behind and takes no address")
    func dryRunsLeaveNothing() async throws {
        let test = try await TestServer()
        let revision = test.log.revision
        let service: JSON = ["metadata": ["name": "s"], "spec": ["ports": [["port": 80]], "clusterIP": "10.96.0.77"]]
        let services = "/api/v1/namespaces/default/services"
        for _ in 0..<2 {
            let answer = await test.send("POST", "\(services)?dryRun=All", service)
            #expect(answer.status == 201)
            #expect(answer.json[path: "spec", "clusterIP"] == "10.96.0.77")
        }
        #expect(test.log.revision == revision)
        #expect(await test.send("POST", services, service).status == 201)
    }

    @Test("an address is one Service's at a time and free again after it")
    func addressesAreExclusive() async throws {
        let test = try await TestServer()
        let services = "/api/v1/namespaces/default/services"
        func service(_ name: String) -> JSON {
            ["metadata": ["name": .string(name)], "spec": ["ports": [["port": 80]], "clusterIP": "10.96.0.9"]]
        }
        #expect(await test.send("POST", services, service("a")).status == 201)
        let second = await test.send("POST", services, service("b"))
        #expect(second.status == 422)
        #expect(second.message.contains("provided IP is already allocated"))
        #expect(await test.send("DELETE", "\(services)/a").status == 200)
        #expect(await test.send("POST", services, service("b")).status == 201)
        // A server over the same log knows what is taken.
        let again = try KubernetesServer(log: test.log, clock: WallClock { Timestamp(seconds: 1_800_000_000) })
        let body = KubeObject(StoredJSON.typed(service("c"), .services))
        var third = body
        third.json.set("default", at: ["metadata", "namespace"])
        await #expect(throws: Failure.self) { try await again.api.create(third, as: .services) }
    }

    @Test("a Service that would need UDP forwarded is refused with the reason, a headless one is not")
    func datagramsAreRefused() async throws {
        let test = try await TestServer()
        let services = "/api/v1/namespaces/default/services"
        let ports: JSON = [["port": 53, "protocol": "UDP"]]
        let refused = await test.send("POST", services, ["metadata": ["name": "a"], "spec": ["ports": ports]])
        #expect(refused.status == 422)
        #expect(refused.message.contains("spec.ports[0].protocol: Forbidden: this cluster forwards TCP only"))
        let headless: JSON = ["metadata": ["name": "b"], "spec": ["ports": ports, "clusterIP": "None"]]
        #expect(await test.send("POST", services, headless).status == 201)
    }

    @Test("concurrent patches of one object all take effect")
    func patchesRetry() async throws {
        let test = try await TestServer()
        _ = await test.send("POST", Self.maps, ["metadata": ["name": "a"]])
        let statuses = await withTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask {
                    await test.send(
                        "PATCH",
                        "\(Self.maps)/a",
                        ["data": ["k\(number)": "v"]],
                        contentType: "application/merge-patch+json"
                    ).status
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 8))
        #expect(await test.send("GET", "\(Self.maps)/a").json["data"]?.object?.count == 8)
    }

    @Test("a claim without a class gets the default one")
    func defaultStorageClass() async throws {
        let test = try await TestServer()
        let mark: JSON = ["storageclass.kubernetes.io/is-default-class": "true"]
        _ = await test.send(
            "POST",
            "/apis/storage.k8s.io/v1/storageclasses",
            ["metadata": ["name": "local", "annotations": mark], "provisioner": "x.io/p"]
        )
        let claims = "/api/v1/namespaces/default/persistentvolumeclaims"
        let spec: JSON = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
        let claim = await test.send("POST", claims, ["metadata": ["name": "c"], "spec": spec]).json
        #expect(claim[path: "spec", "storageClassName"] == "local")
        var without = spec
        without["storageClassName"] = ""
        let other = await test.send("POST", claims, ["metadata": ["name": "d"], "spec": without]).json
        #expect(other[path: "spec", "storageClassName"] == "")
    }

    @Test("both groups of events show the same event under their own names")
    func eventsHaveTwoForms() async throws {
        let test = try await TestServer()
        let event: JSON = [
            "metadata": ["name": "e"], "eventTime": "2027-01-15T08:00:00.000000Z", "note": "hello", "reason": "R",
            "reportingController": "x.io/c", "reportingInstance": "i", "action": "A", "type": "Normal",
            "regarding": ["kind": "Pod", "name": "p", "namespace": "default"],
        ]
        let path = "/apis/events.k8s.io/v1/namespaces/default/events"
        let made = await test.send("POST", path, event)
        #expect(made.status == 201)
        #expect(made.json["note"] == "hello")
        let core = await test.send("GET", "/api/v1/namespaces/default/events/e").json
        #expect(core["message"] == "hello")
        #expect(core[path: "involvedObject", "name"] == "p")
        #expect(core["reportingComponent"] == "x.io/c")
        #expect(await test.send("GET", path).json["items"]?[0]?["note"] == "hello")
    }
}
