// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("the CronJob kind")
struct CronJobKindTests {
    private static let path = "/apis/batch/v1/namespaces/default/cronjobs"

    private func body(_ name: String, _ spec: JSON) -> JSON {
        let pod: JSON = ["restartPolicy": "Never", "containers": [["name": "m", "image": "x"]]]
        var object: JSON = [
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": ["name": .string(name)],
            "spec": ["schedule": "* * * * *", "jobTemplate": ["spec": ["template": ["spec": pod]]]],
        ]
        for (key, value) in spec.object ?? [:] { object.set(value, at: ["spec", key]) }
        return object
    }

    @Test(
        "what is wrong is named with its field",
        arguments: [
            (
                ["timeZone": "Mars/Olympus"],
                "spec.timeZone: Invalid value: \"Mars/Olympus\": unknown time zone Mars/Olympus"
            ),
            (["timeZone": ""], "spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty string"),
            (
                ["schedule": "TZ=UTC * * * * *"],
                "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": "
                    + "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            ),
            (["schedule": ""], "spec.schedule: Required value"),
            (
                ["concurrencyPolicy": "Often"],
                "spec.concurrencyPolicy: Unsupported value: \"Often\": supported values: "
                    + "\"Allow\", \"Forbid\", \"Replace\""
            ),
            (
                ["startingDeadlineSeconds": -1],
                "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"
            ),
        ] as [(JSON, String)]
    )
    func refused(_ spec: JSON, _ words: String) async throws {
        try await TestServer().expectInvalid(body("c", spec), at: Self.path, words)
    }

    @Test("a name leaves room for those of its jobs, and the job is checked where it stands")
    func nested() async throws {
        let test = try await TestServer()
        let long = String(repeating: "n", count: 53)
        let answer = await test.send("POST", Self.path, body(long, [:])).json
        #expect(answer["message"]?.string?.contains("must be no more than 52 characters") == true)
        let pod: JSON = ["restartPolicy": "Always", "containers": [["name": "m", "image": "x"]]]
        let job: JSON = ["spec": ["backoffLimit": -1, "template": ["spec": pod]]]
        let nested = await test.send("POST", Self.path, body("c", ["jobTemplate": job])).json
        let fields = (nested[path: "details", "causes"]?.array ?? []).compactMap { $0["field"]?.string }
        #expect(fields.contains("spec.jobTemplate.spec.backoffLimit"))
        #expect(fields.contains("spec.jobTemplate.spec.template.spec.restartPolicy"))
    }
}
