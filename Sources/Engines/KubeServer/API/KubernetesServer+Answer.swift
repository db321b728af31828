// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

extension KubernetesServer {
    /// Bodies above this are refused unread.
    static let bodyLimit = 3 << 20

    /// Answers one request. It never throws: what goes wrong is a `Status`.
    package func answer(_ request: APIRequest) async -> APIResponse {
        let route = Route(request.path)
        let known: APIRequest
        do throws(KubeStatus) {
            known = try admitted(request, route)
        } catch {
            return Self.response(error)
        }
        guard known.user?.isMaster != true else { return Self.rendered(await answer(known, route), for: known, route) }
        let response = await Acting.$user.withValue(known.user) { await self.answer(known, route) }
        return Self.rendered(response, for: known, route)
    }

    /// The answer in the form the client asked for: all are made as JSON.
    private static func rendered(_ response: APIResponse, for request: APIRequest, _ route: Route) -> APIResponse {
        guard request.accept.contains("yaml"), Representation.isYAML(request.accept), isObject(route),
            response.contentType.hasPrefix("application/json") || response.contentType.hasPrefix("application/yaml"),
            case .bytes(let bytes) = response.body, !bytes.isEmpty, let json = try? JSON(parsing: bytes)
        else { return response }
        var answer = response
        answer.contentType = "application/yaml"
        answer.body = .bytes(Array(YAMLText.text(json).utf8))
        return answer
    }

    /// Whether what is answered is an object of the API, which has more than one form.
    private static func isObject(_ route: Route) -> Bool {
        switch route {
        case .root, .version, .health, .unknown, .openAPI: false
        default: true
        }
    }

    private func answer(_ request: APIRequest, _ route: Route) async -> APIResponse {
        do {
            return try await perform(request, route)
        } catch {
            return Self.response(error)
        }
    }

    static func response(_ status: KubeStatus) -> APIResponse {
        let seconds = status.details["retryAfterSeconds"]?.int
        let headers = seconds.map { [(name: "Retry-After", value: String($0))] } ?? []
        return APIResponse(status: status.code, headers: headers, body: .bytes(status.json.bytes))
    }

    static func response(_ json: JSON, status: Int = 200, contentType: String = "application/json") -> APIResponse {
        APIResponse(status: status, contentType: contentType, body: .bytes(json.bytes))
    }

    static func text(_ text: String, status: Int = 200) -> APIResponse {
        APIResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
    }

    static let noPage = text("404 page not found\n", status: 404)

    private func perform(_ request: APIRequest, _ route: Route) async throws(KubeStatus) -> APIResponse {
        guard request.body.count <= Self.bodyLimit else { throw .tooLarge(limit: Self.bodyLimit) }
        if case .objects(let target) = route { return try await objects(request, target) }
        guard request.method == "GET" || request.method == "HEAD" else {
            if case .unknown = route { return Self.noPage }
            throw .methodNotAllowed
        }
        switch route {
        case .root, .version, .health, .unknown: return Self.misc(route, request, self)
        case .openAPI(let document): return openAPI(document, request)
        default: return try discovery(route, request)
        }
    }

    private static func misc(_ route: Route, _ request: APIRequest, _ server: KubernetesServer) -> APIResponse {
        switch route {
        case .root: return server.rootPaths()
        case .version:
            guard
                MediaType.list(request.accept).contains(where: { $0.name.hasSuffix("/json") || $0.name.hasSuffix("/*") }
                )
                    || request.accept.isEmpty
            else { return text("406: Not Acceptable\n\nAvailable representations: application/json", status: 406) }
            return response(server.versionDocument)
        case .health(let name, let check): return server.health(name, check: check, Query(request.query))
        default: return server.issuerDocument(request.path) ?? noPage
        }
    }

    /// Answers a request for objects: finds the resource, then does what the method asks.
    private func objects(_ request: APIRequest, _ target: Route.Target) async throws(KubeStatus) -> APIResponse {
        let snapshot = catalog.snapshot
        let found = snapshot.resource(group: target.group, version: target.version, plural: target.plural)
        guard let resource = found else {
            guard snapshot.builtInGroups.contains(target.group) else { return Self.noPage }
            throw .noSuchResource
        }
        // Heads are for pages; objects are asked for.
        guard request.method != "HEAD" else { throw .methodNotAllowed }
        let call = try Call(request, target, resource)
        let remarks = Remarks()
        var response: APIResponse
        do {
            response = try await Acting.$remarks.withValue(remarks) { try await self.perform(call) }
        } catch {
            response = Self.response((error as? KubeStatus) ?? .fault("\(error)"))
            response.warnings = remarks.all
        }
        if let deprecation = resource.deprecation { response.warnings.insert(deprecation, at: 0) }
        return response
    }

    private func perform(_ call: Call) async throws(KubeStatus) -> APIResponse {
        guard let name = call.name else { return try await performOnCollection(call) }
        guard call.subresource.isEmpty else { return try await performOnSubresource(call, name) }
        guard !call.type.isTransient else { throw .noSuchResource }
        try checkVerb(call)
        switch call.request.method {
        case "GET", "HEAD":
            // `?watch=true` means nothing to a single object.
            return call.isWatchPath ? try await watchResponse(call.watchingOne(name)) : try getResponse(call, name)
        case "PUT": return try await updateResponse(call, name)
        case "PATCH": return try await patchResponse(call, name)
        case "DELETE": return try await deleteResponse(call, name)
        default: throw .methodNotAllowed
        }
    }

    /// Resources that only show something take no writes.
    private func checkVerb(_ call: Call) throws(KubeStatus) {
        // A custom resource that is leaving says so itself.
        guard call.resource.custom == nil else { return }
        let isWatch = call.isWatchPath || call.name == nil && call.options.isWatch
        let verb =
            switch call.request.method {
            case "GET", "HEAD": isWatch ? "watch" : call.name == nil ? "list" : "get"
            case "POST": "create"
            case "PUT": "update"
            case "PATCH": "patch"
            default: call.name == nil ? "deletecollection" : "delete"
            }
        guard call.resource.verbs.contains(verb) else { throw .methodNotAllowed }
    }

    private func performOnCollection(_ call: Call) async throws(KubeStatus) -> APIResponse {
        if !call.type.isTransient { try checkVerb(call) }
        switch call.request.method {
        case "POST" where call.type.isTransient: return try await transientResponse(call)
        case _ where call.type.isTransient: throw .methodNotAllowed
        case "GET", "HEAD":
            return call.options.isWatch || call.isWatchPath ? try await watchResponse(call) : try listResponse(call)
        case "POST":
            guard call.namespace != nil || !call.resource.type.isNamespaced else { throw .methodNotAllowed }
            return try await createResponse(call)
        case "DELETE":
            // All namespaces at once can be read, but not removed.
            guard call.namespace != nil || !call.resource.type.isNamespaced else { throw .methodNotAllowed }
            return try await deleteCollectionResponse(call)
        default: throw .methodNotAllowed
        }
    }
}
