// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import CommandLine
import Foundation
import Glibc
import Model
import Ports

/// The last steps of `ballast up`: Ballast's own resources, the demo, the table of what listens where, and `ready`.
struct Greeting: Sendable {
    let cluster: any ClusterAPI
    let ports: MachinePorts
    let folder: DataFolder
    let nodeName: String

    /// Returns when the node takes pods and the edge takes requests; throws `deadlineExceeded` naming what is missing.
    func awaitMachine(limit: Duration = .seconds(60)) async throws {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while true {
            let missing = await missingParts()
            guard !missing.isEmpty else { return }
            guard clock.now < end else {
                throw Failure(
                    .deadlineExceeded,
                    "\(missing.joined(separator: " and ")) did not come up within \(limit.components.seconds) s; see '\(folder.logs)/ballast.log'"
                )
            }
            try await Task.sleep(for: .milliseconds(25))
        }
    }

    private func missingParts() async -> [String] {
        var missing: [String] = []
        let node = try? await cluster.find(ObjectReference(.nodes, name: nodeName))
        if node?.condition("Ready")?["status"]?.string != "True" { missing.append("the node") }
        if PortHolder.find(port: ports.edge) == nil { missing.append("the edge") }
        return missing
    }

    /// What a person should know, ending in `ready`.
    func say(demoHost: String?) {
        Terminal.result("PORT    WHAT")
        Terminal.result(row(ports.kubernetes, "Kubernetes API (TLS); export KUBECONFIG=\(folder.kubeconfig)"))
        Terminal.result(row(ports.registry, "image registry; app files call it \(App.Image.embeddedRegistry)"))
        Terminal.result(row(ports.edge, "the edge: HTTP traffic into the apps"))
        Terminal.result("data is in \(folder.path)")
        if let demoHost {
            Terminal.result("try: curl -H 'Host: \(demoHost)' http://127.0.0.1:\(ports.edge)/")
        }
        Terminal.result("ready")
    }

    private func row(_ port: Int, _ what: String) -> String {
        String(port) + String(repeating: " ", count: max(1, 8 - String(port).count)) + what
    }
}
