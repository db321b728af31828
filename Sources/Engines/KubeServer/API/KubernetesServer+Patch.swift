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
        let patch = try PatchBody(call.request, call.resource)
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
            self.init(type, try JSON(parsing: request.body))
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
            patched = try Patch.apply(type, content, to: typed, schema: schema)
        } catch {
            throw error.status
        }
        guard patched.object != nil else {
            throw .badRequest("the patch leaves no object: cannot unmarshal \(patched.goKind) into Go value")
        }
        do {
            let decoded = try BodyDecoder(resource, as: kind, validation).decode(patched)
            return (decoded.object, decoded.warnings)
        } catch {
            throw refused(patched, error)
        }
    }

    /// A patch whose result does not decode is said to be invalid itself.
    private func refused(_ patched: JSON, _ status: KubeStatus) -> KubeStatus {
        guard let tail = status.message.firstRange(of: ": ")?.upperBound, status.code == 400 else { return status }
        let shown = type == .strategicMerge ? patched.goText : PatchedText.text(patched, by: content)
        return PatchError.invalidResult(shown, String(status.message[tail...])).status
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
