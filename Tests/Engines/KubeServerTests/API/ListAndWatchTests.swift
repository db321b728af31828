// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Testing

@testable import KubeServer

struct ListAndWatchTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    private func fill(_ test: TestServer, _ count: Int) async {
        for number in 0..<count {
            _ = await test.send(
                "POST",
                Self.maps,
                ["metadata": ["name": "m\(number)", "labels": ["even": number % 2 == 0 ? "yes" : "no"]]]
            )
        }
    }

    /// Lets an hour pass; the log notes the time with a write now and then.
    private func forgetHistory(_ test: TestServer) async throws {
        for pause in [60, 3600] {
            test.now.value = test.now.value + .seconds(pause)
            _ = await test.send("POST", "/api/v1/namespaces", ["metadata": ["name": "after-\(pause)"]])
        }
        try await test.log.compact()
    }

    private func names(_ list: JSON) -> [String] {
        (list["items"]?.array ?? []).compactMap { $0[path: "metadata", "name"]?.string }
    }

    @Test("all pages of a list show the revision of the first")
    func pagesShareARevision() async throws {
        let test = try await TestServer()
        await fill(test, 5)
        let first = await test.send("GET", "\(Self.maps)?limit=2").json
        #expect(names(first) == ["m0", "m1"])
        #expect(first[path: "metadata", "remainingItemCount"] == 3)
        _ = await test.send("DELETE", "\(Self.maps)/m3")
        _ = await test.send("POST", Self.maps, ["metadata": ["name": "m25"]])
        let token = first[path: "metadata", "continue"]?.string ?? ""
        let rest = await test.send("GET", "\(Self.maps)?limit=10&continue=\(token)").json
        #expect(names(rest) == ["m2", "m3", "m4"])
        #expect(rest[path: "metadata", "resourceVersion"] == first[path: "metadata", "resourceVersion"])
        #expect(rest[path: "metadata", "continue"] == nil)
    }

    @Test("pages of a selection are full and count no remainder")
    func selectedPages() async throws {
        let test = try await TestServer()
        await fill(test, 9)
        let first = await test.send("GET", "\(Self.maps)?limit=2&labelSelector=even%3Dyes").json
        #expect(names(first) == ["m0", "m2"])
        #expect(first[path: "metadata", "remainingItemCount"] == nil)
        let token = first[path: "metadata", "continue"]?.string ?? ""
        let rest = await test.send("GET", "\(Self.maps)?limit=9&labelSelector=even%3Dyes&continue=\(token)").json
        #expect(names(rest) == ["m4", "m6", "m8"])
    }

    @Test("a page whose revision is forgotten is Expired, and offers to go on at the newest")
    func expiredPages() async throws {
        let test = try await TestServer()
        await fill(test, 3)
        let first = await test.send("GET", "\(Self.maps)?limit=1").json
        let token = first[path: "metadata", "continue"]?.string ?? ""
        try await forgetHistory(test)
        let expired = await test.send("GET", "\(Self.maps)?limit=1&continue=\(token)")
        #expect(expired.status == 410)
        #expect(expired.json["reason"] == "Expired")
        let fresh = expired.json[path: "metadata", "continue"]?.string ?? ""
        let rest = await test.send("GET", "\(Self.maps)?limit=9&continue=\(fresh)").json
        #expect(names(rest) == ["m1", "m2"])
    }

    @Test("a watch from forgotten history is one ERROR event with 410")
    func expiredWatches() async throws {
        let test = try await TestServer()
        await fill(test, 2)
        try await forgetHistory(test)
        let answer = await test.send("GET", "\(Self.maps)?watch=1&resourceVersion=1&timeoutSeconds=2")
        #expect(answer.status == 200)
        let events = try await read(answer)
        #expect(events.count == 1)
        #expect(events.first?["type"] == "ERROR")
        #expect(events.first?[path: "object", "code"] == 410)
        #expect(events.first?[path: "object", "reason"] == "Expired")
    }

    private func read(_ answer: APIResponse, until isEnd: (JSON) -> Bool = { _ in false }) async throws -> [JSON] {
        guard case .stream(let stream) = answer.body else { return [] }
        var events: [JSON] = []
        for try await chunk in stream {
            for line in chunk.split(separator: UInt8(ascii: "\n")) {
                let event = try JSON(parsing: line)
                events.append(event)
                if isEnd(event) { return events }
            }
        }
        return events
    }

    @Test("a watch list ends its first part with an annotated bookmark")
    func initialEvents() async throws {
        let test = try await TestServer()
        await fill(test, 3)
        let query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        let answer = await test.send("GET", "\(Self.maps)?\(query)")
        let events = try await read(answer) { $0["type"] == "BOOKMARK" }
        #expect(events.map { $0["type"] } == ["ADDED", "ADDED", "ADDED", "BOOKMARK"])
        let metadata = events.last?[path: "object", "metadata"]
        #expect(metadata?["annotations"] == ["k8s.io/initial-events-end": "true"])
        #expect(metadata?["resourceVersion"]?.string == test.log.revision.description)
    }

    @Test("an object that enters and leaves a selection is added and deleted")
    func selectionsInWatches() async throws {
        let test = try await TestServer()
        let api = test.server.api
        let start = ResourceVersion(test.log.revision.description)
        let query = ListQuery(.configMaps, namespace: "default", labelSelector: LabelSelector(matching: ["on": "yes"]))
        let watch = try await api.watch(query, after: start)
        let reference = ObjectReference(.configMaps, namespace: "default", name: "a")
        _ = try await api.create(KubeObject(.configMaps, namespace: "default", name: "a"), as: .configMaps)
        for value in ["yes", "no", "yes"] {
            _ = try await api.patch(reference, .merge, ["metadata": ["labels": ["on": .string(value)]]])
        }
        try await api.delete(reference)
        var seen: [String] = []
        for try await event in watch {
            switch event {
            case .added: seen.append("added")
            case .modified: seen.append("modified")
            case .deleted(let object): seen.append("deleted \(object.labels["on"] ?? "")")
            case .bookmark: continue
            }
            if seen.count == 4 { break }
        }
        #expect(seen == ["added", "deleted yes", "added", "deleted yes"])
    }

    @Test("a watch ends when its time is up")
    func watchesTimeOut() async throws {
        let test = try await TestServer()
        let answer = await test.send(
            "GET",
            "\(Self.maps)?watch=1&timeoutSeconds=1&resourceVersion=\(test.log.revision)"
        )
        #expect(try await read(answer).isEmpty)
    }

    @Test("a watch of a table names its columns once")
    func tableWatches() async throws {
        let test = try await TestServer()
        await fill(test, 2)
        let answer = await test.send(
            "GET",
            "\(Self.maps)?watch=1",
            accept: "application/json;as=Table;v=v1;g=meta.k8s.io"
        )
        let count = Mutexed(0)
        let events = try await read(answer) { _ in
            count.value += 1
            return count.value == 2
        }
        #expect(events.first?[path: "object", "columnDefinitions"]?.array?.count == 3)
        #expect(events.last?[path: "object", "columnDefinitions"] == .null)
    }

    @Test(
        "a label selector that is none is refused with the parser's words",
        arguments: [
            ("a b c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=", nil), ("a,!b,c in (x,y),d notin (z),e!=f,g>1", nil), ("in", nil),
            ("a in x", "unable to parse requirement: found 'x' expected: '('"),
            ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            (
                "a>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be "
                    + "an integer"
            ), ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("!a!", "found '!', expected: ',' or 'end of string'"),
            (",", "found ',', expected: !, identifier, or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
        ]
    )
    func labelSelectors(text: String, problem: String?) throws {
        do {
            _ = try LabelSelectorText.parse(text)
            #expect(problem == nil)
        } catch {
            #expect(error.message == problem)
        }
    }

    @Test("field selectors unescape their values")
    func fieldSelectors() throws {
        let selector = try FieldSelector(parsing: #"a.b=x\,y,c!=d"#)
        #expect(
            selector.terms == [
                .init(field: "a.b", value: "x,y", isEqual: true), .init(field: "c", value: "d", isEqual: false),
            ]
        )
        #expect(throws: KubeStatus.self) { try FieldSelector(parsing: "nothing") }
    }
}
