// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import TestKit

@testable import KubeServer

/// Sends the recorded requests of a real server to ours, and compares the answers.
///
/// What differs from run to run (uids, resource versions, generated names, addresses) is matched up: the same recorded
/// value must always meet the same value of ours, and later requests carry ours in its place.
final class TranscriptReplay {
    struct Step: Sendable {
        var scenario: String
        var place: Int
        var json: JSON
    }

    private let test: TestServer
    /// Recorded texts and what stands for them here.
    private var texts: [String: String] = [:]
    private var versions: [String: String] = [:]
    private var prepared: Set<String> = []

    init() async throws {
        let signer = HashSigner()
        test = try await TestServer(signer: signer) {
            $0.refusesUnsupportedPods = false
            $0.warnsOfUnservedIngresses = false
            // The recorded server ran without that admission, too.
            $0.refusesUDPServices = false
            $0.requiresServiceAccounts = false
            $0.settlesDefaultRoles = true
            $0.listedTokens = ["devtoken": APIUser(name: "dev", groups: [], uid: "2")]
            $0.tokenIssuer = "https://kubernetes.default.svc"
        }
    }

    func check(_ step: Step) async throws {
        try await TranscriptFixtures.prepare(step, test, &prepared, remember)
        if let watch = step.json["watch"] { return try await checkWatch(watch, step) }
        let request = step.json["request"] ?? [:]
        let answer = await send(request)
        let status = step.json["status"]?.int ?? 0
        let expected = step.json["response"] ?? .null
        if status == 500, answer.status >= 400 {
            // The real server fails where it should refuse; its words are right all the same.
            return try requireEqual(answer.message, translated(expected["message"]?.string ?? ""), "message")
        }
        guard answer.status == status else {
            throw ConformanceMismatch("status \(answer.status) instead of \(status): \(answer.json.text.prefix(600))")
        }
        try compare(expected, answer.json, at: "")
        try checkHeaders(step, answer)
    }

    private func checkHeaders(_ step: Step, _ answer: APIResponse) throws {
        let wanted = (step.json["warnings"]?.array ?? []).compactMap(\.string)
        let given = answer.warnings.map { text in
            "299 - \"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
        }
        try requireEqual(given, wanted, "warnings")
        guard let type = step.json["contentType"]?.string else { return }
        try requireEqual(answer.contentType, type, "content type")
    }

    private func remember(_ recorded: String, _ ours: String) {
        if Int(recorded) == nil { texts[recorded] = ours } else { versions[recorded] = ours }
    }

    private func send(_ request: JSON) async -> APIResponse {
        let token: String? =
            switch request["user"]?.string {
            case "dev": "devtoken"
            case "bad": "badtoken"
            default: nil
            }
        let user: APIUser? = request["user"]?.string == "none" || token != nil ? nil : TestServer.admin
        let bytes: [UInt8] =
            switch request["body"] {
            case .string(let text)?: TranscriptFixtures.body(text)
            case let body? where !body.isNull: substituted(body).bytes
            default: []
            }
        return await test.send(
            request["method"]?.string ?? "GET",
            path(request["path"]?.string ?? ""),
            bytes: bytes,
            contentType: request["contentType"]?.string ?? "",
            accept: request["accept"]?.string ?? "application/json",
            user: user,
            bearer: token
        )
    }

    /// The path with our versions, names and continuations in it.
    private func path(_ recorded: String) -> String {
        var path = translated(recorded)
        if let start = path.firstRange(of: "resourceVersion=")?.upperBound {
            let number = path[start...].prefix { $0.isNumber }
            if let ours = version(String(number)) { path.replaceSubrange(start..<number.endIndex, with: ours) }
        }
        return path
    }

    private func version(_ recorded: String) -> String? { versions[recorded] }

    private func translated(_ text: String) -> String {
        texts.reduce(text) { $1.key.count > 7 ? $0.replacing($1.key, with: $1.value) : $0 }
    }

    private func substituted(_ json: JSON, key: String = "") -> JSON {
        switch json {
        case .string(let text): .string(key == "resourceVersion" ? version(text) ?? text : translated(text))
        case .array(let elements): .array(elements.map { substituted($0) })
        case .object(let object):
            // When our objects were created, and when they go, is our own affair.
            .object(
                JSONObject(
                    object.filter { !["creationTimestamp", "deletionTimestamp"].contains($0.key) }.map { member in
                        let isVersion = member.key == "value" && object["path"] == "/metadata/resourceVersion"
                        return (member.key, substituted(member.value, key: isVersion ? "resourceVersion" : member.key))
                    }
                )
            )
        default: json
        }
    }
}

