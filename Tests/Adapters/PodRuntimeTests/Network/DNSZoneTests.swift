// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import PodRuntime

@Suite("the cluster's names")
struct DNSZoneTests {
    private func ask(_ name: String, _ type: DNSType) throws -> DNSAnswer? {
        DNSFixtures.zone.answer(try #require(DNSName(name)), type)
    }

    private func addresses(_ name: String) throws -> [String] {
        try #require(try ask(name, .a)).records.compactMap {
            if case .address(let address) = $0.data { address.description } else { nil }
        }
    }

    @Test(arguments: [
        ("web.shop.svc.cluster.local", ["10.200.0.7"]), ("WEB.Shop.svc.cluster.local.", ["10.200.0.7"]),
        ("db.shop.svc.cluster.local", ["10.200.16.2", "10.200.16.3"]),
        ("db-0.db.shop.svc.cluster.local", ["10.200.16.2"]),
        ("10-200-16-3.db.shop.svc.cluster.local", ["10.200.16.3"]),
        ("10-200-16-5.shop.pod.cluster.local", ["10.200.16.5"]),
    ])
    func addressesOfServicesAndPods(_ name: String, _ expected: [String]) throws {
        #expect(try addresses(name) == expected)
    }

    @Test(arguments: [
        "nosuch.shop.svc.cluster.local", "web.other.svc.cluster.local", "example.com.shop.svc.cluster.local",
        "bare.shop.svc.cluster.local", "web.cluster.local", "9-9-9-9.shop.pod.cluster.local",
        "x.web.shop.svc.cluster.local",
        "99.16.200.10.in-addr.arpa",
    ])
    func unknownNamesDoNotExistAndSayForHowLong(_ name: String) throws {
        let answer = try #require(try ask(name, .a))
        #expect(answer.code == .noSuchName && answer.records.isEmpty)
        #expect(answer.authority.map(\.type) == [.soa])
    }

    @Test(arguments: [
        ("web.shop.svc.cluster.local", DNSType.aaaa), ("shop.svc.cluster.local", .a), ("svc.cluster.local", .a),
        ("cluster.local", .a), ("_tcp.web.shop.svc.cluster.local", .srv), ("web.shop.svc.cluster.local", .txt),
    ])
    func namesWithoutSuchARecordExistAllTheSame(_ name: String, _ type: DNSType) throws {
        let answer = try #require(try ask(name, type))
        #expect(answer.code == .ok && answer.records.isEmpty && answer.authority.map(\.type) == [.soa])
    }

    @Test func serviceRecordsNamePortsAndBringTheAddresses() throws {
        let web = try #require(try ask("_http._tcp.web.shop.svc.cluster.local", .srv))
        let target = try #require(DNSName("web.shop.svc.cluster.local"))
        #expect(web.records.map(\.data) == [.service(port: 80, target: target)])
        #expect(web.additional.map(\.data) == [.address(try #require(IPv4Address("10.200.0.7")))])
        let db = try #require(try ask("_sql._tcp.db.shop.svc.cluster.local", .srv))
        let hosts = ["10-200-16-3", "db-0"].compactMap { DNSName("\($0).db.shop.svc.cluster.local") }
        #expect(Set(db.records.map(\.data)) == Set(hosts.map { .service(port: 5432, target: $0) }))
        #expect(try ask("web.shop.svc.cluster.local", .srv)?.records.count == 2)
    }

    @Test func addressesLeadBackToNames() throws {
        let service = try #require(try ask("7.0.200.10.in-addr.arpa", .ptr))
        #expect(service.records.map(\.data) == [.pointer(try #require(DNSName("web.shop.svc.cluster.local")))])
        let pod = try #require(try ask("2.16.200.10.in-addr.arpa", .ptr))
        #expect(pod.records.map(\.data) == [.pointer(try #require(DNSName("db-0.db.shop.svc.cluster.local")))])
    }

