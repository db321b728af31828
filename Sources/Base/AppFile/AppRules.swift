// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What one key demands of another: rules that no shape of a single value can state.
struct AppRules {
    let document: YAMLValue
    let file: String
    private(set) var complaints: [Complaint] = []

    static func complaints(about app: App, _ document: YAMLValue, in file: String) -> [Complaint] {
        var rules = AppRules(document: document, file: file)
        rules.checkNames(app)
        rules.checkBuild(app)
        rules.checkDeploy(app, "spec.deploy")
        rules.noneTwice(app.deploy.waves.joined().map(\.text), "cluster", "spec.deploy.clusters")
        for (place, route) in app.routes.enumerated() {
            rules.demandPort(route.port, of: app, "spec.routes[\(place)]\(route.port == nil ? "" : ".port")")
        }
        if let port = document["spec"]?["metrics"]?["port"]?.json.string {
            rules.demandPort(port, of: app, "spec.metrics.port")
        }
        rules.checkOverrides(app)
        return rules.complaints
    }

    init(document: YAMLValue, file: String) {
        self.document = document
        self.file = file
    }

    private mutating func complain(_ key: String, _ message: String) {
        let complaint = Complaint(file: file, line: document.line(of: key), key: key, message: message)
        if !complaints.contains(complaint) { complaints.append(complaint) }
    }

    private mutating func checkNames(_ app: App) {
        noneTwice(app.tests.map(\.name), "test step", "spec.test")
        if !app.deploy.ports.isEmpty, !KubernetesNames.isServiceLabel(app.name.text) {
            complain("metadata.name", "an app with ports gives its name to a Service, so it must start with a letter")
        }
    }

    /// A Containerfile says all of this itself.
    private mutating func checkBuild(_ app: App) {
        guard app.image.build?.containerfile != nil, let build = document["spec"]?["image"]?["build"] else { return }
        for key in ["from", "entrypoint", "command", "env", "workingDirectory", "user"] where build[key] != nil {
            complain("spec.image.build.\(key)", "has no effect beside 'containerfile'; say it in the Containerfile")
        }
    }

    /// `key` is where these settings stand.
    private mutating func checkDeploy(_ app: App, _ key: String) {
        let deploy = app.deploy
        noneTwice(deploy.ports.map(\.name), "port", "\(key).ports")
        noneTwice(deploy.ports.map { "\($0.servicePort)" }, "service port", "\(key).ports")
        noneTwice(deploy.volumes.map(\.name), "volume", "\(key).volumes")
        for (place, (step, next)) in zip(deploy.canary, deploy.canary.dropFirst()).enumerated()
        where next.percent <= step.percent {
            complain("\(key).canary[\(place + 1)].percent", "must be more than the \(step.percent) of the step before")
        }
        if !deploy.canary.isEmpty, !deploy.volumes.isEmpty {
            complain("\(key).canary", "cannot be combined with volumes, which pods of two revisions would share")
        }
        if !deploy.canary.isEmpty, deploy.strategy == "Recreate" {
            complain("\(key).canary", "runs two revisions at once, which strategy 'Recreate' is there to prevent")
        }
        if !deploy.canary.isEmpty, !deploy.before.isEmpty {
            complain("\(key).canary", "cannot be combined with 'before': its pods would run ahead of these jobs")
        }
        noneTwice(deploy.volumes.map(\.mountPath) + deploy.files.map(\.mountPath), "mount path", key)
        for (name, probe) in deploy.probes.sorted(by: { $0.key < $1.key }) {
            let place = "\(key).probes.\(name)"
            if case .exec = probe.check { continue }
            demandPort(probe.port, of: app, place + (probe.port == nil ? "" : ".port"))
            if name != "readiness", let threshold = probe.successThreshold, threshold != 1 {
                complain("\(place).successThreshold", "must be 1 for a \(name) probe")
            }
        }
    }

    /// Each cluster's settings are checked as that cluster gets them.
    private mutating func checkOverrides(_ app: App) {
        guard case .mapping(let members) = document["spec"]?["deploy"]?["overrides"]?.content else { return }
        let clusters = app.deploy.waves.flatMap { $0.map(\.text) }
        let own = complaints.map(\.message)
        for cluster in members.map(\.key) {
            let key = "spec.deploy.overrides.\(cluster)"
            guard clusters.contains(cluster) else {
                complain(
                    key,
                    "no such cluster in spec.deploy.clusters\(NearestName.hint(for: cluster, among: clusters))"
                )
                continue
            }
            var merged = AppRules(document: document, file: file)
            merged.checkDeploy(app.overridden(for: ClusterName(cluster)), key)
            complaints += merged.complaints.filter { !own.contains($0.message) }
        }
    }

    private mutating func demandPort(_ name: String?, of app: App, _ key: String) {
        let ports = app.deploy.ports.map(\.name)
        if let name, !ports.contains(name) {
            complain(key, "there is no port '\(name)' in spec.deploy.ports\(NearestName.hint(for: name, among: ports))")
        } else if name == nil, ports.isEmpty {
            complain(key, "needs a port, and spec.deploy.ports has none")
        }
    }

    private mutating func noneTwice(_ names: [String], _ what: String, _ key: String) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            complain(key, "the \(what) '\(name)' is given more than once")
        }
    }
}
