// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model

/// What a release of a file will do: the app as its cluster gets it, and what is only stored so far.
struct ReleasePlan: Sendable {
    let app: App
    /// The image's name without tag.
    let image: ImageReference
    /// One line each, for a person.
    let notes: [String]
    /// The clusters in their waves.
    let waves: [[ClusterName]]
    private let file: AppFile

    /// Throws `invalidInput` with every key that cannot be honoured yet, one a line, before anything is done.
    init(_ file: AppFile, to: [ClusterName] = []) throws {
        var check = SupportCheck(file: file)
        check.run()
        app = file.app.overridden(for: .local)
        self.file = file
        let known = file.app.deploy.waves.joined()
        if let stranger = to.first(where: { !known.contains($0) }) {
            let hint = NearestName.hint(for: stranger.text, among: known.map(\.text))
            check.refuse("spec.deploy.clusters", "does not name the cluster '\(stranger)' of --to\(hint)")
        }
        waves = file.app.deploy.waves.map { $0.filter { to.isEmpty || to.contains($0) } }.filter { !$0.isEmpty }
        let image = ImageReference(app.image.repository)
        if image == nil { check.refuse("spec.image.repository", "'\(app.image.repository)' is no image repository") }
        guard check.complaints.isEmpty, let image else {
            throw Failure(.invalidInput, check.complaints.map(\.description).joined(separator: "\n"))
        }
        self.image = image
        notes = check.notes
    }

    /// Whether nodes are to pull from the embedded registry by the name that app files have for it.
    var usesOwnRegistry: Bool {
        let image = file.app.image
        return ImageReference(image.use ?? image.repository)?.registry == App.Image.embeddedRegistry
            && (image.use != nil || image.pullHost == nil)
    }

    func refusal(ofOwnRegistryFor others: [ClusterName]) -> Failure {
        let (key, verb) = file.app.image.use == nil ? ("repository", "push to") : ("use", "name")
        let message =
            "'\(App.Image.embeddedRegistry)' is the registry of this machine, from which \(ReleaseWords.list(others)) cannot pull; \(verb) one that all clusters reach, or release to 'local' alone by --to"
        let place = "spec.image.\(key)"
        let line = file.document.line(of: place)
        let complaint = Complaint(file: file.path, line: line, key: place, message: message)
        return Failure(.invalidInput, complaint.description)
    }

    /// Throws `notFound` with the place of each cluster that is not `known`.
    func demand(_ names: [ClusterName], among known: [String]) throws {
        let strangers = names.filter { !known.contains($0.text) }
        guard !strangers.isEmpty else { return }
        let key = "spec.deploy.clusters"
        let lines = strangers.map { name in
            let hint = NearestName.hint(for: name.text, among: known)
            let message = "the cluster '\(name)' is not known\(hint); 'ballast clusters add \(name)' makes it so"
            return Complaint(file: file.path, line: file.document.line(of: key), key: key, message: message).description
        }
        throw Failure(.notFound, lines.joined(separator: "\n"))
    }
}

extension ReleasePlan {
    /// Throws `invalidInput` where the image would go to the registry of an `up`, since none runs.
    func demandRegistry() throws {
        guard app.image.build != nil, app.object.spec["image"]?["repository"] == nil else { return }
        let message =
            "'repository' is missing: by default it is the registry of 'ballast up', and none is the home cluster here; name one that the nodes reach"
        let line = file.document.line(of: "spec.image")
        throw Failure(
            .invalidInput,
            Complaint(file: file.path, line: line, key: "spec.image", message: message).description
        )
    }
}

/// Finds keys that a person would expect to act, and that do not act yet.
private struct SupportCheck {
    let file: AppFile
    private(set) var complaints: [Complaint] = []
    private(set) var notes: [String] = []

    init(file: AppFile) { self.file = file }

    private var spec: JSON { file.app.object.spec }