    @Test(arguments: ["example.com", "1.2.3.4.in-addr.arpa", "cluster.local.example.com", "notcluster.local"])
    func otherNamesAreForOthers(_ name: String) throws { #expect(try ask(name, .a) == nil) }
}

@Suite("name server messages")
struct DNSMessageTests {
    /// Answers any question with one address, and remembers what it was asked.
    private struct Outside: DNSUpstream {
        var reply: @Sendable ([UInt8]) -> [UInt8]?
        func ask(_ message: [UInt8], isStream: Bool) async -> [UInt8]? { reply(message) }
    }

    /// A name server that cuts every datagram, or one that takes no streams.
    private struct Peculiar: DNSUpstream {
        var cuts: Bool
        func ask(_ message: [UInt8], isStream: Bool) async -> [UInt8]? {
            guard cuts || !isStream else { return nil }
            let isCut: UInt8 = isStream || !cuts ? 0 : 2
            let head = Array(message[0..<2]) + [0x81 | isCut, 0x80, 0, 1, 0, isCut == 0 ? 1 : 0, 0, 0, 0, 0]
            let answer: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 55]
            return head + message[12...] + (isCut == 0 ? answer : [])
        }
    }

    @Test(arguments: [true, false]) func aliasesOutsideAreFollowedByDatagramThenByStream(_ cuts: Bool) async throws {
        let resolver = DNSResolver(zone: { DNSFixtures.zone }, upstream: Peculiar(cuts: cuts))
        let question = DNSFixtures.question("far.shop.svc.cluster.local", .a)
        let reply = try #require(await resolver.reply(to: question, isStream: false))
        #expect(count(reply, 1) == 2 && Array(reply.suffix(4)) == [192, 0, 2, 55])
    }

    private func resolver(_ reply: @escaping @Sendable ([UInt8]) -> [UInt8]? = { _ in nil }) -> DNSResolver {
        DNSResolver(zone: { DNSFixtures.zone }, upstream: Outside(reply: reply))
    }

    private func count(_ bytes: [UInt8], _ section: Int) -> Int {
        Int(bytes[4 + 2 * section]) << 8 | Int(bytes[5 + 2 * section])
    }

    @Test func anAnswerRepeatsTheQuestion() async throws {
        let question = DNSFixtures.question("WeB.shop.svc.cluster.local", .a)
        let reply = try #require(await resolver().reply(to: question, isStream: false))
        #expect(reply[0..<2] == question[0..<2])
        #expect(reply[2] == 0x85 && reply[3] == 0x80, "an authoritative answer, recursion wanted and offered")
        #expect(reply[12..<question.count] == question[12..<question.count])
        #expect(count(reply, 1) == 1)
        #expect(Array(reply.suffix(4)) == [10, 200, 0, 7])
    }

    @Test func longAnswersAreCutForDatagramsAndWholeInStreams() async throws {
        let endpoints = (1...100).map { number -> JSON in ["addresses": ["10.200.16.\(number)"]] }
        let zone = DNSZone(
            services: [DNSFixtures.service("many", spec: ["clusterIP": "None"])],
            slices: [DNSFixtures.slice("many", endpoints: .array(endpoints))],
            podSubnet: DNSFixtures.pods,
            serviceSubnet: DNSFixtures.all,
            serial: 1
        )
        let resolver = DNSResolver(zone: { zone }, upstream: Outside { _ in nil })
        for (payload, limit) in [(nil, 512), (UInt16(100), 512), (1232, 1232), (65535, 1232)] as [(UInt16?, Int)] {
            let question = DNSFixtures.question("many.shop.svc.cluster.local", .a, payload: payload)
            let reply = try #require(await resolver.reply(to: question, isStream: false))
            #expect(reply.count <= limit && reply[2] & 0x02 != 0)
            #expect(count(reply, 1) > 5 && count(reply, 1) < 100)
        }
        let question = DNSFixtures.question("many.shop.svc.cluster.local", .a)
        let whole = try #require(await resolver.reply(to: question, isStream: true))
        #expect(whole[2] & 0x02 == 0 && count(whole, 1) == 100)
    }

