// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

/// What the server does not do yet is said, not silently left undone.
struct RefusalTests {
    @Test(
        "what kubectl proxies and debugs by answers that it is not served yet",
        arguments: ["ephemeralcontainers", "proxy"]
    )
    func connections(_ name: String) async throws {
        let test = try await TestServer()
        let answer = await test.send("POST", "/api/v1/namespaces/default/pods/p/\(name)?command=ls")
        #expect(answer.status == 501 && answer.json["reason"] == "NotImplemented")
        #expect(answer.message == "pods/\(name) is not served by this cluster yet")
        #expect(await test.send("POST", "/api/v1/namespaces/default/services/s/\(name)").status == 404)
    }
}
