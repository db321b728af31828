// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import TestKit
import Testing

@testable import KubeServer

@Suite("OpenAPI documents")
struct OpenAPITests {
    static let deployments = OpenAPIResource(
        type: .deployments,
        listKind: "DeploymentList",
        verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        subresources: [
            .init(name: "status", kind: .deployments, verbs: ["get", "patch", "update"]),
            .init(
                name: "scale",
                kind: ResourceType(group: "autoscaling", version: "v1", plural: "", kind: "Scale", isNamespaced: true),
                verbs: ["get", "patch", "update"]
            ),
        ]
    )
    static let widgets = OpenAPIResource(
        type: ResourceType(
            group: "t.example.com",
            version: "v1",
            plural: "widgets",
            kind: "Widget",
            isNamespaced: true
        ),
        listKind: "WidgetList",
        verbs: ["create", "get", "list", "patch"],
        customSchema: [
            "type": "object",
            "properties": ["spec": ["type": "object", "nullable": true, "properties": ["size": ["type": "integer"]]]],
        ]
    )

    private let documents = OpenAPIDocuments([Self.deployments, Self.widgets], version: "v1.36.2")

    @Test("the index names a document per group and version, by a hash of what it is made from")
    func index() throws {
        let paths = try #require(documents.index()["paths"]?.object)
        #expect(paths.keys == ["apis/apps/v1", "apis/t.example.com/v1"])
        let url = try #require(paths["apis/apps/v1"]?["serverRelativeURL"]?.string)
        #expect(url.hasPrefix("/openapi/v3/apis/apps/v1?hash=") && url.utf8.count == 30 + 32)
        var changed = Self.widgets
        changed.customSchema?["description"] = "new"
        let other = OpenAPIDocuments([Self.deployments, changed], version: "v1.36.2")
        #expect(other.hash(group: "apps", version: "v1") == documents.hash(group: "apps", version: "v1"))
        #expect(
            other.hash(group: "t.example.com", version: "v1") != documents.hash(group: "t.example.com", version: "v1")
        )
        #expect(documents.v3(group: "batch", version: "v1") == nil)
    }

    /// Every reference in a document leads somewhere.
    @Test("no reference dangles")
    func references() throws {
        for (document, prefix) in [
            (try #require(documents.v3(group: "apps", version: "v1")), "#/components/schemas/"),
            (try #require(documents.v3(group: "t.example.com", version: "v1")), "#/components/schemas/"),
            (documents.v2(), "#/definitions/"),
        ] {
            let schemas = document[path: "components", "schemas"] ?? document["definitions"]
            let names = Set(schemas?.object?.keys ?? [])
            for reference in Self.references(in: document) {
                #expect(
                    reference.hasPrefix(prefix) && names.contains(String(reference.dropFirst(prefix.count))),
                    "\(reference)"
                )
            }
        }
    }

    private static func references(in value: JSON) -> [String] {
        switch value {
        case .array(let elements): elements.flatMap { references(in: $0) }
        case .object(let members):
            members.flatMap { $0.key == "$ref" ? [$0.value.string ?? ""] : references(in: $0.value) }
        default: []
        }
    }

    @Test("custom resources show their schema, with what every object has")
    func customResources() throws {
        let document = try #require(documents.v3(group: "t.example.com", version: "v1"))
        let schema = try #require(document[path: "components", "schemas", "com.example.t.v1.Widget"])
        #expect(schema[path: "properties", "spec", "nullable"] == true)
        #expect(
            schema[path: "properties", "metadata", "allOf"]
                == [["$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]]
        )
        #expect(
            schema["x-kubernetes-group-version-kind"] == [
                ["group": "t.example.com", "version": "v1", "kind": "Widget"]
            ]
        )
        let old = try #require(documents.v2()[path: "definitions", "com.example.t.v1.Widget"])
        #expect(old[path: "properties", "spec"] == [:], "OpenAPI 2 knows no nullable")
        let patch = document[path: "paths", "/apis/t.example.com/v1/namespaces/{namespace}/widgets/{name}", "patch"]
        #expect(
            patch?[path: "requestBody", "content"]?.object?.keys == [
                "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml",
            ]
        )
    }

    /// The document of a real server, if the conformance data is there.
    private static func real(_ name: String) throws -> JSON? {
        let file = ConformanceSettings.ofThisProcess.root.appending(path: "releases/k8s-openapi/v3/\(name)")
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try JSON(parsing: Data(contentsOf: file))
    }

    static let documentsOfARealServer = [
        "api__v1", "apis__apps__v1", "apis__batch__v1", "apis__networking.k8s.io__v1", "apis__storage.k8s.io__v1",
        "apis__apiextensions.k8s.io__v1", "apis__rbac.authorization.k8s.io__v1", "apis__discovery.k8s.io__v1",
        "apis__coordination.k8s.io__v1", "apis__events.k8s.io__v1", "apis__policy__v1", "apis__autoscaling__v2",
    ]

    /// Served from what a real server's discovery lists, so that both documents speak of the same resources.
    private static func served(_ name: String) throws -> [OpenAPIResource] {
        let parts = name.components(separatedBy: "__")
        let group = parts.count == 3 ? parts[1] : ""
        let items = try TranscriptTests.steps("discovery").flatMap { step -> [JSON] in
            step[path: "response", "kind"] == "APIGroupDiscoveryList"
                ? step[path: "response", "items"]?.array ?? [] : []
        }
        let version = items.first { ($0[path: "metadata", "name"]?.string ?? "") == group }?["versions"]?.array?
            .first { $0["version"]?.string == parts.last }
        return (version?["resources"]?.array ?? []).compactMap { resource($0, group: group, version: parts.last ?? "") }
    }

    private static func resource(_ json: JSON, group: String, version: String) -> OpenAPIResource? {
        guard let plural = json["resource"]?.string, let kind = json[path: "responseKind", "kind"]?.string else {
            return nil
        }
        let type = ResourceType(
            group: group,
            version: version,
            plural: plural,
            kind: kind,
            isNamespaced: json["scope"] == "Namespaced"
        )
        guard SchemaTable.builtIn.schema(type) != nil else { return nil }
        let texts = { (value: JSON?) in value?.array?.compactMap(\.string) ?? [] }
        // An empty version says that the kind is of the resource's own group and version.
        let filled = { (key: String, sub: JSON) -> String? in
            sub[path: "responseKind", "version"] == "" ? nil : sub[path: "responseKind", key]?.string
        }
        let subresources = (json["subresources"]?.array ?? []).compactMap { sub -> OpenAPIResource.Subresource? in
            guard let name = sub["subresource"]?.string, let subKind = sub[path: "responseKind", "kind"]?.string else {
                return nil
            }
            let subType = ResourceType(
                group: filled("group", sub) ?? group,
                version: filled("version", sub) ?? version,
                plural: plural,
                kind: subKind,
                isNamespaced: type.isNamespaced
            )
            return .init(name: name, kind: subType == type ? type : subType, verbs: texts(sub["verbs"]))
        }
        return OpenAPIResource(
            type: type,
            listKind: "\(kind)List",
            verbs: texts(json["verbs"]),
            subresources: subresources
        )
    }

    @Test("schemas say what a real server's say", arguments: documentsOfARealServer)
    func schemasAgree(_ name: String) throws {
        guard let real = try Self.real("\(name)_openapi.json") else { return }
        let served = try Self.served(name)
        let type = try #require(served.first).type
        let ours = try #require(OpenAPIDocuments(served, version: "v").v3(group: type.group, version: type.version))
        let theirs = real[path: "components", "schemas"]?.object ?? [:]
        for (type, schema) in ours[path: "components", "schemas"]?.object ?? [:] where !Self.isSpecial(type) {
            let expected = try #require(theirs[type], "\(type)")
            #expect(Self.bare(schema).sortedByKey.text == Self.bare(expected).sortedByKey.text, "\(type)")
        }
    }

    private static func isSpecial(_ type: String) -> Bool {
        // We write one type for all opaque objects, and give options the versions served instead of all there are.
        ["RawExtension", "JSON", "DeleteOptions"].contains(type.split(separator: ".").last.map(String.init) ?? "")
    }

    /// Without descriptions and what clients do not use; references stand for themselves, wrapped or not.
    private static func bare(_ value: JSON) -> JSON {
        switch value {
        case .array(let elements): return .array(elements.map { bare($0) })
        case .object(var members):
            if let wrapped = members["allOf"]?.array, wrapped.count == 1, wrapped[0]["$ref"] != nil {
                members["allOf"] = JSON?.none
                members["$ref"] = wrapped[0]["$ref"]
            }
            if let target = members["$ref"]?.string {
                if opaque.contains(where: { target.hasSuffix($0) }) { return ["opaque": true] }
            }
            var result: JSONObject = [:]
            for (key, member) in members {
                switch key {
                case "description" where member.string != nil, "x-kubernetes-unions": continue
                case "x-kubernetes-map-type" where member == "granular": continue
                case "required":
                    result[key] = .array((member.array ?? []).sorted { ($0.string ?? "") < ($1.string ?? "") })
                default: result[key] = bare(member)
                }
            }
            return .object(result)
        default: return value
        }
    }

    private static let opaque = [
        ".RawExtension", ".FieldsV1", ".JSON", ".JSONSchemaPropsOrArray", ".JSONSchemaPropsOrBool",
        ".JSONSchemaPropsOrStringArray", ".JSONSchemaProps",
    ]

    @Test("operations have a real server's names, actions and kinds", arguments: documentsOfARealServer)
    func operationsAgree(_ name: String) throws {
        guard let real = try Self.real("\(name)_openapi.json") else { return }
        let served = try Self.served(name)
        let type = try #require(served.first).type
        let ours = try #require(OpenAPIDocuments(served, version: "v").v3(group: type.group, version: type.version))
        let theirs = real["paths"]?.object ?? [:]
        for (path, item) in ours["paths"]?.object ?? [:] {
            // A namespace's own name stands where others name their namespace.
            guard let expected = theirs[path] else { continue }
            for (method, operation) in item.object ?? [:] where method != "parameters" {
                let other = expected[method]
                // Binary connections have no operation of ours; core names drop what is namespaced twice.
                guard let other else { continue }
                for key in ["x-kubernetes-action", "x-kubernetes-group-version-kind", "operationId"] {
                    #expect(operation[key] == other[key], "\(method) \(path) \(key)")
                }
            }
        }
        #expect(ours["paths"]?.object?.keys.contains { theirs[$0] != nil } == true)
    }
}

