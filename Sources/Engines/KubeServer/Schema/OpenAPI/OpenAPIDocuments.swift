// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `/openapi/v3`, its documents one per group and version, and `/openapi/v2`, for what is served now.
///
/// They are written as JSON, that of version 2 by ``OpenAPIWire`` as protobuf too. The documents are made on
/// demand and take some milliseconds: callers keep them as long as what is served stays the same.
struct OpenAPIDocuments: Sendable {
    private let resources: [OpenAPIResource]
    private let version: String

    /// `version` is the server's, such as `v1.36.2`.
    init(_ resources: [OpenAPIResource], version: String) {
        self.resources = resources
        self.version = version
    }

    private struct GroupVersion: Hashable {
        var group: String
        var version: String

        /// `api/v1` or `apis/apps/v1`.
        var path: String { group.isEmpty ? "api/\(version)" : "apis/\(group)/\(version)" }
    }

    private var groupVersions: [GroupVersion] {
        var seen: Set<GroupVersion> = []
        return resources.map { GroupVersion(group: $0.type.group, version: $0.type.version) }
            .filter { seen.insert($0).inserted }
    }

    private func resources(of wanted: GroupVersion) -> [OpenAPIResource] {
        resources.filter { $0.type.group == wanted.group && $0.type.version == wanted.version }
    }

    /// The index: paths with addresses whose hash changes with the document, so that clients may cache for long.
    func index() -> JSON {
        var paths: JSONObject = [:]
        for each in groupVersions.sorted(by: { $0.path < $1.path }) {
            let hash = contentHash(of: each)
            paths[each.path] = ["serverRelativeURL": .string("/openapi/v3/\(each.path)?hash=\(hash)")]
        }
        return ["paths": .object(paths)]
    }

    /// The hash that the index gives for a group and version; `nil` where it is not served.
    func hash(group: String, version: String) -> String? {
        let wanted = GroupVersion(group: group, version: version)
        return resources(of: wanted).isEmpty ? nil : contentHash(of: wanted)
    }

    /// Of what the document is made from, which is quicker than making it.
    private func contentHash(of wanted: GroupVersion) -> String {
        var hash = ContentHash()
        hash.add(schemaTableText)
        hash.add(version)
        for each in resources(of: wanted) {
            hash.add(
                "\(each.type.apiVersion)/\(each.type.plural)/\(each.type.kind)/\(each.listKind)/\(each.type.isNamespaced)"
            )
            hash.add(each.verbs.joined(separator: ","))
            for sub in each.subresources {
                hash.add(
                    "\(sub.name)/\(sub.kind?.apiVersion ?? "")/\(sub.kind?.kind ?? "")/\(sub.verbs.joined(separator: ","))"
                )
            }
            if let schema = each.customSchema { hash.add(schema.text) }
        }
        return hash.text
    }

    /// One document of OpenAPI 3; `nil` where nothing of that group and version is served.
    func v3(group: String, version: String) -> JSON? {
        let served = resources(of: GroupVersion(group: group, version: version))
        guard !served.isEmpty else { return nil }
        return [
            "openapi": "3.0.0", "info": info,
            "paths": paths(served, .v3),
            "components": [
                "schemas": schemas(served, .v3),
                "securitySchemes": ["BearerToken": bearerToken],
            ],
        ]
    }

    /// The one document of OpenAPI 2, with everything.
    func v2() -> JSON {
        [
            "swagger": "2.0", "info": info,
            "paths": paths(resources, .v2),
            "definitions": schemas(resources, .v2),
            "securityDefinitions": ["BearerToken": bearerToken],
            "security": [["BearerToken": []]],
        ]
    }

    private var info: JSON { ["title": "Kubernetes", "version": .string(version)] }

    private var bearerToken: JSON {
        [
            "description": "A token in the authorization header", "type": "apiKey", "name": "authorization",
            "in": "header",
        ]
    }

    private func paths(_ served: [OpenAPIResource], _ dialect: OpenAPIDialect) -> JSON {
        var paths: [(key: String, value: JSON)] = []
        for each in served { paths += OpenAPIPaths(resource: each, dialect: dialect).all }
        return .object(JSONObject(unique: paths.sorted { $0.key < $1.key }))
    }

    private func schemas(_ served: [OpenAPIResource], _ dialect: OpenAPIDialect) -> JSON {
        var writer = OpenAPISchemas(dialect: dialect)
        for each in served { writer.add(each) }
        return .object(JSONObject(unique: writer.schemas.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }
}

/// A hash for caches, not for security: FNV-1a over two lanes.
private struct ContentHash {
    private var lanes: (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x6c62_272e_07bb_0142)

    mutating func add(_ text: String) {
        for byte in text.utf8 {
            lanes.0 = (lanes.0 ^ UInt64(byte)) &* 0x100_0000_01b3
            lanes.1 = (lanes.1 ^ UInt64(byte &+ 89)) &* 0x100_0000_01b3
        }
        lanes.0 = (lanes.0 ^ 0xFF) &* 0x100_0000_01b3
    }

    var text: String {
        [lanes.0, lanes.1].map { lane in
            let digits = String(lane, radix: 16, uppercase: true)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
