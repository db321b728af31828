// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The events of a namespace by what they tell of, oldest first.
struct ToldEvents {
    private struct Subject: Hashable {
        var kind: String
        var name: String
    }

    private struct Told {
        /// All of one form, so that text order is time order.
        var time: String
        var uid: String?
        var event: RolloutView.Event
    }

    private var bySubject: [Subject: [Told]] = [:]

    init(_ events: [KubeObject]) {
        for event in events {
            let subject = event["involvedObject"] ?? event["regarding"] ?? [:]
            guard let kind = subject["kind"]?.string, let name = subject["name"]?.string else { continue }
            let words = event["message"]?.string ?? event["note"]?.string ?? ""
            bySubject[Subject(kind: kind, name: name), default: []].append(
                Told(
                    time: Self.time(event),
                    uid: subject["uid"]?.string,
                    event: .init(reason: event["reason"]?.string ?? "", message: words)
                )
            )
        }
        for subject in bySubject.keys { bySubject[subject]?.sort { $0.time < $1.time } }
    }

    private static func time(_ event: KubeObject) -> String {
        event[path: "series", "lastObservedTime"]?.string ?? event["lastTimestamp"]?.string
            ?? event["eventTime"]?.string ?? event.metadata["creationTimestamp"]?.string ?? ""
    }

    /// What was told of an object, of no namesake before it; `since` leaves out what is older.
    func of(_ object: KubeObject, since: Timestamp? = nil) -> [RolloutView.Event] {
        let all = bySubject[Subject(kind: object.kind, name: object.name)] ?? []
        return all.filter { told in
            let isOfIt = told.uid == nil || told.uid == "" || object.uid.isEmpty || told.uid == object.uid
            let isNew = since.flatMap { since in Timestamp(told.time).map { $0 >= since } } ?? true
            return isOfIt && isNew
        }.map(\.event)
    }
}
