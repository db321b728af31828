// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One request for objects, understood: which resource, whose, in which form.
struct Call: Sendable {
    var request: APIRequest
    var resource: Resource
    var namespace: String?
    var name: String?
    var subresource: String
    var isWatchPath: Bool
    var query: Query
    var options = ListOptions()
    var representation: Representation

    init(_ request: APIRequest, _ target: Route.Target, _ resource: Resource) throws(KubeStatus) {
        self.request = request
        self.resource = resource
        namespace = target.namespace
        name = target.name
        subresource = target.subresource
        isWatchPath = target.isWatch
        query = Query(request.query)
        guard resource.type.isNamespaced || target.namespace == nil else { throw .noSuchResource }
        guard !resource.type.isNamespaced || target.namespace != nil || target.name == nil else {
            throw .noSuchResource
        }
        if let name, !NameRules.pathSegmentProblems(name).isEmpty { throw .noSuchResource }
        let isRead = request.method == "GET" || request.method == "HEAD"
        let isStream = target.subresource == "log" || KubernetesServer.connections.contains(target.subresource)
        guard let representation = isStream ? Representation() : Representation.choose(request.accept) else {
            let isWatch = isRead && target.name == nil
            throw .notAcceptable(Representation.alternatives(to: request.accept, isWatch: isWatch))
        }
        self.representation = representation
        if target.name == nil || target.isWatch {
            options = try ListOptions(query)
            try resource.fields.check(options.fields)
        }
    }

    var type: ResourceType { resource.type }

    /// A watch of a single object is a watch of the collection by name.
    func watchingOne(_ name: String) -> Call {
        var call = self
        call.name = nil
        call.options.fields.terms.append(.init(field: "metadata.name", value: name, isEqual: true))
        return call
    }

    /// The answer that carries one object.
    func respond(_ stored: [UInt8], status: Int = 200, warnings: [String] = []) -> APIResponse {
        var bytes: [UInt8] = []
        StoredJSON.splice(resource.shown(stored), preamble: StoredJSON.preamble(type), to: &bytes)
        return APIResponse(
            status: status,
            contentType: representation.contentType,
            warnings: warnings,
            body: .bytes(bytes)
        )
    }

    func respond(_ json: JSON, status: Int = 200, warnings: [String] = []) -> APIResponse {
        APIResponse(
            status: status,
            contentType: representation.contentType,
            warnings: warnings,
            body: .bytes(json.bytes)
        )
    }
}
