// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports
import Telemetry

/// Writes `Event` objects: repeated ones are counted on one object, and no pod can flood the API with them.
actor EventRecorder {
    private struct Key: Hashable {
        var uid: String
        var event: String
    }
    private struct Entry {
        var object: KubeObject
        var count: Int
    }
    private struct Allowance {
        var tokens: Double
        var updated: Timestamp
    }
    private struct Item: Sendable {
        var event: PodEvent
        var subject: KubeObject
        var time: Timestamp
    }

    /// Each object may cause this many at once, and one more every five minutes.
    private static let burst = 25.0
    private static let refill = 1.0 / 300
    private static let memory = 1024

    private let api: any ClusterAPI
    private let component: String
    private let host: String
    private let telemetry: Telemetry
    private let queue: AsyncStream<Item>
    private let feed: AsyncStream<Item>.Continuation
    private var entries: [Key: Entry] = [:]
    private var order: [Key] = []
    private var allowances: [String: Allowance] = [:]

    init(api: any ClusterAPI, component: String, host: String, telemetry: Telemetry) {
        self.api = api
        self.component = component
        self.host = host
        self.telemetry = telemetry
        (queue, feed) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000))
    }

    /// Notes an event; it is written soon, in order. With 1000 waiting, further ones are dropped.
    nonisolated func record(_ event: PodEvent, about subject: KubeObject, at time: Timestamp) {
        feed.yield(Item(event: event, subject: subject, time: time))
    }

    /// Writes what is recorded until `finish` or cancellation.
    func run() async {
        for await item in queue { await write(item) }
    }

    /// Lets `run` return once everything recorded so far is written.
    nonisolated func finish() { feed.finish() }

    private func write(_ item: Item) async {
        let key = Key(uid: item.subject.uid, event: "\(item.event)")
        guard isAllowed(item.subject.uid, at: item.time) else { return }
        do {
            if let known = entries[key], try await repeated(known, key, item.time) { return }
            let object = object(item)
            let stored = try await api.create(object, as: .events)
            remember(key, Entry(object: stored, count: 1))
        } catch let failure as Failure where failure.code == .notFound || failure.code == .denied {
            return  // The namespace is gone or going.
        } catch {
            telemetry.emit(NodeTrouble(what: "event not written", subject: item.subject.name, error: error))
        }
    }

    private func repeated(_ known: Entry, _ key: Key, _ time: Timestamp) async throws -> Bool {
        let reference = ObjectReference(.events, namespace: known.object.namespace, name: known.object.name)
        let patch: JSON = ["count": JSON(known.count + 1), "lastTimestamp": .string(time.description)]
        do {
            let stored = try await api.patch(reference, .merge, patch)
            entries[key] = Entry(object: stored, count: known.count + 1)
            return true
        } catch let failure as Failure where failure.code == .notFound {
            return false
        }
    }

    private func remember(_ key: Key, _ entry: Entry) {
        if entries.updateValue(entry, forKey: key) == nil { order.append(key) }
        guard order.count > Self.memory else { return }
        let forgotten = order.removeFirst()
        entries[forgotten] = nil
        if !order.contains(where: { $0.uid == forgotten.uid }) { allowances[forgotten.uid] = nil }
    }

    private func isAllowed(_ uid: String, at now: Timestamp) -> Bool {
        var allowance = allowances[uid] ?? Allowance(tokens: Self.burst, updated: now)
        let passed = Double((now - allowance.updated).components.seconds)
        allowance.tokens = min(Self.burst, allowance.tokens + passed * Self.refill)
        allowance.updated = passed >= 1 ? now : allowance.updated
        let isAllowed = allowance.tokens >= 1
        if isAllowed { allowance.tokens -= 1 }
        allowances[uid] = allowance
        return isAllowed
    }

    private func object(_ item: Item) -> KubeObject {
        let subject = item.subject
        let namespace = subject.namespace ?? "default"
        let name = "\(subject.name).\(String(UInt64(clamping: item.time.nanoseconds), radix: 16))"
        var event = KubeObject(.events, namespace: namespace, name: name)
        var involved: JSON = [
            "kind": .string(subject.kind), "name": .string(subject.name), "uid": .string(subject.uid),
            "apiVersion": .string(subject.apiVersion), "resourceVersion": .string(subject.resourceVersion.text),
        ]
        if let namespace = subject.namespace { involved["namespace"] = .string(namespace) }
        if let path = item.event.fieldPath { involved["fieldPath"] = .string(path) }
        event["involvedObject"] = involved
        event["reason"] = .string(item.event.reason)
        event["message"] = .string(String(item.event.message.prefix(1024)))
        event["source"] = ["component": .string(component), "host": .string(host)]
        event["firstTimestamp"] = .string(item.time.description)
        event["lastTimestamp"] = .string(item.time.description)
        event["count"] = 1
        event["type"] = .string(item.event.kind.rawValue)
        event["reportingComponent"] = .string(component)
        event["reportingInstance"] = .string(host)
        return event
    }
}
