// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// How the one Envoy process of this machine is run.
package struct EnvoyConfiguration: Sendable {
    /// Where a Service of this machine's own answers, instead of pods.
    package struct HostService: Sendable, Hashable {
        package var namespace: String
        package var name: String
        package var address: String
        package var port: Int

        package init(namespace: String, name: String, address: String, port: Int) {
            self.namespace = namespace
            self.name = name
            self.address = address
            self.port = port
        }
    }

    /// The path of the program.
    package var program: String
    /// Where Envoy's files lie, absolute; created where it is missing.
    package var folder: String
    /// Where the access log is written.
    package var logFolder: String
    package var edgeAddress = "127.0.0.1"
    package var edgePort = 8080
    /// Services that lead to this machine: `kubernetes.default` to the API, `ballast.ballast-system` to the intake.
    package var hostServices: [HostService] = []
    /// The node's address, where the ports of Services of type NodePort answer; `nil`: nowhere.
    package var nodeAddress: String?
    /// The pods' subnet, `10.1.2.0/24`: addresses in it are pods' even where the kernel takes them as its own.
    package var podSubnet: String?
    package var threads = 2

    package init(program: String, folder: String, logFolder: String) {
        self.program = program
        self.folder = folder
        self.logFolder = logFolder
    }

    var bootstrapPath: String { "\(folder)/bootstrap.json" }
    /// The watched files have a folder of their own: every rename into it makes Envoy read them.
    var watchedFolder: String { "\(folder)/live" }
    var accessLogPath: String { "\(logFolder)/edge.log" }

    /// A path of a Unix socket has at most 107 bytes; a data folder's may be longer.
    var adminSocket: String {
        let path = "\(folder)/admin.sock"
        guard path.utf8.count > 100 else { return path }
        let hash = path.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return "/run/ballast-envoy-\(String(hash, radix: 16)).sock"
    }
}
