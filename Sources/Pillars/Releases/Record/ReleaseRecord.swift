// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// What a release leaves behind: a numbered `Release` object in the app's namespace of the home cluster.
///
/// While that namespace does not exist the record is kept in `ballast-system`, so that a first release that fails its tests
/// leaves no namespace behind.
package struct ReleaseRecord: Sendable {
    package enum Phase: String, Sendable {
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        /// Stopped by a person, or ended without a word.
        case interrupted = "Interrupted"
        /// A newer release of the app began meanwhile.
        case superseded = "Superseded"
    }

    package struct StageResult: Sendable {
        package var stage: Stage
        package var started: Timestamp
        package var took: Duration
        package var error: String?
        /// Of the stage `test`, in the order in which they ended.
        package var steps: [StepResult] = []
    }

    package static let systemNamespace = "ballast-system"

    package var app: AppName
    package var namespace: NamespaceName
    package var number: Int
    package var image: String?
    package var phase = Phase.running
    package var message = ""
    package var started: Timestamp
    package var stages: [StageResult] = []
    package var changes: [String] = []
    /// By wave, and in the order of the file within one.
    package var clusters: [ClusterResult]
    /// The release that this one goes back to, where it is a rollback.
    package var rollbackTo: Int?
    /// Who asked for it: "root@desk".
    package var by: String
    /// The commit of the source folder, with "-dirty" where files differ from it.
    package var revision: String?
    /// The newer release that told this one to stop.
    package var supersededBy: Int?
    /// The namespace that the object itself is in.
    var keptIn: String
    var holder: ReleaseHolder?
    /// Tells this run from every other one.
    var run: String
    /// When the holder last said that it is at work.
    var renewed: Timestamp
    /// What was released: the labels and annotations of the App's metadata, and its spec.
    var declaration: JSON

    package var name: String { "\(app)-\(number)" }

    init(_ draft: ReleaseDraft, number: Int, started: Timestamp, keptIn: String, holder: ReleaseHolder, run: String) {
        let app = draft.app
        self.app = app.name
        self.namespace = app.namespace
        self.number = number
        image = draft.image
        rollbackTo = draft.rollbackTo
        by = draft.by
        revision = draft.revision
        clusters = draft.waves.enumerated().flatMap { wave, names in
            names.map { ClusterResult($0, wave: wave + 1) }
        }
        self.started = started
        self.renewed = started
        self.keptIn = keptIn
        self.holder = holder
        self.run = run
        declaration = ["metadata": [:], "spec": app.object.spec]
        for key in ["labels", "annotations"] {
            if let value = app.object.metadata[key] { declaration.set(value, at: ["metadata", key]) }
        }
        if let name = ManifestBook.name(of: app) { declaration["manifests"] = .string(name) }
    }

    /// The clusters by wave.
    package var waves: [[ClusterName]] {
        (1...max(1, clusters.last?.wave ?? 1)).map { wave in clusters.filter { $0.wave == wave }.map(\.cluster) }
    }

    subscript(_ cluster: ClusterName) -> ClusterResult? {
        get { clusters.first { $0.cluster == cluster } }
        set {
            guard let newValue, let place = clusters.firstIndex(where: { $0.cluster == cluster }) else { return }
            clusters[place] = newValue
        }
    }

    /// The app as it was released; `nil` for records that do not hold it.
    var declaredApp: App? {
        guard let spec = declaration["spec"] else { return nil }
        var object = KubeObject(.apps, namespace: namespace.text, name: app.text)
        for (key, value) in declaration["metadata"]?.object ?? [:] { object.json.set(value, at: ["metadata", key]) }
        object["spec"] = spec
        return App(object)
    }
}

extension ReleaseRecord {
    static let appLabel = "ballast.dev/app"
    static let namespaceLabel = "ballast.dev/namespace"
    /// On records that somebody has to look after: those that run, and those that owe clusters something.
    static let openLabel = "ballast.dev/open"

    var isOpen: Bool { phase == .running || clusters.contains { $0.phase == .owing } }

