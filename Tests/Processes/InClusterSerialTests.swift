// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import Model
import Testing

@Suite(
    "a pod that speaks to its cluster",
    .serialized,
    .enabled(if: Programs.obstacle == nil, "\(Programs.obstacle ?? "")")
)
struct InClusterSerialTests {
    @Test func theTokenOfAPodReachesTheClusterAndMayDoWhatItsRolesSay() throws {
        let sources = FileManager.default.temporaryDirectory.appending(path: "ballast-apps-\(UUID().uuidString)").path
        let machine = try RunningBallast()
        defer {
            machine.stop()
            machine.clean()
            try? FileManager.default.removeItem(atPath: sources)
        }
        _ = try machine.ask("create", "namespace", "apps")
        _ = try machine.ask(
            "create",
            "rolebinding",
            "readers",
            "-n",
            "apps",
            "--clusterrole=view",
            "--serviceaccount=apps:default"
        )
        let kubectl = try #require(Programs.tool("kubectl"))
        let folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        // The first two find the cluster as every client library does, the third by its name.
        let asking = """
            export HOME=/tmp
            \(kubectl) auth whoami 2>&1
            \(kubectl) get pods -n default 2>&1
            \(kubectl) --server https://kubernetes.default.svc --certificate-authority \(folder)/ca.crt \
            --token "$(/bin/busybox cat \(folder)/token)" get services -n $(/bin/busybox cat \(folder)/namespace) 2>&1
            """
        var app = BusyboxApp(name: "asker", command: BusyboxApp.page("asked", before: asking))
        app.programs = [kubectl]
        let released = try machine.ballast("release", try app.write(below: sources))
        try #require(released.code == 0, "\(released.errors)")
        let said = try machine.ask("logs", "-n", "apps", "deploy/asker")
        #expect(said.contains("system:serviceaccount:apps:default"), "\(said)")
        #expect(said.contains("[system:serviceaccounts system:serviceaccounts:apps system:authenticated]"), "\(said)")
        #expect(said.contains("Extra: authentication.kubernetes.io/pod-name"), "\(said)")
        let refusal =
            "pods is forbidden: User \"system:serviceaccount:apps:default\" cannot list resource \"pods\" in API group "
            + "\"\" in the namespace \"default\""
        #expect(said.contains(refusal), "\(said)")
        #expect(said.contains("ClusterIP"), "\(said)")

        let allowed = try machine.ask(
            "auth",
            "can-i",
            "get",
            "pods",
            "-n",
            "apps",
            "--as=system:serviceaccount:apps:default"
        )
        #expect(allowed.contains("yes"))
        let token = try machine.ask("create", "token", "default", "-n", "apps").split(separator: "\n").first ?? ""
        let review = """
            { "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": "\(token)" } }
            """
        let answer = try machine.ask("create", "-f", "-", "-o", "jsonpath={.status.user.username}", input: review)
        #expect(answer == "system:serviceaccount:apps:default")
    }
}
