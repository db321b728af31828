// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

extension KubernetesServer {
    func patchResponse(_ call: Call, _ name: String) async throws(KubeStatus) -> APIResponse {
        if MediaType(parsing: call.request.contentType).name == PatchType.apply.rawValue {
            return try await applyResponse(call, name)
        }
        let parameters = try WriteParameters(call, kind: "PatchOptions")
        let patch: PatchBody
        do {
            patch = try PatchBody(call.request, call.resource)
        } catch {
            // A patch is read when there is something to patch.
            if error.code == 400 { _ = try find(call.resource, call.namespace, name) }
            throw error
        }
        let written = try await self.patch(
            patch,
            call.resource,
            call.namespace,
            name,
            parameters,
            part: call.subresource == "status" ? .status : .whole
        )
        return try present(written.value, call, warnings: written.warnings)
    }

    /// Changes an object by a patch; tried again where another write came first and the patch names no version.
    func patch(
        _ patch: PatchBody,
        _ resource: Resource,
        _ namespace: String?,
        _ name: String,
        _ parameters: WriteParameters,
        part: Change.Part
    ) async throws(KubeStatus) -> Written {
        var change = Change(resource: resource, namespace: namespace, name: name, parameters: parameters, part: part)
        change.isPatch = true
        return try await apply(change) { (old) throws(KubeStatus) in
            var (object, warnings) = try patch.apply(to: old, resource, resource.type, parameters.validation)
            try matchName(object, name)
            try matchNamespace(object, namespace)
            let version = old[path: "metadata", "resourceVersion"]
            if object[path: "metadata", "resourceVersion"] == version {
                object.set(nil, at: ["metadata", "resourceVersion"])
            }
            if part == .whole { resource.strategy.setDefaults(&object) }
            return (object, warnings)
        }
    }
}

/// A patch as it came: its type and its content.
struct PatchBody: Sendable {
    let type: PatchType
    let content: JSON
    /// What the text says of members that it gives more than once.
    private(set) var repetitions: [String] = []

    init(_ type: PatchType, _ content: JSON) {
        self.type = type
        self.content = content
    }

    init(_ request: APIRequest, _ resource: Resource) throws(KubeStatus) {
        let media = MediaType(parsing: request.contentType)
        guard let type = PatchType(rawValue: media.name) else {
            guard resource.custom == nil else { throw Self.unsupportedForCustom }
            throw KubeStatus(
                code: 415,
                reason: "UnsupportedMediaType",
                message: "415: Unsupported Media Type",
                details: [:]
            )
        }
        if type == .strategicMerge, resource.custom != nil { throw Self.unsupportedForCustom }
        guard type != .apply else { throw Self.noServerSideApply }
        do {
            var parser = JSONParser(request.body)
            self.init(type, try parser.parseDocument())
            let lead = type == .json ? "json patch duplicate" : "duplicate"
            repetitions = parser.duplicates.map { "\(lead) field \(FieldErrors.quoted($0))" }
        } catch {
            let problem = GoJSONErrors.text(error, in: request.body)
            throw .badRequest(type == .strategicMerge ? problem : "error decoding patch: \(problem)")
        }
    }

    private static let unsupportedForCustom = KubeStatus.unsupportedMediaType([
        "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml",
    ])

    /// Said in so many words, so that nobody takes a refused apply for a broken request.
    static let noServerSideApply = KubeStatus(
        code: 415,
        reason: "UnsupportedMediaType",
        message: "server-side apply is not supported on this subresource; use a merge patch",
        details: .null
    )

