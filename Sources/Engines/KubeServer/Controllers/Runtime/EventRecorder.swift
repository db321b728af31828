// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Logging
import Model
import Ports
import Synchronization
import Telemetry

/// Writes `Event` objects beside the controllers' work; a repeated one becomes a higher count, as client-go does it.
///
/// `record` never waits. When too many events wait to be written, the newest are dropped: events inform, nothing depends
/// on them.
final class EventRecorder: Sendable {
    enum Severity: String, Sendable { case normal = "Normal", warning = "Warning" }

    struct Notice: Sendable, Hashable {
        var component: String
        var regarding: JSON
        var severity: String
        var reason: String
        var message: String
    }

    private struct Entry {
        var notice: Notice
        var version: String
        var time: Timestamp
    }

    private struct Known {
        var name: String
        var count: Int
    }

    private let api: any ClusterAPI
    private let clock: WallClock
    private let telemetry: Telemetry
    private let queue: AsyncStream<Entry>
    private let input: AsyncStream<Entry>.Continuation

    private static let queueLimit = 1000
    private static let knownLimit = 4096

    init(api: any ClusterAPI, clock: WallClock, telemetry: Telemetry) {
        self.api = api
        self.clock = clock
        self.telemetry = telemetry
        (queue, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.queueLimit))
    }

    func record(
        _ severity: Severity,
        _ reason: String,
        _ message: String,
        on object: KubeObject,
        by component: String
    ) {
        let notice = Notice(
            component: component,
            regarding: object.eventReference,
            severity: severity.rawValue,
            reason: reason,
            message: String(message.prefix(1024))
        )
        input.yield(Entry(notice: notice, version: object.resourceVersion.text, time: clock.now))
    }

    /// Writes what is recorded until the task is cancelled.
    func run() async {
        var known: [Notice: Known] = [:]
        var stamp: Int64 = 0  // part of the event's name, so never the same twice
        for await entry in queue {
            stamp = max(stamp + 1, Int64(clamping: entry.time.nanoseconds))
            do {
                known[entry.notice] = try await write(entry, stamp: stamp, known[entry.notice])
            } catch {
                known[entry.notice] = nil
                telemetry.log.debug(
                    "event not written",
                    metadata: ["reason": "\(entry.notice.reason)", "error": "\(error)"]
                )
            }
            if known.count > Self.knownLimit { known.removeAll(keepingCapacity: true) }
        }
    }

    private func write(_ entry: Entry, stamp: Int64, _ known: Known?) async throws -> Known {
        let (notice, time) = (entry.notice, entry.time)
        let namespace = notice.regarding["namespace"]?.string ?? "default"
        if var known {
            known.count += 1
            let patch: JSON = ["count": JSON(known.count), "lastTimestamp": .string(time.description)]
            let reference = ObjectReference(.events, namespace: namespace, name: known.name)
            do {
                _ = try await api.patch(reference, .merge, patch)
                return known
            } catch let failure as Failure where failure.code == .notFound {}  // outlived its time: write a new one
        }
        let name = "\(notice.regarding["name"]?.string ?? "").\(String(stamp, radix: 16))"
        var event = KubeObject(.events, namespace: namespace, name: name)
        var regarding = notice.regarding
        regarding["resourceVersion"] = .string(entry.version)
        event["involvedObject"] = regarding
        event["reason"] = .string(notice.reason)
        event["message"] = .string(notice.message)
        event["type"] = .string(notice.severity)
        event["count"] = 1
        event["firstTimestamp"] = .string(time.description)
        event["lastTimestamp"] = .string(time.description)
        event["source"] = ["component": .string(notice.component)]
        event["reportingComponent"] = .string(notice.component)
        event["reportingInstance"] = ""
        _ = try await api.create(event, as: .events)
        return Known(name: name, count: 1)
    }
}

extension KubeObject {
    /// How an event names what it is about.
    var eventReference: JSON {
        var reference: JSON = ["kind": .string(kind)]
        if let namespace { reference["namespace"] = .string(namespace) }
        reference["name"] = .string(name)
        reference["uid"] = .string(uid)
        reference["apiVersion"] = .string(apiVersion)
        return reference
    }
}
