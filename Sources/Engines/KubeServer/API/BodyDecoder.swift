// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import AppFile
import Model
import Ports

/// Turns a request's body into an object of the resource's kind, pruned and type-checked, with the real server's words
/// for what is wrong with it.
struct BodyDecoder: Sendable {
    let resource: Resource
    /// The kind expected; a subresource's differs from the resource's.
    let type: ResourceType
    let validation: WriteOptions.FieldValidation

    /// What a body holds.
    struct Decoded {
        /// Without `apiVersion` and `kind`.
        var object: JSON
        var warnings: [String]
    }

    static let accepted = Representation.available

    init(_ resource: Resource, as type: ResourceType? = nil, _ validation: WriteOptions.FieldValidation) {
        self.resource = resource
        self.type = type ?? resource.type
        self.validation = validation
    }

    func decode(_ request: APIRequest) throws(KubeStatus) -> Decoded {
        let media = MediaType(parsing: request.contentType)
        if media.name == "application/yaml" { return try decode(try yaml(request.body)) }
        if media.name == WireEnvelope.contentType { return try decode(wire: request.body) }
        guard media.name == "application/json" || media.name.isEmpty || media.name == "*/*" else {
            throw .unsupportedMediaType(Self.accepted)
        }
        var parser = JSONParser(request.body)
        let json: JSON
        do {
            json = try parser.parseDocument()
        } catch {
            throw unrecognized(GoJSONErrors.text(error, in: request.body), request.body)
        }
        guard case .object = json else {
            let goType =
                #"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#
            let problem = "json: cannot unmarshal \(json.goKind) into Go value of type \(goType)"
            throw unrecognized(problem, request.body)
        }
        return try decode(json, duplicates: parser.duplicates)
    }

    private func yaml(_ body: [UInt8]) throws(KubeStatus) -> JSON {
        let json: JSON
        do {
            json = try YAMLDocument.parse(String(decoding: body, as: UTF8.self), as: .kubernetes).json
        } catch {
            throw unrecognized("yaml: \(error)", body)
        }
        guard json.object != nil else {
            throw unrecognized("json: cannot unmarshal \(json.goKind) into Go value of type an object", body)
        }
        return json
    }

    private func unrecognized(_ problem: String, _ body: [UInt8]) -> KubeStatus {
        .badRequest(
            "the object provided is unrecognized (must be of type \(type.kind)): couldn't get version/kind; "
                + "json parse error: \(problem) (\(Self.summary(body)))"
        )
    }

    /// The beginning of a body: as text where it looks like JSON, else in hex.
    private static func summary(_ body: [UInt8], limit: Int = 30) -> String {
        guard let first = body.first else { return "<empty>" }
        let head = body.prefix(limit)
        let tail = body.count > limit ? " ..." : ""
        guard first != UInt8(ascii: "{") else { return String(decoding: head, as: UTF8.self) + tail }
        return head.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + tail
    }

