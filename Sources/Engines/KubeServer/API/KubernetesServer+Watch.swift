// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

extension KubernetesServer {
    /// Without `timeoutSeconds`, a watch lasts this long and up to twice as long.
    private static let watchSeconds = 1800

    func watchResponse(_ call: Call) async throws(KubeStatus) -> APIResponse {
        let encoder = WatchEncoder(call, clock)
        let watch: ObjectWatch
        do {
            watch = try self.watch(call.resource, call.namespace, call.options)
        } catch  where error.code == 410 || error.code == 504 {
            // The stream has begun by then, so the error is an event in it.
            let bytes = encoder.error(error)
            return Self.streaming(
                call,
                AsyncThrowingStream {
                    $0.yield(bytes); $0.finish()
                }
            )
        }
        let seconds =
            call.options.timeoutSeconds.flatMap { $0 > 0 ? min($0, 1 << 31) : nil }
            ?? Self.watchSeconds + randomness.below(Self.watchSeconds)
        let deadline = Deadline(after: .seconds(seconds), on: timer)
        let stream = AsyncThrowingStream<[UInt8], any Error> {
            guard let items = await deadline.race({ await watch.next() }) else { return nil }
            return encoder.bytes(items)
        }
        return Self.streaming(call, stream)
    }

    private static func streaming(_ call: Call, _ stream: AsyncThrowingStream<[UInt8], any Error>) -> APIResponse {
        let type = call.representation.contentType
        return APIResponse(
            status: 200,
            contentType: type == "application/json" ? type : "\(type);stream=watch",
            body: .stream(stream)
        )
    }
}

/// A moment after which waiting ends.
struct Deadline: Sendable {
    private let wait: @Sendable () async -> Void

    init(after duration: Duration, on clock: any Clock<Duration>) {
        wait = Self.waiting(duration, clock)
    }

    private static func waiting<C: Clock<Duration>>(_ duration: Duration, _ clock: C) -> @Sendable () async -> Void {
        let end = clock.now.advanced(by: duration)
        return { try? await clock.sleep(until: end, tolerance: nil) }
    }

    /// What `work` gives, or `nil` once the moment is there; the work is cancelled then.
    func race<Value: Sendable>(_ work: @escaping @Sendable () async -> Value?) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                await wait()
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}

/// Writes watch events as lines of JSON in the form the client asked for.
final class WatchEncoder: Sendable {
    private let call: Call
    private let clock: WallClock
    private let preamble: [UInt8]
    /// A table's columns come with its first event only.
    private let hasSentColumns = Mutex(false)

    init(_ call: Call, _ clock: WallClock) {
        self.call = call
        self.clock = clock
        preamble = StoredJSON.preamble(call.type)
    }

    func bytes(_ items: [WatchItem]) -> [UInt8] {
        var output: [UInt8] = []
        for item in items { append(item, to: &output) }
        return output
    }

    func error(_ status: KubeStatus) -> [UInt8] {
        let event: JSON = ["type": "ERROR", "object": status.json]
        return event.bytes + [UInt8(ascii: "\n")]
    }

    private func append(_ item: WatchItem, to output: inout [UInt8]) {
        output.append(contentsOf: "{\"type\":\"\(item.type)\",\"object\":".utf8)
        switch item {
        case .added(let stored), .modified(let stored), .deleted(let stored): append(stored, to: &output)
        case .bookmark(let revision, let endsInitial): bookmark(revision, endsInitial).write(to: &output)
        }
        output.append(contentsOf: "}\n".utf8)
    }

    private func append(_ stored: [UInt8], to output: inout [UInt8]) {
        guard call.representation.form != .object else {
            return StoredJSON.splice(call.resource.shown(stored), preamble: preamble, to: &output)
        }
        guard let object = try? StoredJSON.parse(stored, as: nil) else {
            return output.append(contentsOf: "null".utf8)
        }
        guard call.representation.form == .table else {
            return KubernetesServer.partial(object, call.representation.version).write(to: &output)
        }
        let isFirst = hasSentColumns.withLock { sent in
            defer { sent = true }
            return !sent
        }
        var table = Table(call, now: clock.now)
        table.showsColumns = isFirst
        let version = object[path: "metadata", "resourceVersion"] ?? ""
        table.json([object], metadata: ["resourceVersion": version]).write(to: &output)
    }

    private func bookmark(_ revision: Revision, _ endsInitial: Bool) -> JSON {
        var metadata: JSON = ["resourceVersion": .string(revision.description)]
        if endsInitial { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        switch call.representation.form {
        case .object:
            return [
                "kind": .string(call.type.kind), "apiVersion": .string(call.type.apiVersion), "metadata": metadata,
            ]
        case .table:
            var table = Table(call, now: clock.now)
            table.showsColumns = false
            return table.json([], metadata: metadata)
        case .partial: return Self.partialBookmark(metadata, call.representation.version)
        }
    }

    private static func partialBookmark(_ metadata: JSON, _ version: String) -> JSON {
        KubernetesServer.partial(["metadata": metadata], version)
    }
}
