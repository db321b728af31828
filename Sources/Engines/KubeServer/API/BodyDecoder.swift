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
        if media.name == "application/yaml" {
            let (json, repetitions) = try yaml(request.body)
            return try decode(json, repetitions: repetitions)
        }
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
        let object = try asObject(json, request.body)
        try checkIsNamed(object, request.body)
        return try decode(object, duplicates: parser.duplicates)
    }

    /// Nothing is an object without members; anything else has no kind to begin with.
    private func asObject(_ json: JSON, _ body: [UInt8]) throws(KubeStatus) -> JSON {
        if json.isNull { return [:] }
        guard case .object(let members) = json else {
            let goType =
                #"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#
            throw unrecognized("json: cannot unmarshal \(json.goKind) into Go value of type \(goType)", body)
        }
        for name in ["apiVersion", "kind"] {
            guard let value = members[name], value.string == nil, !value.isNull else { continue }
            throw unrecognized(
                "json: cannot unmarshal \(value.goKind) into Go struct field .\(name) of type string",
                body
            )
        }
        return json
    }

    /// A custom resource says its kind; the path does not say it in its stead.
    private func checkIsNamed(_ json: JSON, _ body: [UInt8]) throws(KubeStatus) {
        guard resource.custom != nil, type == resource.type, (Self.text(json["kind"]) ?? "").isEmpty else { return }
        throw .badRequest(
            "the object provided is unrecognized (must be of type \(type.kind)): Object 'Kind' is missing in "
                + "'\(String(decoding: body, as: UTF8.self))' (\(Self.summary(body)))"
        )
    }

    /// The first document, and which of its keys are given more than once.
    private func yaml(_ body: [UInt8]) throws(KubeStatus) -> (JSON, [String]) {
        let read: RepeatingYAML
        do {
            read = try RepeatingYAML(body)
        } catch {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(type.kind)): \(error.text) "
                    + "(\(Self.summary(body)))"
            )
        }
        return (try asObject(read.json, body), read.repetitions)
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

    /// `repetitions` are the keys that a YAML text gives more than once, in the real server's words.
    func decode(
        _ json: JSON,
        duplicates: [String] = [],
        repetitions: [String] = []
    ) throws(KubeStatus) -> Decoded {
        try checkKind(json)
        guard resource.custom == nil || type != resource.type else {
            return try decodeCustom(json, duplicates, repetitions)
        }
        guard let schema = SchemaTable.builtIn.schema(type) else {
            return Decoded(object: Self.untyped(json), warnings: [])
        }
        let decoded: DecodedObject
        do {
            decoded = try ObjectDecoder.decode(json, as: schema, duplicates: validation == .ignore ? [] : duplicates)
        } catch {
            throw unfit(json, error.message)
        }
        return try finish(json, decoded.object, decoded.problems, repetitions)
    }

    private func decodeCustom(
        _ json: JSON,
        _ duplicates: [String],
        _ repetitions: [String]
    ) throws(KubeStatus) -> Decoded {
        guard let custom = resource.custom else { return Decoded(object: Self.untyped(json), warnings: []) }
        let decoded: DecodedObject
        do {
            decoded = try custom.schema.decode(json, duplicates: validation == .ignore ? [] : duplicates)
        } catch {
            throw unfit(json, error.message)
        }
        return try finish(json, decoded.object, decoded.problems, repetitions)
    }

    private func finish(
        _ json: JSON,
        _ object: JSON,
        _ problems: [String],
        _ repetitions: [String]
    ) throws(KubeStatus) -> Decoded {
        var decoded = try checked(json, object, problems, repetitions)
        let repeated = MetadataRules.dropRepeatedOwners(&decoded.object)
        guard !repeated.isEmpty else { return decoded }
        decoded.warnings.append(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may "
                + "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
                + repeated.joined(separator: ", ")
        )
        return decoded
    }

    private func checked(
        _ json: JSON,
        _ object: JSON,
        _ problems: [String],
        _ repetitions: [String]
    ) throws(KubeStatus) -> Decoded {
        switch validation {
        case .ignore: return Decoded(object: stored(object), warnings: [])
        case .warn:
            let warnings = repetitions + problems
            Acting.remarks?.note(warnings)
            return Decoded(object: stored(object), warnings: warnings)
        case .strict:
            let list = repetitions.map { "\n  \($0)" }.joined()
            let all = (list.isEmpty ? [] : ["yaml: unmarshal errors:\(list)"]) + problems
            guard all.isEmpty else { throw unfit(json, "strict decoding error: \(all.joined(separator: ", "))") }
            return Decoded(object: stored(object), warnings: [])
        }
    }

    private func stored(_ object: JSON) -> JSON {
        var plain = Self.untyped(object)
        if type == .pods { PodAddresses.settle(&plain) }
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
        if kind == "CustomResourceDefinition", apiVersion == "apiextensions.k8s.io/v1beta1" {
            return try checkCustomKind(json, kind, apiVersion)
        }
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
            var errors = FieldErrors()
            errors.invalid("kind", kind, "must be \(type.kind)")
            throw .invalid(errors, kind: kind, group: type.group, name: json[path: "metadata", "name"]?.string ?? "")
        }
    }
}
