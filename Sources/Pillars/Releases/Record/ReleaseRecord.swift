// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model
import Ports

/// What a release leaves behind: a numbered `Release` object in the app's namespace of the home cluster.
package struct ReleaseRecord: Sendable {
    package enum Phase: String, Sendable {
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
    }

    package struct StageResult: Sendable {
        package var stage: Stage
        package var started: Timestamp
        package var took: Duration
        package var error: String?
    }

    package var app: AppName
    package var namespace: NamespaceName
    package var number: Int
    package var image: String?
    package var phase = Phase.running
    package var message = ""
    package var started: Timestamp
    package var stages: [StageResult] = []
    package var changes: [String] = []

    package var name: String { "\(app)-\(number)" }

    init(app: App, number: Int, started: Timestamp) {
        self.app = app.name
        self.namespace = app.namespace
        self.number = number
        self.started = started
    }

    /// Reads a stored record; `nil` where the object is none.
    package init?(_ object: KubeObject) {
        guard let app = object.spec["app"]?.string, let number = object.spec["number"]?.int else { return nil }
        self.app = AppName(app)
        self.namespace = NamespaceName(object.namespace ?? "default")
        self.number = number
        image = object.spec["image"]?.string
        phase = object.status["phase"]?.string.flatMap(Phase.init(rawValue:)) ?? .running
        message = object.status["message"]?.string ?? ""
        started =
            object.status["started"]?.string.flatMap { Timestamp($0) } ?? object.creationTimestamp
            ?? Timestamp(seconds: 0)
    }

    static let appLabel = "ballast.dev/app"

    var object: KubeObject {
        var object = KubeObject(
            .releases,
            namespace: namespace.text,
            name: name,
            labels: [Self.appLabel: app.text, "app.kubernetes.io/managed-by": "ballast"]
        )
        object["spec"] = ["app": .string(app.text), "number": JSON(number)]
        return object
    }

    /// The parts that change while the release runs.
    var patch: JSON {
        var status: JSON = [
            "phase": .string(phase.rawValue), "message": .string(message), "started": .string(started.microText),
            "stages": .array(
                stages.map { stage in
                    var json: JSON = [
                        "name": .string(stage.stage.rawValue), "started": .string(stage.started.microText),
                        "milliseconds": JSON(Self.milliseconds(stage.took)),
                    ]
                    if let error = stage.error { json["error"] = .string(error) }
                    return json
                }
            ),
        ]
        if !changes.isEmpty { status["changes"] = .array(changes.prefix(100).map { .string($0) }) }
        return ["status": status]
    }

    static func milliseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)
    }
}

/// Keeps release records in a cluster.
struct ReleaseBook: Sendable {
    let cluster: any ClusterAPI

    /// Opens the next number of the app; two at once get two numbers.
    func open(_ app: App, at now: Timestamp) async throws -> ReleaseRecord {
        var number = try await history(app.name, app.namespace).map(\.number).max() ?? 0
        while true {
            number += 1
            let record = ReleaseRecord(app: app, number: number, started: now)
            do {
                _ = try await cluster.create(record.object, as: .releases)
                try await save(record)
                return record
            } catch let failure as Failure where failure.code == .conflict {
                continue
            }
        }
    }

    func save(_ record: ReleaseRecord) async throws {
        let reference = ObjectReference(.releases, namespace: record.namespace.text, name: record.name)
        if let image = record.image {
            _ = try await cluster.patch(reference, .merge, ["spec": ["image": .string(image)]])
        }
        _ = try await cluster.patch(reference, subresource: "status", .merge, record.patch, options: WriteOptions())
    }

    /// Newest first.
    func history(_ app: AppName, _ namespace: NamespaceName) async throws -> [ReleaseRecord] {
        let query = ListQuery(
            .releases,
            namespace: namespace.text,
            labelSelector: LabelSelector(matching: [ReleaseRecord.appLabel: app.text])
        )
        return try await cluster.list(query).items.compactMap { ReleaseRecord($0) }.sorted { $0.number > $1.number }
    }
}
