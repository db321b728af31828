// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// A request's query parameters.
struct Query: Sendable {
    private let pairs: [(name: String, value: String)]

    init(_ pairs: [(name: String, value: String)]) { self.pairs = pairs }

    subscript(_ name: String) -> String? { pairs.first { $0.name == name }?.value }

    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// Absent, `0` and `false` are false; everything else is true, empty text too.
    func flag(_ name: String) -> Bool {
        guard let value = self[name] else { return false }
        return !["0", "false"].contains(value.lowercased())
    }

    func integer(_ name: String) throws(KubeStatus) -> Int? {
        guard let value = self[name], !value.isEmpty else { return nil }
        if let number = Int(value) { return number }
        let digits = value.hasPrefix("-") || value.hasPrefix("+") ? value.dropFirst() : value[...]
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let problem = isNumber ? "value out of range" : "invalid syntax"
        throw .badRequest("strconv.ParseInt: parsing \(FieldErrors.quoted(value)): \(problem)")
    }
}

/// The parameters of list, watch and deletecollection.
struct ListOptions: Sendable {
    enum Match: String, Sendable { case exact = "Exact", notOlderThan = "NotOlderThan" }

    var labels = LabelSelector()
    var fields = FieldSelector()
    var limit: Int?
    var continuation: Continuation?
    /// `nil`: unset; 0: any.
    var version: Int64?
    var match: Match?
    var isWatch = false
    var wantsBookmarks = false
    /// `nil`: not said.
    var sendsInitialEvents: Bool?
    var timeoutSeconds: Int?

    init() {}

    init(_ query: Query) throws(KubeStatus) {
        isWatch = query.flag("watch")
        limit = try query.integer("limit").flatMap { $0 > 0 ? min($0, Int(Int32.max)) : nil }
        timeoutSeconds = try query.integer("timeoutSeconds")
        wantsBookmarks = query.flag("allowWatchBookmarks")
        if query["sendInitialEvents"] != nil { sendsInitialEvents = query.flag("sendInitialEvents") }
        labels = try LabelSelectorText.parse(query["labelSelector"] ?? "")
        fields = try FieldSelector(parsing: query["fieldSelector"] ?? "")
        version = try Self.version(query["resourceVersion"] ?? "", isList: !isWatch)
        try readMatch(query)
        if let text = query["continue"], !text.isEmpty {
            continuation = try Continuation(parsing: text)
            guard version == nil || version == 0 else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
        }
    }

    /// A list says of what the version is invalid before it says why.
    static func version(_ text: String, isList: Bool = false) throws(KubeStatus) -> Int64? {
        guard !text.isEmpty else { return nil }
        let prefix = isList ? "invalid resource version: " : ""
        guard let number = Int64(text), number >= 0 else {
            throw .badRequest(
                "\(prefix)resourceVersion: Invalid value: \(FieldErrors.quoted(text)): "
                    + "strconv.ParseUint: parsing \(FieldErrors.quoted(text)): "
                    + (text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? "value out of range" : "invalid syntax")
            )
        }
        return number
    }

    private mutating func readMatch(_ query: Query) throws(KubeStatus) {
        var errors = FieldErrors()
        let text = query["resourceVersionMatch"] ?? ""
        let field = "resourceVersionMatch"
        if isWatch {
            checkWatch(text, query, &errors)
        } else if sendsInitialEvents != nil {
            errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
        } else if !text.isEmpty {
            if version == nil {
                errors.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")
            }
            if !(query["continue"] ?? "").isEmpty {
                errors.forbidden(field, "resourceVersionMatch is forbidden when continue is provided")
            }
            if Match(rawValue: text) == nil { errors.notSupported(field, text, ["Exact", "NotOlderThan", ""]) }
            if text == "Exact", version == 0 {
                errors.forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
            }
        }
        guard errors.isEmpty else {
            throw .invalid(errors, kind: "ListOptions", group: "meta.k8s.io", name: "")
        }
        match = Match(rawValue: text)
    }

    private func checkWatch(_ match: String, _ query: Query, _ errors: inout FieldErrors) {
        let field = "resourceVersionMatch"
        if sendsInitialEvents != nil, match != Match.notOlderThan.rawValue {
            errors.forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        if !match.isEmpty, sendsInitialEvents == nil {
            errors.forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        }
        if !match.isEmpty, match != Match.notOlderThan.rawValue {
            errors.notSupported(field, match, [Match.notOlderThan.rawValue])
        }
        if !(query["continue"] ?? "").isEmpty {
            errors.forbidden(field, "resourceVersionMatch is forbidden when continue is provided")
        }
    }
}
