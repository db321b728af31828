// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials

/// What operators and the cluster ask for; never measured, never spoilt.
enum OperationsRoutes {
    static func all(
        metrics: Metrics,
        misbehaviour: MisbehaviourSwitch,
        isDraining: @escaping @Sendable () -> Bool,
        whyNotReady: @escaping @Sendable () async -> String?
    ) -> [Route] {
        [
            Route("GET", "/healthz") { _ in
                misbehaviour.settings.live
                    ? .plain("ok\n") : .plain("misbehaving as told\n", status: .internalServerError)
            },
            Route("GET", "/readyz") { _ in
                if isDraining() { return .plain("stopping\n", status: .serviceUnavailable) }
                guard misbehaviour.settings.ready else {
                    return .plain("misbehaving as told\n", status: .serviceUnavailable)
                }
                guard let reason = await whyNotReady() else { return .plain("ok\n") }
                return .plain("\(reason)\n", status: .serviceUnavailable)
            },
            Route("GET", "/metrics") { _ in
                let body = Data(metrics.exposition().utf8)
                return HTTPResponse(statusCode: .ok, headers: [.contentType: Metrics.contentType], body: body)
            },
            Route("GET", "/misbehave") { _ in .json(text: misbehaviour.settings.json) },
            Route("POST", "/misbehave") { request in
                do {
                    try misbehaviour.change(by: String(decoding: request.body, as: UTF8.self))
                    return .json(text: misbehaviour.settings.json)
                } catch {
                    return .problem(.badRequest, "\(error)")
                }
            },
            Route("DELETE", "/misbehave") { _ in
                misbehaviour.reset()
                return .json(text: misbehaviour.settings.json)
            },
        ]
    }
}