    /// Reads a stored record; `nil` where the object is none.
    package init?(_ object: KubeObject) {
        guard let app = object.spec["app"]?.string, let number = object.spec["number"]?.int else { return nil }
        let (spec, status) = (object.spec, object.status)
        func time(_ key: String) -> Timestamp? { status[key]?.string.flatMap { Timestamp($0) } }
        self.app = AppName(app)
        keptIn = object.namespace ?? "default"
        namespace = NamespaceName(spec["namespace"]?.string ?? keptIn)
        self.number = number
        image = spec["image"]?.string
        holder = ReleaseHolder(spec["holder"])
        run = spec["run"]?.string ?? ""
        declaration = spec["declaration"] ?? [:]
        phase = status["phase"]?.string.flatMap(Phase.init(rawValue:)) ?? .running
        message = status["message"]?.string ?? ""
        started = time("started") ?? object.creationTimestamp ?? Timestamp(seconds: 0)
        renewed = time("renewed") ?? started
        stages = (status["stages"]?.array ?? []).compactMap { StageResult($0) }
        changes = status["changes"]?.array?.compactMap(\.string) ?? []
        rollbackTo = spec["rollbackTo"]?.int
        by = spec["by"]?.string ?? holder?.host ?? ""
        revision = spec["revision"]?.string
        supersededBy = status["supersededBy"]?.int
        clusters = (status["clusters"]?.array ?? []).compactMap { ClusterResult($0) }
        if clusters.isEmpty {
            // Records of before there were several clusters.
            var only = ClusterResult(.local, wave: 1)
            if phase == .succeeded { (only.phase, only.isTouched) = (.succeeded, true) }
            clusters = [only]
        }
    }

    var reference: ObjectReference {
        // Names of several namespaces meet in Ballast's own.
        let isElsewhere = keptIn != namespace.text
        return ObjectReference(.releases, namespace: keptIn, name: isElsewhere ? "\(namespace).\(name)" : name)
    }

    var object: KubeObject {
        var object = KubeObject(
            .releases,
            namespace: keptIn,
            name: reference.name,
            labels: [
                Self.appLabel: app.text, Self.namespaceLabel: namespace.text, "app.kubernetes.io/managed-by": "ballast",
            ].merging(isOpen ? [Self.openLabel: "true"] : [:]) { $1 }
        )
        var spec: JSON = [
            "app": .string(app.text), "namespace": .string(namespace.text), "number": JSON(number), "run": .string(run),
        ]
        if let image { spec["image"] = .string(image) }
        if let holder { spec["holder"] = holder.json }
        spec["by"] = .string(by)
        if let revision { spec["revision"] = .string(revision) }
        if let rollbackTo { spec["rollbackTo"] = JSON(rollbackTo) }
        spec["declaration"] = declaration
        object["spec"] = spec
        return object
    }

    /// The parts that change while the release runs.
    var status: JSON {
        var status: JSON = [
            "phase": .string(phase.rawValue), "message": .string(message), "started": .string(started.microText),
            "renewed": .string(renewed.microText), "stages": .array(stages.map(\.json)),
            "clusters": .array(clusters.map(\.json)),
        ]
        if !changes.isEmpty { status["changes"] = .array(changes.prefix(100).map { .string($0) }) }
        return status
    }

    /// For `-o json`.
    package var json: JSON {
        var json: JSON = [
            "app": .string(app.text), "namespace": .string(namespace.text), "number": JSON(number),
            "image": image.map { .string($0) } ?? .null, "by": .string(by),
        ]
        if let revision { json["revision"] = .string(revision) }
        if let rollbackTo { json["rollbackTo"] = JSON(rollbackTo) }
        for (key, value) in status.object ?? [:] where key != "renewed" { json[key] = value }
        return json
    }
}

/// What a release is opened with.
struct ReleaseDraft: Sendable {
    var app: App
    var waves: [[ClusterName]]
    var by = ""
    var revision: String?
    /// Known at once where it goes back to an earlier release.
    var image: String?
    var rollbackTo: Int?
}

extension ReleaseRecord.StageResult {
    init?(_ json: JSON) {
        guard let stage = json["name"]?.string.flatMap(Stage.init(rawValue:)),
            let started = json["started"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(
            stage: stage,
            started: started,
            took: .milliseconds(json["milliseconds"]?.int ?? 0),
            error: json["error"]?.string,
            steps: (json["steps"]?.array ?? []).compactMap { StepResult($0) }
        )
    }

    var json: JSON {
        let milliseconds = took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000
        var json: JSON = [
            "name": .string(stage.rawValue), "started": .string(started.microText),
            "milliseconds": JSON(Int(milliseconds)),
        ]
        if let error { json["error"] = .string(error) }
        if !steps.isEmpty { json["steps"] = .array(steps.map(\.json)) }
        return json
    }
}
