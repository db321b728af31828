// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FlyingFox
import FoundationEssentials

/// Every request passes here: probes and metrics are answered at once; the rest is measured, logged and may be spoilt.
struct RequestPipeline: Sendable {
    /// An answer, and what the log should say about it beyond its status.
    private struct Outcome {
        var response: HTTPResponse
        var error: String?
    }

    static let bodyLimit = 64 * 1024
    static let durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let knownMethods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private let app: String
    private let router: Router
    private let operations: Router
    private let log: Log
    private let misbehaviour: MisbehaviourSwitch
    private let isDraining: @Sendable () -> Bool
    private let requests: Counter
    private let errors: Counter
    private let durations: Histogram

    init(
        app: String,
        routes: [Route],
        log: Log,
        metrics: Metrics,
        misbehaviour: MisbehaviourSwitch,
        isDraining: @escaping @Sendable () -> Bool,
        whyNotReady: @escaping @Sendable () async -> String?
    ) {
        self.app = app
        self.log = log
        self.misbehaviour = misbehaviour
        self.isDraining = isDraining
        router = Router(routes: routes)
        operations = Router(
            routes: OperationsRoutes.all(
                metrics: metrics,
                misbehaviour: misbehaviour,
                isDraining: isDraining,
                whyNotReady: whyNotReady
            )
        )
        requests = metrics.counter(
            "http_requests_total",
            "Requests answered, without probes and scrapes.",
            labels: ["app", "method", "path", "code"]
        )
        errors = metrics.counter("http_errors_total", "Requests answered with a 5xx status.", labels: ["app"])
        errors.increment([app], by: 0)
        durations = metrics.histogram(
            "http_request_duration_seconds",
            "Time from request to answer.",
            labels: ["app", "method", "path"],
            bounds: Self.durationBounds
        )
    }

    func answer(_ incoming: HTTPRequest) async -> HTTPResponse {
        let method = incoming.method.rawValue
        var response: HTTPResponse
        if case .route(let route, _) = operations.find(method, incoming.rawPath) {
            response = await outcome(of: route, [:], incoming).response
        } else {
            response = await measured(incoming, method)
        }
        if isDraining() { response.headers[.connection] = "close" }
        return method == "HEAD" ? response.withoutBody : response
    }

    private func measured(_ incoming: HTTPRequest, _ method: String) async -> HTTPResponse {
        let start = ContinuousClock.now
        let (template, outcome) = await routed(incoming, method)
        let elapsed = start.duration(to: .now).inSeconds
        let status = outcome.response.statusCode.code
        let known = Self.knownMethods.contains(method) ? method : "OTHER"

        requests.increment([app, known, template, String(status)])
        durations.observe(elapsed, [app, known, template])
        if status >= 500 { errors.increment([app]) }

        var fields: [(key: String, value: JSONText)] = [
            ("method", JSONText(method)), ("path", JSONText(incoming.rawPath)), ("route", JSONText(template)),
            ("status", JSONText(status)), ("duration_ms", JSONText(elapsed * 1000)),
        ]
        if let id = incoming.headers[HTTPHeader("X-Request-Id")] { fields.append(("request_id", JSONText(id))) }
        if let error = outcome.error { fields.append(("error", JSONText(error))) }
        log.write(status >= 500 ? .error : .info, "request", fields)
        return outcome.response
    }

    /// Paths without a route share one label, or strangers could make up any number of series.
    private func routed(_ incoming: HTTPRequest, _ method: String) async -> (template: String, Outcome) {
        switch router.find(method, incoming.rawPath) {
        case .route(let route, let parameters):
            return (route.template, await spoilt(route, parameters, incoming))
        case .otherMethods(let methods, let template):
            var response = HTTPResponse.problem(
                .methodNotAllowed,
                "\(incoming.rawPath) takes \(methods.joined(separator: ", "))"
            )
            response.headers[HTTPHeader("Allow")] = methods.joined(separator: ", ")
            return (template, await drained(incoming, response))
        case .nothing:
            return ("other", await drained(incoming, .problem(.notFound, "there is nothing at \(incoming.rawPath)")))
        }
    }

    private func spoilt(_ route: Route, _ parameters: [String: String], _ incoming: HTTPRequest) async -> Outcome {
        let latency = misbehaviour.settings.latency
        if latency > .zero { try? await Task.sleep(for: latency) }
        guard !misbehaviour.isError else {
            return await drained(
                incoming,
                .problem(.internalServerError, "misbehaving as told"),
                error: "misbehaving as told"
            )
        }
        return await outcome(of: route, parameters, incoming)
    }

    private func outcome(of route: Route, _ parameters: [String: String], _ incoming: HTTPRequest) async -> Outcome {
        do {
            guard let body = try await Self.body(of: incoming) else {
                return Outcome(response: .problem(.payloadTooLarge, "the body is larger than \(Self.bodyLimit) bytes"))
            }
            return Outcome(response: try await route.handler(Request(incoming, body: body, parameters: parameters)))
        } catch let problem as HTTPProblem {
            return Outcome(response: .problem(problem.status, problem.message), error: problem.message)
        } catch {
            return Outcome(response: .problem(.internalServerError, "internal error"), error: "\(error)")
        }
    }

    /// Unread bytes of a body would be taken for the next request.
    private func drained(_ incoming: HTTPRequest, _ response: HTTPResponse, error: String? = nil) async -> Outcome {
        _ = try? await Self.body(of: incoming)
        return Outcome(response: response, error: error)
    }

    /// Nil when it is too large; even then it is read to its end.
    private static func body(of incoming: HTTPRequest) async throws -> Data? {
        var data = Data()
        var size = 0
        for try await chunk in incoming.bodySequence {
            size += chunk.count
            if size <= bodyLimit { data.append(chunk) }
        }
        return size <= bodyLimit ? data : nil
    }
}

extension Request {
    init(_ incoming: HTTPRequest, body: Data, parameters: [String: String]) {
        self.init(
            method: incoming.method.rawValue,
            path: incoming.rawPath,
            query: Dictionary(incoming.query.map { ($0.name, $0.value) }) { $1 },
            headers: incoming.headers,
            body: body,
            parameters: parameters
        )
    }
}

extension HTTPRequest {
    /// As it was sent; `path` is decoded, so that an escaped slash would look like a real one.
    fileprivate var rawPath: String { target.path() }
}

extension HTTPResponse {
    fileprivate var withoutBody: HTTPResponse {
        guard case .httpBody(let body) = payload, let count = body.count else { return self }
        var copy = HTTPResponse(version: version, statusCode: statusCode, headers: headers)
        copy.headers[.contentLength] = String(count)
        return copy
    }
}