    /// The object that the patch makes of `old` (in stored form), decoded again as `type`.
    func apply(
        to old: JSON,
        _ resource: Resource,
        _ kind: ResourceType,
        _ validation: WriteOptions.FieldValidation
    ) throws(KubeStatus) -> (JSON, [String]) {
        let shown = kind == resource.type ? resource.view?.shown(old) ?? old : old
        let typed = StoredJSON.typed(shown, kind)
        let schema = resource.custom == nil || kind != resource.type ? SchemaTable.builtIn.schema(kind) : nil
        let patched: JSON
        do {
            patched =
                content.isNull && type == .strategicMerge
                ? typed : try Patch.apply(type, content, to: typed, schema: schema)
        } catch {
            throw error.status
        }
        if type != .strategicMerge, patched["kind"] == nil, patched["apiVersion"] == nil {
            let name = old[path: "metadata", "name"]?.string ?? ""
            throw .badRequest("the name of the object (\(name) based on URL) was undeterminable: name must be provided")
        }
        guard patched.object != nil else {
            throw .badRequest("the patch leaves no object: cannot unmarshal \(patched.goKind) into Go value")
        }
        let version = patched["apiVersion"]?.string ?? ""
        if resource.custom != nil, kind == resource.type, version != kind.apiVersion {
            var errors = FieldErrors()
            errors.invalid("apiVersion", version, "must be \(kind.apiVersion)")
            let name = patched[path: "metadata", "name"]?.string ?? ""
            throw .invalid(errors, kind: kind.kind, group: kind.group, name: name)
        }
        do {
            let decoded = try BodyDecoder(resource, as: kind, validation).decode(patched)
            let repeated = validation == .warn ? repetitions : []
            Acting.remarks?.note(repeated)
            return (decoded.object, repeated + decoded.warnings)
        } catch {
            throw refused(inOrder(typed, schema) ?? patched, error)
        }
    }

    /// The patched object made of `old` with its members in the order in which the server prints them.
    private func inOrder(_ old: JSON, _ schema: Schema?) -> JSON? {
        guard let schema, let ordered = try? ObjectDecoder.decode(old, as: schema).object else { return nil }
        return try? Patch.apply(type, content, to: ordered, schema: schema)
    }

    /// A patch whose result does not decode is said to be invalid itself.
    private func refused(_ patched: JSON, _ status: KubeStatus) -> KubeStatus {
        guard let tail = status.message.firstRange(of: ": ")?.upperBound, status.code == 400 else { return status }
        let problem = String(status.message[tail...])
        switch type {
        case .strategicMerge where !problem.hasPrefix("strict decoding error"):
            // That one is converted, not read, and it is the patch that is quoted.
            return PatchError.invalidResult(content.goText, GoConversion.problem(problem)).status
        case .strategicMerge: return PatchError.invalidResult(patched.goText, problem).status
        case .json:
            let places = (try? JSONPatch(content).places) ?? [:]
            return PatchError.invalidResult(PatchedText.text(patched, by: places), problem).status
        default: return PatchError.invalidResult(PatchedText.text(patched, by: content), problem).status
        }
    }
}

/// A patched object as the real server quotes it: objects that the patch went into have their members sorted, all others
/// stand as they were printed.
private enum PatchedText {
    static func text(_ object: JSON, by patch: JSON) -> String {
        var object = object
        if let metadata = object["metadata"]?.object { object["metadata"] = .object(printed(metadata)) }
        return touched(object, by: patch).text
    }

    private static func touched(_ value: JSON, by patch: JSON) -> JSON {
        if let elements = value.array, let changes = patch.object {
            return .array(
                elements.enumerated().map { place, element in
                    changes[String(place)].map { touched(element, by: $0) } ?? element
                }
            )
        }
        guard let members = value.object, let changes = patch.object else { return value }
        let sorted = members.sorted { ByteOrder.precedes($0.key, $1.key) }
        var result: JSONObject = [:]
        for (key, member) in sorted { result[key] = changes[key].map { touched(member, by: $0) } ?? member }
        return .object(result)
    }

    /// The resource version, which is stored first, in its place.
    private static func printed(_ metadata: JSONObject) -> JSONObject {
        var result: JSONObject = [:]
        for name in ["name", "generateName", "namespace", "uid", "resourceVersion"] { result[name] = metadata[name] }
        for (key, value) in metadata where result[key] == nil { result[key] = value }
        return result
    }
}
