// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What one key demands of another: rules that no shape of a single value can state.
enum AppRules {
    static func complaints(about app: App, _ document: YAMLValue, in file: String) -> [Complaint] {
        var complaints: [Complaint] = []
        let deploy = document["spec"]?["deploy"]
        func complain(_ value: YAMLValue?, _ key: String, _ message: String) {
            complaints.append(Complaint(file: file, line: value?.line ?? document.line, key: key, message: message))
        }
        repeats(app.deploy.ports.map(\.name), "spec.deploy.ports", "port", deploy?["ports"], complain)
        repeats(app.deploy.volumes.map(\.name), "spec.deploy.volumes", "volume", deploy?["volumes"], complain)
        repeats(app.tests.map(\.name), "spec.test", "test step", document["spec"]?["test"], complain)
        repeats(
            app.deploy.volumes.map(\.mountPath) + app.deploy.files.map(\.mountPath),
            "spec.deploy",
            "mount path",
            deploy,
            complain
        )
        let ports = app.deploy.ports.map(\.name)
        func demandPort(_ name: String?, _ value: YAMLValue?, _ key: String) {
            if let name, !ports.contains(name) {
                complain(
                    value,
                    key,
                    "there is no port '\(name)' in spec.deploy.ports" + NearestName.hint(for: name, among: ports)
                )
            } else if name == nil, ports.isEmpty {
                complain(value, key, "needs a port, and spec.deploy.ports has none")
            }
        }
        for (name, probe) in app.deploy.probes.sorted(by: { $0.key < $1.key }) {
            if case .exec = probe.check { continue }
            demandPort(probe.port, deploy?["probes"]?[name], "spec.deploy.probes.\(name)")
        }
        for (place, route) in app.routes.enumerated() {
            demandPort(route.port, document["spec"]?["routes"], "spec.routes[\(place)]")
        }
        if let port = document["spec"]?["metrics"]?["port"], let name = port.json.string {
            demandPort(name, port, "spec.metrics.port")
        }
        if let overrides = deploy?["overrides"], case .mapping(let members) = overrides.content {
            let clusters = app.deploy.waves.flatMap { $0.map(\.text) }
            for member in members where !clusters.contains(member.key) {
                let hint = NearestName.hint(for: member.key, among: clusters)
                complain(
                    member.value,
                    "spec.deploy.overrides.\(member.key)",
                    "no such cluster in spec.deploy.clusters\(hint)"
                )
            }
        }
        return complaints
    }

    private static func repeats(
        _ names: [String],
        _ key: String,
        _ what: String,
        _ value: YAMLValue?,
        _ complain: (YAMLValue?, String, String) -> Void
    ) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            complain(value, key, "the \(what) '\(name)' is given more than once")
        }
    }
}
