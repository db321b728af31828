// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

/// `kubectl apply --server-side`, as people use it.
@Suite(
    "kubectl's server-side apply",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct KubectlApplySerialTests {
    private func manifest(replicas: Int? = nil, image: String = "nosuch.invalid/page:1", tone: String?) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: page, labels: { app: page } }
        spec:
        \(replicas.map { "  replicas: \($0)" } ?? "")
          selector: { matchLabels: { app: page } }
          template:
            metadata: { labels: { app: page } }
            spec:
              containers:
                - name: page
                  image: \(image)
                  \(tone.map { "env: [{ name: TONE, value: \($0) }]" } ?? "")
        """
    }

    @Test func ownersAreKnownAndNothingIsWrittenTwice() throws {
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
        }
        func apply(_ text: String, _ flags: String...) throws -> CommandResult {
            try machine.kubectl(["apply", "--server-side", "-f", "-"] + flags, input: text)
        }
        func read(_ path: String) throws -> String {
            try machine.ask("get", "deploy", "page", "-o", "jsonpath={\(path)}", "--show-managed-fields")
        }

        // Client-side first, then taken over: no conflict, and what leaves the manifest leaves the object.
        try machine.ask("apply", "-f", "-", input: manifest(replicas: 0, tone: "low"))
        let taken = try apply(manifest(replicas: 0, tone: nil))
        #expect(taken.code == 0, "\(taken.errors)")
        #expect(taken.output == "deployment.apps/page serverside-applied\n")
        #expect(try read(".spec.template.spec.containers[0].env") == "")
        let managers = try read(".metadata.managedFields[*].manager")
        #expect(managers.split(separator: " ").contains("kubectl"))
        #expect(!managers.contains("kubectl-client-side-apply"))

        // The same again is no write.
        let settled = manifest(replicas: 0, tone: "high")
        #expect(try apply(settled).code == 0)
        try machine.wait("the controller has seen it") {
            try read(".status.observedGeneration") == read(".metadata.generation")
        }
        let version = try read(".metadata.resourceVersion")
        #expect(try apply(settled).code == 0)
        #expect(try read(".metadata.resourceVersion") == version)
        #expect(try machine.kubectl("diff", "--server-side", "-f", "-", input: settled).code == 0)
        let difference = try machine.kubectl(
            "diff",
            "--server-side",
            "-f",
            "-",
            input: manifest(replicas: 0, tone: "x")
        )
        #expect(difference.code == 1 && difference.output.contains("value: x"), "\(difference)")
        #expect(try apply(manifest(replicas: 0, tone: "x"), "--dry-run=server").code == 0)
        #expect(try read(".metadata.resourceVersion") == version)

        // What somebody else changed is a conflict that names them, until it is forced.
        try machine.ask("set", "env", "deploy/page", "TONE=mine")
        let refused = try apply(settled)
        #expect(refused.code == 1)
        #expect(
            refused.errors.contains(
                "Apply failed with 1 conflict: conflict with \"kubectl-set\" using apps/v1: "
                    + ".spec.template.spec.containers[name=\"page\"].env[name=\"TONE\"].value"
            ),
            "\(refused.errors)"
        )
        #expect(try apply(settled, "--force-conflicts").code == 0)
        #expect(try read(".spec.template.spec.containers[0].env[0].value") == "high")

        // Replicas that an autoscaler sets stay, once the manifest lets go of them.
        try machine.ask("scale", "deploy/page", "--replicas=2")
        #expect(try apply(manifest(tone: "high")).code == 0)
        #expect(try read(".spec.replicas") == "2")
    }
}
