// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Synchronization

/// Documents that were asked for, kept until something else is served.
struct OpenAPICache: Sendable {
    private var edition = -1
    private var documents: [String: [UInt8]] = [:]

    mutating func document(_ name: String, edition: Int, _ make: () -> [UInt8]?) -> [UInt8]? {
        if edition != self.edition {
            self.edition = edition
            documents = [:]
        }
        if let known = documents[name] { return known }
        let made = make()
        documents[name] = made
        return made
    }
}

extension KubernetesServer {
    /// The documents under `/openapi`: `v2`, `v3` (an index) and `v3/<path of a group and version>`.
    func openAPI(_ path: String, _ request: APIRequest) -> APIResponse {
        let snapshot = catalog.snapshot
        let documents = OpenAPIDocuments(snapshot.all.map(\.openAPI), version: configuration.buildVersion)
        func answer(_ contentType: String = "application/json", _ make: () -> [UInt8]?) -> APIResponse {
            let name = "\(path) \(contentType) \(request.takesGzip)"
            let bytes = openAPICache.withLock { cache in
                cache.document(name, edition: snapshot.edition) {
                    request.takesGzip ? make().map(Gzip.compressed) : make()
                }
            }
            guard let bytes else { return Self.noPage }
            var response = APIResponse(status: 200, contentType: contentType, body: .bytes(bytes))
            response.headers = [("Vary", "Accept, Accept-Encoding")]
            if request.takesGzip { response.headers.append(("Content-Encoding", "gzip")) }
            return response
        }
        if path == "v2", Self.prefersProtobuf(request.accept) {
            return answer(OpenAPIWire.contentType) { OpenAPIWire.encode(documents.v2()) }
        }
        guard Self.acceptsJSON(request.accept) else { return APIResponse(status: 406, body: .bytes([])) }
        switch path {
        case "v2": return answer { documents.v2().bytes }
        // The real server says so, and clients go by the content.
        case "v3": return answer("text/plain; charset=utf-8") { documents.index().bytes }
        case _ where path.hasPrefix("v3/"):
            let parts = path.split(separator: "/").dropFirst().map(String.init)
            guard let (group, version) = Self.groupVersion(parts),
                let hash = documents.hash(group: group, version: version)
            else { return Self.noPage }
            let asked = Query(request.query)["hash"]
            if let asked, asked != hash { return Self.moved(to: "/openapi/\(path)?hash=\(hash)") }
            var response = answer { documents.v3(group: group, version: version)?.bytes }
            if asked != nil { response.headers.append(("Cache-Control", "public, immutable")) }
            response.headers.append(("ETag", "\"\(hash)\""))
            return response
        default: return Self.noPage
        }
    }

    private static let jsonTypes = ["application/json", "*/*", "application/*"]

    /// Whether the protobuf form of `/openapi/v2` is asked for before any other that there is.
    private static func prefersProtobuf(_ accept: String) -> Bool {
        let first = MediaType.list(accept).map(\.name).first {
            jsonTypes.contains($0) || OpenAPIWire.accepted.contains($0)
        }
        return first.map(OpenAPIWire.accepted.contains) ?? false
    }

    private static func acceptsJSON(_ accept: String) -> Bool {
        let types = MediaType.list(accept).map(\.name)
        return types.isEmpty || types.contains(where: jsonTypes.contains)
    }

    private static func groupVersion(_ parts: [String]) -> (group: String, version: String)? {
        if parts.count == 2, parts[0] == "api" { return ("", parts[1]) }
        if parts.count == 3, parts[0] == "apis" { return (parts[1], parts[2]) }
        return nil
    }

    private static func moved(to address: String) -> APIResponse {
        APIResponse(status: 301, headers: [("Location", address)], body: .bytes([]))
    }
}

extension Resource {
    /// The resource as the OpenAPI documents show it.
    var openAPI: OpenAPIResource {
        OpenAPIResource(
            type: type,
            listKind: listKind,
            verbs: verbs,
            subresources: subresources.map { subresource in
                var kind: ResourceType?
                if subresource.name != "log" {
                    kind = ResourceType(
                        group: subresource.group ?? type.group,
                        version: subresource.version ?? type.version,
                        plural: type.plural,
                        kind: subresource.kind,
                        isNamespaced: type.isNamespaced
                    )
                }
                return OpenAPIResource.Subresource(name: subresource.name, kind: kind, verbs: subresource.verbs)
            },
            customSchema: custom?.source ?? (prefix.hasPrefix(UsageBook.prefix) ? UsageBook.schema : nil)
        )
    }
}
