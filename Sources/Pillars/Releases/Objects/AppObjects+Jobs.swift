// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension AppObjects {
    static let jobLabel = "ballast.dev/job"

    /// A job of `before`, for one release.
    ///
    /// Its pods have the app's environment, files and resources, but not its labels, so that no Service sends them requests,
    /// and not its volumes, which pods of the running release hold.
    func job(_ job: App.Job, release number: Int) -> KubeObject {
        let labels = [
            ReleaseRecord.appLabel: app.name.text, Self.jobLabel: job.name, "app.kubernetes.io/managed-by": "ballast",
        ]
        var object = KubeObject(
            .jobs,
            namespace: app.namespace.text,
            name: jobName(job, release: number),
            labels: labels
        )
        var container: JSON = [
            "name": .string(job.name), "image": .string(image), "command": .array(job.run.map { .string($0) }),
        ]
        let deploy = app.deploy
        if !deploy.environment.isEmpty { container["env"] = .array(deploy.environment.map(environment)) }
        if let resources = deploy.resources { container["resources"] = Self.quantitiesAsText(resources) }
        if !deploy.files.isEmpty { container["volumeMounts"] = .array(fileMounts) }
        var pod: JSON = ["restartPolicy": "Never", "containers": [container]]
        if !deploy.files.isEmpty { pod["volumes"] = .array(fileVolumes) }
        if let pullSecret { pod["imagePullSecrets"] = [["name": .string(pullSecret)]] }
        object["spec"] = [
            // Whether it may run twice only its author knows; the next release runs it again.
            "backoffLimit": 0, "template": ["metadata": ["labels": JSON(labels)], "spec": pod],
        ]
        return object
    }

    /// Different for each release and image. Pods bear it as a label, so it has at most 63 characters.
    func jobName(_ job: App.Job, release number: Int) -> String {
        let digest =
            ImageReference(image)?.digest.map { "\($0)".split(separator: ":").last.map(String.init) ?? "" } ?? ""
        let tail = "-\(number)" + (digest.isEmpty ? "" : "-\(digest.prefix(5))")
        var head = "\(app.name)-\(job.name)".prefix(63 - tail.count)
        while head.last == "-" { head.removeLast() }
        return head + tail
    }
}