/// Just enough of protobuf to look into a document.
private struct Message {
    private(set) var values: [Int: [[UInt8]]] = [:]

    init(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        func varint() -> Int {
            var value = 0
            var shift = 0
            while let byte = rest.popFirst() {
                value |= Int(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let tag = varint()
            let count = tag & 7 == 1 ? 8 : varint()
            let content: [UInt8]
            switch tag & 7 {
            case 0: content = [UInt8(truncatingIfNeeded: count)]
            default: content = Array(rest.prefix(count))
            }
            if tag & 7 != 0 { rest = rest.dropFirst(content.count) }
            values[tag >> 3, default: []].append(content)
        }
    }

    func messages(_ path: Int...) -> [Message] {
        path.reduce([self]) { found, number in found.flatMap { $0.values[number] ?? [] }.map { Message($0) } }
    }

    func text(_ number: Int) -> String? { values[number]?.first.map { String(decoding: $0, as: UTF8.self) } }
}

@Suite("OpenAPI 2 as protobuf")
struct OpenAPIWireTests {
    @Test("every definition and path is there under its number, with what kubectl looks for")
    func document() throws {
        let json = OpenAPIDocuments([OpenAPITests.deployments, OpenAPITests.widgets], version: "v1.36.2").v2()
        let document = Message(OpenAPIWire.encode(json))
        #expect(document.text(1) == "2.0" && document.messages(2).first?.text(2) == "v1.36.2")
        let definitions = document.messages(9, 1)
        #expect(definitions.compactMap { $0.text(1) } == json["definitions"]?.object?.keys)
        #expect(document.messages(8, 2).compactMap { $0.text(1) } == json["paths"]?.object?.keys)

        let deployment = try #require(definitions.first { $0.text(1) == "io.k8s.api.apps.v1.Deployment" })
        let schema = try #require(deployment.messages(2).first)
        #expect(schema.messages(22).first?.text(1) == "object")
        let properties = schema.messages(25, 1)
        let reference = properties.first { $0.text(1) == "spec" }?.messages(2).first?.text(1)
        #expect(reference == "#/definitions/io.k8s.api.apps.v1.DeploymentSpec")
        let kind = try #require(schema.messages(31).first { $0.text(1) == "x-kubernetes-group-version-kind" })
        let value = try JSON(parsing: Array((kind.messages(2).first?.text(2) ?? "").utf8))
        #expect(value == [["group": "apps", "kind": "Deployment", "version": "v1"]])
    }

    @Test("lists, maps, truth values and parameters have the messages of their own")
    func shapes() throws {
        let document = Message(
            OpenAPIWire.encode([
                "definitions": [
                    "A": [
                        "type": "array", "items": ["type": "string"], "minimum": 1.5, "maxItems": 300,
                        "enum": ["a", 1], "required": ["x", "y"], "unknown": 1,
                    ],
                    "B": ["additionalProperties": true], "C": ["additionalProperties": ["type": "integer"]],
                ],
                "paths": [
                    "/a": [
                        "parameters": [["name": "n", "in": "path", "required": true]], "get": .null,
                        "post": [
                            "parameters": [
                                ["name": "q", "in": "query", "type": "string", "uniqueItems": true],
                                ["name": "body", "in": "body", "schema": ["$ref": "#/definitions/A"]],
                            ],
                            "responses": ["200": ["description": "OK", "schema": ["type": "string"]]],
                        ],
                    ]
                ],
            ])
        )
        let schemas = document.messages(9, 1, 2)
        #expect(schemas[0].messages(23, 1, 22).first?.text(1) == "string")
        #expect(schemas[0].values[9] == [[0, 0, 0, 0, 0, 0, 0xF8, 0x3F]])
        #expect(schemas[0].messages(20).compactMap { $0.text(2) } == ["\"a\"\n", "1\n"])
        #expect(schemas[0].values[19]?.count == 2)
        #expect(schemas[1].messages(21).first?.values[2] == [[1]])
        #expect(schemas[2].messages(21, 1, 22).first?.text(1) == "integer")

        let path = try #require(document.messages(8, 2, 2).first)
        #expect(path.values[2] == nil)
        let inPath = try #require(path.messages(9, 1, 2, 4).first)
        #expect(inPath.text(4) == "n" && inPath.text(2) == "path" && inPath.values[1] == [[1]])
        let post = try #require(path.messages(4).first)
        let inQuery = try #require(post.messages(8, 1, 2, 3).first)
        #expect(inQuery.text(4) == "q" && inQuery.text(6) == "string" && inQuery.values[20] == [[1]])
        #expect(post.messages(8, 1, 1, 5).first?.text(1) == "#/definitions/A")
        #expect(post.messages(9, 1).first?.text(1) == "200")
        #expect(post.messages(9, 1, 2, 1, 2, 1, 22).first?.text(1) == "string")
    }

    @Test("kubectl's header is answered in protobuf, JSON is for the rest")
    func negotiation() async throws {
        let server = try await TestServer()
        let old = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
        for accept in [old, OpenAPIWire.contentType] {
            let answer = await server.send("GET", "/openapi/v2", accept: accept)
            #expect(answer.status == 200 && answer.contentType == OpenAPIWire.contentType)
            #expect(Message(answer.bytes).text(1) == "2.0")
        }
        let json = await server.send("GET", "/openapi/v2", accept: "application/json, \(old)")
        #expect(json.contentType == "application/json" && json.json["swagger"] == "2.0")
        #expect(await server.send("GET", "/openapi/v3", accept: old).status == 406)
    }

    @Test("every document is compressed for whoever can read that, and only then")
    func gzip() async throws {
        let server = try await TestServer()
        for (path, accept) in [
            ("v2", OpenAPIWire.contentType), ("v2", "application/json"), ("v3/apis/apps/v1", "application/json"),
        ] {
            let plain = await server.send("GET", "/openapi/\(path)", bytes: [], accept: accept)
            let packed = await server.send("GET", "/openapi/\(path)", bytes: [], accept: accept, takesGzip: true)
            #expect(!plain.headers.contains { $0.name == "Content-Encoding" })
            #expect(packed.headers.contains { $0.name == "Content-Encoding" && $0.value == "gzip" })
            #expect(packed.bytes.starts(with: [0x1F, 0x8B, 0x08]) && packed.bytes.count * 4 < plain.bytes.count)
            // The last four bytes are the length of what was packed.
            let length = packed.bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            #expect(length == plain.bytes.count && packed.contentType == plain.contentType)
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