    @Test func edns0IsAnsweredAndItsFutureVersionsRefused() async throws {
        let question = DNSFixtures.question("web.shop.svc.cluster.local", .a, payload: 4096)
        let reply = try #require(await resolver().reply(to: question, isStream: false))
        #expect(count(reply, 3) == 1 && Array(reply.suffix(11).prefix(3)) == [0, 0, 41])
        var later = question
        later[later.count - 5] = 1
        let refused = try #require(await resolver().reply(to: later, isStream: false))
        #expect(refused[3] & 0x0F == 0 && refused[17] == 1, "BADVERS, in the option's high bits")
    }

    @Test func otherNamesAreAskedOutsideAndFailWhereNobodyAnswers() async throws {
        let question = DNSFixtures.question("example.com", .a)
        let passed = await resolver { $0 + [1, 2, 3] }.reply(to: question, isStream: false)
        #expect(passed == question + [1, 2, 3])
        let failed = try #require(await resolver().reply(to: question, isStream: false))
        #expect(failed[3] & 0x0F == 2)
    }

    @Test func aliasesBringTheirTargetsAddresses() async throws {
        let near = try #require(
            await resolver().reply(to: DNSFixtures.question("near.shop.svc.cluster.local", .a), isStream: false)
        )
        #expect(count(near, 1) == 2 && Array(near.suffix(4)) == [10, 200, 0, 7])
        // The reply from outside uses compressed names, as real ones do.
        let far = try #require(
            await resolver { asked in
                let head = Array(asked[0..<2]) + [0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0] + asked[12...]
                let alias: [UInt8] = [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 6, 3, 0x63, 0x64, 0x6E, 0xC0, 20]
                let cdn = UInt8(head.count + 12)
                return head + alias + [0xC0, cdn, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 55]
            }.reply(to: DNSFixtures.question("far.shop.svc.cluster.local", .a, payload: 1232), isStream: false)
        )
        #expect(count(far, 1) == 3 && count(far, 3) == 1)
        let text = String(decoding: far, as: UTF8.self)
        #expect(text.contains("outside") && text.contains("cdn"))
        #expect(Array(far.dropLast(11).suffix(4)) == [192, 0, 2, 55])
        #expect(
            await resolver().reply(to: DNSFixtures.question("far.shop.svc.cluster.local", .a), isStream: false)?[3]
                == 0x82
        )
    }

    @Test func brokenMessagesNeverHurt() async throws {
        let question = DNSFixtures.question("web.shop.svc.cluster.local", .a, payload: 1232)
        let resolver = resolver()
        for length in 0..<question.count {
            let reply = await resolver.reply(to: Array(question.prefix(length)), isStream: false)
            #expect(length < 12 ? reply == nil : reply?[3] == 1, "\(length) bytes")
        }
        for index in question.indices {
            for bit in 0..<8 {
                var damaged = question
                damaged[index] ^= 1 << bit
                _ = await resolver.reply(to: damaged, isStream: false)
            }
        }
        var answer = question
        answer[2] |= 0x80
        #expect(await resolver.reply(to: answer, isStream: false) == nil, "answers are not answered")
    }

    @Test func repliesFromOutsideThatAreBrokenAreSurvived() async throws {
        let good = DNSFixtures.question("far.shop.svc.cluster.local", .a)
        let name = try #require(DNSName("outside.example.com"))
        var reply = Array(good[0..<2]) + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + name.bytes + [0, 1, 0, 1]
        reply += [0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 55]
        for index in reply.indices {
            for value: UInt8 in [0, 0x3F, 0xC0, 0xFF] {
                var damaged = reply
                damaged[index] = value
                _ = DNSReply.answers(damaged, for: name)
                _ = DNSReply.answers(Array(reply.prefix(index)), for: name)
            }
        }
        #expect(
            DNSReply.answers([0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12], for: name) == nil,
            "a name that leads to itself"
        )
    }
}
