// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// App files of tests whose program is busybox: no compiler, a shell, and an HTTP server.
struct BusyboxApp {
    var name: String
    var namespace = "apps"
    var test = "true"
    var build = "true"
    /// A shell command that the container runs.
    var command: String
    var replicas = 1
    var readiness = "/index.html"
    var deadline = "60s"
    var gracePeriod = "1s"
    var volume: String?
    /// Programs of this machine that the image has, too.
    var programs: [String] = []

    /// Writes the app's folder and returns its path.
    func write(below folder: String) throws -> String {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let more = programs.map { "\n        - { from: \($0), to: \($0), libraries: true }" }.joined()
        let volumes = volume.map { "volumes: [{ name: data, mountPath: \($0), size: 10Mi }]" } ?? "env: {}"
        let file = """
            apiVersion: ballast.dev/v1alpha1
            kind: App
            metadata: { name: \(name), namespace: \(namespace) }
            spec:
              test:
                - { name: unit, run: '\(test)' }
              image:
                repository: localhost:5000/\(namespace)/\(name)
                build:
                  run: '\(build)'
                  files:
                    - { from: /bin/busybox, to: /bin/busybox, libraries: true }
                    - { from: run.sh, to: /run.sh }\(more)
                  entrypoint: [/bin/busybox, sh, /run.sh]
              deploy:
                replicas: \(replicas)
                deadline: \(deadline)
                terminationGracePeriod: \(gracePeriod)
                ports: [{ name: http, port: 8080 }]
                probes: { readiness: { http: \(readiness), period: 1s } }
                \(volumes)
              routes:
                - { hosts: [\(name).localhost], paths: [/] }
            """
        try Data(file.utf8).write(to: URL(filePath: "\(path)/ballast.yaml"))
        try Data(command.utf8).write(to: URL(filePath: "\(path)/run.sh"))
        return path
    }

    /// A page that says `text` until it is told to stop.
    static func page(_ text: String, before: String = "") -> String {
        """
        \(before)
        /bin/busybox mkdir -p /www
        echo '\(text)' > /www/index.html
        trap 'exit 0' TERM
        /bin/busybox httpd -f -p 8080 -h /www &
        wait

        """
    }
}