// MARK: - Comparing

extension TranscriptReplay {
    private static let times: Set<String> = [
        "creationTimestamp", "deletionTimestamp", "expirationTimestamp", "lastTransitionTime", "time",
        "lastPhaseTransitionTime",
    ]
    /// Not compared: texts that are the real project's own.
    private static let ignored: Set<String> = ["description"]
    private static let own: Set<String> = ["nodePort", "clusterIP", "clusterIPs", "serverAddress", "continue"]

    private func compare(_ recorded: JSON, _ ours: JSON, at path: String) throws {
        switch (recorded, ours) {
        case (.object(let left), .object(let right)): try compare(left, right, at: path)
        case (.array(let whole), .array(let right)):
            let left = Self.isCatalogue(path) ? Self.known(whole, in: right) : whole
            guard left.count == right.count else {
                throw ConformanceMismatch(
                    "\(path) has \(right.count) elements instead of \(left.count): \(ours.text.prefix(300))"
                )
            }
            for (place, pair) in zip(left, right).enumerated() {
                try compare(pair.0, pair.1, at: "\(path)[\(place)]")
            }
        case (.string(let left), .string(let right)):
            let wanted = translated(left)
            if path.contains(".cells["), Self.isAge(left), Self.isAge(right) { return }
            if path.contains(".cells["), left.hasPrefix("10."), right.hasPrefix("10.") { return }
            guard Self.withoutCurrent(plain(wanted, left)) == Self.withoutCurrent(plain(right, left)) else {
                throw ConformanceMismatch("\(path) is \(right.prefix(900)) instead of \(wanted.prefix(900))")
            }
        default:
            guard recorded == ours else {
                throw ConformanceMismatch("\(path) is \(ours.text.prefix(300)) instead of \(recorded.text.prefix(300))")
            }
        }
    }

    /// A text that quotes a whole object: its times and its resource version are each server's own.
    private func plain(_ text: String, _ recorded: String) -> String {
        guard recorded.contains("managedFields") else { return text }
        return text.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "TIME")
            .replacing(/(resourceVersion[\\"]+:[\\"]+)\d+/) { "\($0.1)N" }
    }

    /// Without the number behind `current: `.
    private static func withoutCurrent(_ text: String) -> Substring {
        text.firstRange(of: "current: ").map { text[..<$0.lowerBound] } ?? text[...]
    }

    /// `5s`, `3m12s`, `326d ago`, or a restart count with such a time behind it.
    private static func isAge(_ text: String) -> Bool {
        let parts = text.split(separator: " ")
        let age = parts.count == 3 && parts[2] == "ago)" ? parts[1].dropFirst() : parts.first ?? ""
        guard let last = age.last, "smhdy".contains(last), age.first?.isNumber == true else { return false }
        return age.allSatisfy { $0.isNumber || "smhdy".contains($0) }
    }

    private func compare(_ recorded: JSONObject, _ ours: JSONObject, at path: String) throws {
        // Owned list elements are members whose names hold the keys.
        let recorded = JSONObject(recorded.map { ($0.key.hasPrefix("k:") ? translated($0.key) : $0.key, $0.value) })
        let names = Set(recorded.keys + ours.keys).subtracting(Self.ignored)
        if let name = recorded["name"]?.string, let mine = ours["name"]?.string, recorded["generateName"] != nil {
            remember(name, mine)
        }
        for name in names.sorted() {
            let place = path.isEmpty ? name : "\(path).\(name)"
            let left = recorded[name]
            let right = ours[name]
            if right == nil, name == "subresources" { continue }  // none of that server's is ours
            if path == "paths", right == nil || left == nil { continue }  // groups that only one of the two serves
            guard let left, let right else {
                let shown = (left ?? right ?? .null).text.prefix(200)
                throw ConformanceMismatch(left == nil ? "\(place) is there: \(shown)" : "\(place) is missing: \(shown)")
            }
            try compareMember(name, left, right, at: place)
        }
    }

    /// Lists of what is served: that server serves more kinds, so only ours are looked at.
    private static func isCatalogue(_ path: String) -> Bool {
        ["resources", "groups", "items", "subresources"].contains { path == $0 || path.hasSuffix(".\($0)") }
    }

    private static func known(_ recorded: [JSON], in ours: [JSON]) -> [JSON] {
        func title(_ entry: JSON) -> JSON? {
            let isEntry = entry["verbs"] != nil || entry["versions"] != nil
            return isEntry ? entry["name"] ?? entry["resource"] ?? entry["subresource"] ?? entry["metadata"] : nil
        }
        let titles = Set(ours.compactMap { title($0) })
        return recorded.filter { entry in title(entry).map { titles.contains($0) } ?? true }
    }

    private func compareMember(_ name: String, _ left: JSON, _ right: JSON, at place: String) throws {
        switch name {
        case "uid", "batch.kubernetes.io/controller-uid", "controller-uid":
            try unify(left.string ?? "", right.string ?? "", place)
        case "resourceVersion":
            try unifyVersion(left.string ?? "", right.string ?? "", place)
        case "serverRelativeURL":
            // The hash is of the document, which differs.
            func address(_ json: JSON) -> Substring { (json.string ?? "").prefix { $0 != "?" } }
            try requireEqual(address(right), address(left), place)
        // The recorder has hidden the token.
        case "token" where left == "...": try requireEqual(right.string?.isEmpty, false, place)
        case _ where Self.times.contains(name) && left.string != nil && right.string != nil: return
        case _ where Self.own.contains(name) && left != "None" && left != ["None"]:
            if let left = left.string, let right = right.string { remember(left, right) }
            if let left = left[0]?.string, let right = right[0]?.string { remember(left, right) }
        default: try compare(left, right, at: place)
        }
    }

    private func unify(_ left: String, _ right: String, _ place: String) throws {
        if let known = texts[left], known != right {
            throw ConformanceMismatch("\(place) is \(right) where it was \(known) before")
        }
        texts[left] = right
    }

    /// A list's own version moves with every write anywhere, so only objects' are held to it.
    private func unifyVersion(_ left: String, _ right: String, _ place: String) throws {
        guard place != "metadata.resourceVersion" || versions[left] == nil else { return }
        if let known = versions[left], known != right {
            throw ConformanceMismatch("\(place) is \(right) where it was \(known) before")
        }
        versions[left] = right
    }
}