    mutating func refuse(_ key: String, _ message: String) {
        complaints.append(Complaint(file: file.path, line: file.document.line(of: key), key: key, message: message))
    }

    mutating func run() {
        for (place, step) in file.app.tests.enumerated() where step.image != nil {
            refuse(
                "spec.test[\(place)].image",
                "steps in pods come with releases that a server starts; remove the key to run the step on this machine"
            )
        }
        checkImage()
        checkRoutes()
        noteLaterKeys()
    }

    private mutating func checkImage() {
        let image = file.app.image
        if let host = image.pullHost, ImageReference("\(host)/a")?.registry != host {
            refuse(
                "spec.image.pullHost",
                "'\(host)' is no registry host such as registry-vpc.internal or 10.0.0.7:5000"
            )
        }
        if image.use != nil {
            if image.build != nil { refuse("spec.image.use", "stands beside 'build'; keep one of the two") }
            return
        }
        guard let build = image.build else {
            return refuse("spec.image.build", "is missing: say by 'run' and 'files' what goes into the image")
        }
        if build.containerfile == nil, build.base != "scratch", ImageReference(build.base) == nil {
            refuse(
                "spec.image.build.from",
                "'\(build.base)' is no image; write 'scratch', or one such as debian:12-slim"
            )
        }
        checkAlibaba(image)
    }

    /// What is pushed to one instance of Alibaba's registry cannot be pulled from another.
    private mutating func checkAlibaba(_ image: App.Image) {
        guard let pushed = ImageReference(image.repository).flatMap({ AlibabaRegistry(host: $0.registry) }) else {
            return
        }
        if let host = image.pullHost, let pulled = AlibabaRegistry(host: host), !pulled.isSameInstance(as: pushed) {
            let own = pushed.host(on: pulled.network)
            refuse("spec.image.pullHost", "'\(host)' is another instance than the repository's; its own is '\(own)'")
        }
        if pushed.network != .open, image.pullHost == nil {
            let (open, own) = (pushed.host(on: .open), pushed.host(on: pushed.network))
            notes.append(
                "'\(own)' is reached from its private network alone; elsewhere push to '\(open)' and make '\(own)' the pullHost"
            )
        }
    }

    private mutating func checkRoutes() {
        for (place, route) in (spec["routes"]?.array ?? []).enumerated() {
            // Leaving the door open would be no small difference.
            guard let auth = route["auth"]?.string, auth != "none" else { continue }
            refuse(
                "spec.routes[\(place)].auth",
                "'\(auth)' cannot be enforced yet, and the route would be open to all; remove the route, or write 'none'"
            )
        }
    }

    private mutating func noteLaterKeys() {
        note(["spec.metrics", "spec.alerts"], "monitoring")
        note(["spec.logs"], "logs")
        note(["spec.docs"], "runbooks")
        let routes = (spec["routes"]?.array ?? []).indices
        note(
            routes.flatMap { place in
                ["methods", "rateLimit", "timeout", "retries"].map { "spec.routes[\(place)].\($0)" }
            },
            "traffic"
        )
        if isWritten("spec.access") {
            notes.append(
                "spec.access is stored, but not enforced before the traffic pillar is there: every pod may call '\(file.app.name)'"
            )
        }
    }

    /// One line for the keys that one pillar will read.
    private mutating func note(_ keys: [String], _ pillar: String) {
        let written = keys.filter(isWritten)
        guard let last = written.last else { return }
        let (names, verbs) =
            written.count == 1
            ? (last, ("is", "takes")) : (written.dropLast().joined(separator: ", ") + " and \(last)", ("are", "take"))
        notes.append("\(names) \(verbs.0) stored, and \(verbs.1) effect with the \(pillar) pillar")
    }

    private func isWritten(_ key: String) -> Bool {
        var value: JSON? = file.app.object.json
        for part in key.split(whereSeparator: { ".[]".contains($0) }).map(String.init) {
            value = Int(part).map { value?[$0] } ?? value?[part]
        }
        return value != nil
    }
}