    /// Custom kinds have no protobuf form, nor have the built-in ones any other than the table's.
    private func decode(wire body: [UInt8]) throws(KubeStatus) -> Decoded {
        guard resource.custom == nil || type != resource.type, let schema = SchemaTable.builtIn.schema(type) else {
            throw .unsupportedMediaType(Self.accepted.filter { $0 != WireEnvelope.contentType })
        }
        let envelope: WireEnvelope
        do {
            envelope = try WireEnvelope(body)
        } catch {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(type.kind)): \(error.message) "
                    + "(\(Self.summary(body)))"
            )
        }
        let head: JSONObject = ["kind": .string(envelope.kind), "apiVersion": .string(envelope.apiVersion)]
        try checkKind(.object(head))
        do {
            let object = try WireDecoder.decode(body, in: envelope.object, as: schema)
            return try decode(.object(JSONObject(head.map { $0 } + (object.object ?? [:]).map { $0 })))
        } catch let error as WireError {
            throw unfit(.object(head), error.message)
        } catch let error as KubeStatus {
            throw error
        } catch {
            throw .fault("\(error)")
        }
    }

    func decode(_ json: JSON, duplicates: [String] = []) throws(KubeStatus) -> Decoded {
        try checkKind(json)
        guard resource.custom == nil || type != resource.type else { return try decodeCustom(json, duplicates) }
        guard let schema = SchemaTable.builtIn.schema(type) else {
            return Decoded(object: Self.untyped(json), warnings: [])
        }
        let decoded: DecodedObject
        do {
            decoded = try ObjectDecoder.decode(json, as: schema, duplicates: validation == .ignore ? [] : duplicates)
        } catch {
            throw unfit(json, error.message)
        }
        return try finish(json, decoded.object, decoded.problems)
    }

    private func decodeCustom(_ json: JSON, _ duplicates: [String]) throws(KubeStatus) -> Decoded {
        guard let custom = resource.custom else { return Decoded(object: Self.untyped(json), warnings: []) }
        let decoded: DecodedObject
        do {
            decoded = try custom.schema.decode(json, duplicates: validation == .ignore ? [] : duplicates)
        } catch {
            throw unfit(json, error.message)
        }
        return try finish(json, decoded.object, decoded.problems)
    }

    private func finish(_ json: JSON, _ object: JSON, _ problems: [String]) throws(KubeStatus) -> Decoded {
        switch validation {
        case .ignore: return Decoded(object: stored(object), warnings: [])
        case .warn: return Decoded(object: stored(object), warnings: problems)
        case .strict:
            guard problems.isEmpty else {
                throw unfit(json, "strict decoding error: \(problems.joined(separator: ", "))")
            }
            return Decoded(object: stored(object), warnings: [])
        }
    }

    private func stored(_ object: JSON) -> JSON {
        let plain = Self.untyped(object)
        return type == resource.type ? resource.view?.stored(plain) ?? plain : plain
    }

    static func untyped(_ json: JSON) -> JSON {
        guard let object = json.object else { return json }
        return .object(object.filter { $0.key != "apiVersion" && $0.key != "kind" })
    }

    private func unfit(_ json: JSON, _ problem: String) -> KubeStatus {
        let kind = Self.text(json["kind"]) ?? type.kind
        let apiVersion = Self.text(json["apiVersion"]) ?? type.apiVersion
        let version = apiVersion.split(separator: "/").last.map(String.init) ?? ""
        return .badRequest("\(kind) in version \"\(version)\" cannot be handled as a \(type.kind): \(problem)")
    }

    private static func text(_ value: JSON?) -> String? {
        guard let text = value?.string, !text.isEmpty else { return nil }
        return text
    }

    /// A body may leave its type out; one that it names must fit.
    private func checkKind(_ json: JSON) throws(KubeStatus) {
        let kind = Self.text(json["kind"]) ?? type.kind
        let apiVersion = Self.text(json["apiVersion"]) ?? type.apiVersion
        if resource.custom != nil, type == resource.type { return try checkCustomKind(json, kind, apiVersion) }
        guard kind != type.kind || apiVersion != type.apiVersion else { return }
        let parts = apiVersion.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let version = parts.last ?? ""
        let group = parts.count > 1 ? parts[0] : ""
        guard SchemaTable.builtIn.schema(group: group, version: version, kind: kind) != nil else {
            throw unfit(
                json,
                "no kind \"\(kind)\" is registered for version \"\(apiVersion)\" in scheme "
                    + "\"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\""
            )
        }
        let internalGroup = type.group.split(separator: ".").first.map(String.init) ?? "core"
        throw unfit(json, "converting (\(version).\(kind)) to (\(internalGroup).\(type.kind)): unknown conversion")
    }

    private func checkCustomKind(_ json: JSON, _ kind: String, _ apiVersion: String) throws(KubeStatus) {
        guard apiVersion == type.apiVersion else {
            throw .badRequest(
                "the API version in the data (\(apiVersion)) does not match the expected API version "
                    + "(\(type.apiVersion))"
            )
        }
        guard kind == type.kind else {
            throw .badRequest(
                "\(kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): the kind in the data "
                    + "(\(kind)) does not match the expected kind (\(type.kind))"
            )
        }
    }
}
