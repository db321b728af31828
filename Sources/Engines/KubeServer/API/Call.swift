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
            guard !Representation.isKnown(request.accept) else { throw .unknownForm(Representation.available) }
            throw .notAcceptable(Representation.alternatives(to: request.accept, isWatch: isWatch))
        }
        self.representation = representation
        if isRead, target.subresource.isEmpty { try checkForm(target) }
        if representation.form == .table, let text = query["includeObject"], !text.isEmpty,
            Table.Includes(rawValue: text) == nil
        {
            throw .badRequest(
                "Unable to convert to Table as requested: includeObject: Invalid value: \(FieldErrors.quoted(text)): must be "
                    + "'Metadata', 'Object', 'None', or empty"
            )
        }
        if target.name == nil || target.isWatch {
            options = try ListOptions(query)
            var fields = resource.fields
            fields.knowsNamespace = fields.knowsNamespace && (resource.type.isNamespaced || !fields.hasOwnRules)
            try fields.check(options.fields)
        }
    }

    var type: ResourceType { resource.type }

    /// A partial list is asked for as one, a partial object as one; a watch carries objects.
    private func checkForm(_ target: Route.Target) throws(KubeStatus) {
        guard representation.form == .partial, !target.isWatch, !query.flag("watch") else { return }
        let isList = target.name == nil
        guard representation.isNamedAsList != isList else { return }
        let package = type.group.isEmpty ? "core" : type.group.prefix { $0 != "." }
        let name = isList ? resource.listKind : type.kind
        let goType = resource.custom == nil ? "\(package).\(name)" : "unstructured.Unstructured\(isList ? "List" : "")"
        let (asked, what) = isList ? ("PartialObjectMetadata", "a list") : ("PartialObjectMetadataList", "not a list")
        throw .refusedForm("you requested \(asked), but the requested object is \(what) (*\(goType))")
    }

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
