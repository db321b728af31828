// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// One entry of an `Accept` or `Content-Type` header.
struct MediaType: Sendable, Hashable {
    /// Lower case: `application/json`.
    var name: String
    var parameters: [String: String]

    init(_ name: String, _ parameters: [String: String] = [:]) {
        self.name = name
        self.parameters = parameters
    }

    init(parsing text: some StringProtocol) {
        let parts = text.split(separator: ";").map { Self.trimmed($0) }
        name = (parts.first ?? "").lowercased()
        parameters = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count > 1 ? String(pair[1]) : ""
            let unquoted = value.hasPrefix("\"") && value.hasSuffix("\"") && value.count > 1
            parameters[pair[0].lowercased()] = unquoted ? String(value.dropFirst().dropLast()) : value
        }
    }

    static func list(_ header: String) -> [MediaType] {
        header.split(separator: ",").map { MediaType(parsing: $0) }.filter { !$0.name.isEmpty }
            .enumerated().sorted { left, right in
                let first = left.element.quality
                let second = right.element.quality
                return first == second ? left.offset < right.offset : first > second
            }.map(\.element)
    }

    private var quality: Double { parameters["q"].flatMap(Double.init) ?? 1 }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}

/// In which form a client wants objects.
struct Representation: Sendable, Equatable {
    enum Form: Sendable, Equatable { case object, table, partial }

    var form = Form.object
    /// `v1` or `v1beta1` of `meta.k8s.io`, for tables and partial objects.
    var version = "v1"
    var contentType = "application/json"
    /// A partial form was asked for by the name of a list.
    var isNamedAsList = false

    /// Whether a type of this header is one that the server knows, in whatever form.
    static func isKnown(_ accept: String) -> Bool { MediaType.list(accept).contains { contentType($0.name) != nil } }

    /// Whether YAML is what the client prefers among what there is.
    static func isYAML(_ accept: String) -> Bool {
        MediaType.list(accept).lazy.compactMap { contentType($0.name) }.first == "application/yaml"
    }

    /// Picks the first of the accepted types that the server can produce; `nil` where there is none.
    static func choose(_ accept: String, canTransform: Bool = true) -> Representation? {
        let accepted = MediaType.list(accept)
        guard !accepted.isEmpty else { return Representation() }
        for type in accepted {
            guard let contentType = Self.contentType(type.name) else { continue }
            guard let kind = type.parameters["as"] else { return Representation(contentType: contentType) }
            guard canTransform, type.parameters["g"] == "meta.k8s.io",
                let version = type.parameters["v"], version == "v1" || version == "v1beta1"
            else { continue }
            switch kind {
            case "Table": return Representation(form: .table, version: version, contentType: contentType)
            case "PartialObjectMetadata", "PartialObjectMetadataList":
                return Representation(
                    form: .partial,
                    version: version,
                    contentType: contentType,
                    isNamedAsList: kind.hasSuffix("List")
                )
            default: continue
            }
        }
        return nil
    }

    private static func contentType(_ name: String) -> String? {
        switch name {
        case "application/json", "*/*": "application/json"
        case "application/yaml": "application/yaml"
        default: nil
        }
    }

    static let available = ["application/json", "application/yaml", WireEnvelope.contentType]
    private static let availableForWatches =
        available + ["application/json;stream=watch", "\(WireEnvelope.contentType);stream=watch"]

    /// What to name in the refusal of an `Accept` header: the real server's list, but never the form that was asked for
    /// and refused, since objects are read from protobuf and not written as it.
    static func alternatives(to accept: String, isWatch: Bool = false) -> [String] {
        let all = isWatch ? availableForWatches : available
        guard MediaType.list(accept).contains(where: { $0.name == WireEnvelope.contentType }) else { return all }
        return all.filter { !$0.hasPrefix(WireEnvelope.contentType) }
    }
}
