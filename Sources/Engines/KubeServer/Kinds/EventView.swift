// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Events of `events.k8s.io`: the core group's events under other names.
///
/// They are stored in the core form, so that both groups show the same events.
enum EventView {
    /// The core group's name of a member and the newer one.
    private static let names = [
        ("message", "note"), ("involvedObject", "regarding"), ("reportingComponent", "reportingController"),
        ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ]
    private static let toCore = Dictionary(uniqueKeysWithValues: names.map { ($1, $0) })
    private static let fromCore = Dictionary(uniqueKeysWithValues: names)

    static func stored(_ event: JSON) -> JSON { renamed(event, toCore) }
    static func shown(_ event: JSON) -> JSON { renamed(event, fromCore) }

    private static func renamed(_ event: JSON, _ names: [String: String]) -> JSON {
        guard let object = event.object else { return event }
        return .object(JSONObject(object.map { (names[$0.key] ?? $0.key, $0.value) }))
    }
}

/// How objects look under another group or version than the one they are stored in.
enum StoredView: Sendable {
    case events, autoscalers

    func stored(_ object: JSON) -> JSON {
        switch self {
        case .events: EventView.stored(object)
        case .autoscalers: AutoscalerView.stored(object)
        }
    }

    func shown(_ object: JSON) -> JSON {
        switch self {
        case .events: EventView.shown(object)
        case .autoscalers: AutoscalerView.shown(object)
        }
    }
}

extension CustomVersion {
    /// A stored object as this version's schema sees it.
    fileprivate func shown(_ object: JSON) -> JSON {
        guard var result = (try? schema.decode(object))?.object else { return object }
        schema.setDefaults(&result)
        // What the server keeps about an object is no affair of its schema.
        result["metadata"] = object["metadata"]
        return result
    }
}

extension Resource {
    /// Whether objects are stored in another form than the one this resource shows.
    var isView: Bool { view != nil }

    var view: StoredView? {
        switch type {
        case .eventsV1: .events
        case .horizontalPodAutoscalersV1: .autoscalers
        default: nil
        }
    }

    /// Stored bytes in this resource's own form.
    func shown(_ stored: [UInt8]) -> [UInt8] {
        let convert: (JSON) -> JSON
        if let view {
            convert = view.shown
        } else if let custom, custom.readsAnew {
            convert = custom.shown
        } else {
            return stored
        }
        guard let object = try? StoredJSON.parse(stored, as: nil) else { return stored }
        let version = object[path: "metadata", "resourceVersion"]?.string.flatMap { Int64($0) }
        let body = StoredJSON(convert(object))
        return version.map { body.bytes(at: Revision($0)) } ?? body.bytesWithoutRevision
    }
}
