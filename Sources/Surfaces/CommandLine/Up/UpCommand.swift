// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import ArgumentParser
import Model

/// `ballast up`: everything on this machine, in the foreground.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run a cluster and all of Ballast on this machine, until Ctrl-C."
    )

    @OptionGroup var data: DataFolderOption
    @Flag(help: "Also release the example shop.") var demo = false
    @Option(help: "Where the example shop is.") var demoFolder = "Examples/shop"
    @Option(help: "A number added to every port.") var portOffset = 0
    @Option(help: "The port of the Kubernetes API.") var kubernetesPort = 6443
    @Option(help: "The port of the image registry.") var registryPort = 5000
    @Option(help: "The port of the edge.") var edgePort = 8080

    func validate() throws {
        for (flag, port) in [("kubernetes", kubernetesPort), ("registry", registryPort), ("edge", edgePort)]
        where !(1...65535).contains(port + portOffset) {
            throw ValidationError("--\(flag)-port \(port) with --port-offset \(portOffset) is no port")
        }
    }

    func run() async throws {
        let ports = MachinePorts(
            kubernetes: kubernetesPort + portOffset,
            registry: registryPort + portOffset,
            edge: edgePort + portOffset
        )
        let demos = demo ? ["catalog", "cart", "web"].map { "\(demoFolder)/\($0)" } : []
        try await Compositions.require().up(
            UpOptions(dataFolder: data.path, demo: demos, ports: ports)
        )
    }
}

/// `ballast down`: ends the `up` of a data folder.
struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Stop the 'up' that uses a data folder; all data stays."
    )

    @OptionGroup var data: DataFolderOption

    func run() async throws { try await Compositions.require().down(dataFolder: data.path) }
}
