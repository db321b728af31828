// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// What a watch of one collection reports, before it is put into a client's form.
enum WatchItem: Sendable {
    case added([UInt8])
    case modified([UInt8])
    case deleted([UInt8])
    /// `endsInitial`: everything that was there at the start has been sent.
    case bookmark(Revision, endsInitial: Bool)

    var type: String {
        switch self {
        case .added: "ADDED"
        case .modified: "MODIFIED"
        case .deleted: "DELETED"
        case .bookmark: "BOOKMARK"
        }
    }
}

/// A watch of one collection: turns the log's events into a client's, by its selectors.
///
/// Pulled by its reader, so a slow client costs no memory. An object that leaves the selection is `deleted`, one that
/// enters it `added`.
final class ObjectWatch: Sendable {
    private let selection: Selection
    private let resource: Resource
    private let events: AsyncStream<LogEvent>
    private let wantsBookmarks: Bool
    private let initial: Mutex<[WatchItem]>

    /// `initial` is reported first, in its order.
    init(
        _ resource: Resource,
        _ selection: Selection,
        initial: [WatchItem],
        events: AsyncStream<LogEvent>,
        wantsBookmarks: Bool
    ) {
        self.resource = resource
        self.selection = selection
        self.events = events
        self.wantsBookmarks = wantsBookmarks
        self.initial = Mutex(initial)
    }

    private static let batch = 500

    /// The next items; `nil` at the end, which also comes when history the reader has not seen is gone.
    func next() async -> [WatchItem]? {
        let first = initial.withLock { items -> [WatchItem] in
            defer { items.removeFirst(min(Self.batch, items.count)) }
            return Array(items.prefix(Self.batch))
        }
        if !first.isEmpty { return first }
        while true {
            var iterator = events.makeAsyncIterator()
            guard let event = await iterator.next() else { return nil }
            if let item = item(for: event) { return [item] }
        }
    }

    private func item(for event: LogEvent) -> WatchItem? {
        switch event.kind {
        case .progress: return wantsBookmarks ? .bookmark(event.revision, endsInitial: false) : nil
        case .created: return isSelected(event.value, event.key) ? .added(event.value) : nil
        case .deleted:
            guard let previous = event.previous, isSelected(previous, event.key) else { return nil }
            return .deleted(event.value)
        case .updated:
            let isNow = isSelected(event.value, event.key)
            let wasBefore = event.previous.map { isSelected($0, event.key) } ?? false
            switch (wasBefore, isNow) {
            case (true, true): return .modified(event.value)
            case (false, true): return .added(event.value)
            case (true, false): return .deleted(Self.stamped(event.previous ?? event.value, event.revision))
            case (false, false): return nil
            }
        }
    }

    /// What cannot be read is in no selection.
    private func isSelected(_ value: [UInt8], _ key: String) -> Bool {
        do {
            return try selection.keeps(value, key: key)
        } catch {
            return false
        }
    }

    /// The object as it was, under the revision of the event.
    private static func stamped(_ value: [UInt8], _ revision: Revision) -> [UInt8] {
        guard let object = try? StoredJSON.parse(value, as: nil) else { return value }
        return StoredJSON(object).bytes(at: revision)
    }
}

extension KubernetesServer {
    /// Starts a watch. History that is gone is `Expired`.
    func watch(
        _ resource: Resource,
        _ namespace: String?,
        _ options: ListOptions
    ) throws(KubeStatus) -> ObjectWatch {
        let selection = Selection(resource, namespace, options)
        let prefix = resource.prefix(namespace: namespace)
        let version = options.version ?? 0
        let sendsInitial = options.sendsInitialEvents ?? (version == 0)
        var initial: [WatchItem] = []
        var start = Revision(version)
        if version > log.revision.number, options.sendsInitialEvents == true {
            throw .tooLargeVersion(version, current: log.revision.number, mayCome: true)
        }
        if sendsInitial {
            var all = ListOptions()
            all.labels = options.labels
            all.fields = options.fields
            let page = try page(resource, namespace, all)
            start = page.revision
            initial = page.items.map { .added($0.value) }
            if options.sendsInitialEvents == true, options.wantsBookmarks {
                initial.append(.bookmark(start, endsInitial: true))
            }
        } else if version == 0 {
            start = log.revision
        }
        let events = try changes(prefix, after: start)
        return ObjectWatch(
            resource,
            selection,
            initial: initial,
            events: events,
            wantsBookmarks: options.wantsBookmarks
        )
    }

    private func changes(_ prefix: String, after start: Revision) throws(KubeStatus) -> AsyncStream<LogEvent> {
        do {
            return try log.watch(prefix: prefix, after: start)
        } catch LogError.compacted(let oldest) {
            throw .expired("too old resource version: \(start) (\(oldest))")
        } catch LogError.future {
            return futureChanges(prefix, after: start)
        } catch {
            throw .fault("\(error)")
        }
    }

    /// A version that is not there yet: the real server waits for it in silence, and reports what comes after it.
    private func futureChanges(_ prefix: String, after start: Revision) -> AsyncStream<LogEvent> {
        guard let events = try? log.watch(prefix: prefix, after: log.revision) else {
            return AsyncStream { $0.finish() }
        }
        return AsyncStream {
            while true {
                var iterator = events.makeAsyncIterator()
                guard let event = await iterator.next() else { return nil }
                if event.revision > start { return event }
            }
        }
    }
}