// MARK: - Watches

extension TranscriptReplay {
    private func checkWatch(_ watch: JSON, _ step: Step) async throws {
        var request = watch
        request["method"] = "GET"
        let separator = (watch["path"]?.string ?? "").contains("?") ? "&" : "?"
        let path = "\(watch["path"]?.string ?? "")\(separator)allowWatchBookmarks=true"
        request["path"] = .string(path)
        let answer = await send(request)
        for action in step.json["during"]?.array ?? [] { _ = await send(action) }
        let expected = step.json["events"]?.array ?? []
        guard case .stream(let stream) = answer.body else {
            let wanted = expected.first ?? .null
            return try requireEqual(answer.message, wanted["message"]?.string ?? "", "message")
        }
        let events = await collect(stream, isSilent: isFromTheFuture(path))
        try compare(.array(expected), .array(events), at: "events")
    }

    private func isFromTheFuture(_ path: String) -> Bool {
        let parameters = path.split(separator: "?").last?.split(separator: "&") ?? []
        let version = parameters.first { $0.hasPrefix("resourceVersion=") }?.dropFirst("resourceVersion=".count)
        return (version.flatMap { Int64($0) } ?? 0) > test.log.revision.number
    }

    /// Everything up to the first bookmark, which says that nothing more is waiting; of a watch that stays silent what
    /// comes within so many turns.
    private func collect(_ stream: AsyncThrowingStream<[UInt8], any Error>, isSilent: Bool) async -> [JSON] {
        let isDone = Mutexed(false)
        let log = test.log
        return await withTaskGroup(of: [JSON]?.self) { group in
            group.addTask {
                var events: [JSON] = []
                do {
                    for try await chunk in stream {
                        for line in chunk.split(separator: UInt8(ascii: "\n")) {
                            guard let event = try? JSON(parsing: line) else { continue }
                            if event["type"] == "BOOKMARK" {
                                isDone.value = true
                                return events
                            }
                            events.append(event)
                        }
                    }
                } catch {
                    events.append(.string("\(error)"))
                }
                isDone.value = true
                return events
            }
            group.addTask {
                var turns = 0
                while !isDone.value, !isSilent || turns < 20_000 {
                    log.reportProgress()
                    await Task.yield()
                    turns += 1
                }
                return nil
            }
            var events: [JSON] = []
            for await found in group {
                events = found ?? events
                group.cancelAll()
            }
            return events
        }
    }
}
