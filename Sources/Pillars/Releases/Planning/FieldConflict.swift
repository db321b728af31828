// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// A field that somebody else owns and gives another value.
package struct FieldConflict: Sendable, Hashable {
    /// `.spec.replicas`, as the server names it.
    package var field: String
    package var manager: String
    /// `Apply` or `Update`.
    package var operation: String
    /// Through which the field was written: `scale` for `kubectl scale`.
    package var subresource = ""
    package var time: Timestamp?

    /// The conflicts that a refused server-side apply names; empty where it was refused for something else.
    ///
    /// `live` is asked for what the answer leaves out.
    static func all(in failure: Failure, live: KubeObject?) -> [FieldConflict] {
        guard let status = failure.status, status.code == 409 else { return [] }
        return status.causes.filter { $0.reason == "FieldManagerConflict" }.map { cause in
            var conflict = FieldConflict(reading: cause)
            let entries = live.map { ManagedEntry.entries(of: $0) } ?? []
            let entry = entries.last {
                $0.manager == conflict.manager && $0.operation == conflict.operation
                    && $0.subresource == conflict.subresource
            }
            if conflict.time == nil { conflict.time = entry?.time.flatMap { Timestamp($0) } }
            return conflict
        }.sorted { ($0.field, $0.manager) < ($1.field, $1.manager) }
    }

    /// Reads `conflict with "kubectl-edit" with subresource "scale" using apps/v1 at 2026-11-23T20:00:00Z`.
    private init(reading cause: KubeStatus.Cause) {
        field = cause.field ?? ""
        let parts = cause.message.split(separator: "\"", omittingEmptySubsequences: false)
        manager = parts.count > 1 ? String(parts[1]) : "somebody"
        let rest = parts.dropFirst(2).joined(separator: "\"")
        operation = rest.contains(" using ") || rest.contains("subresource") ? "Update" : "Apply"
        if rest.hasPrefix(" with subresource \""), parts.count > 3 { subresource = String(parts[3]) }
        let words = rest.split(separator: " ")
        if let at = words.lastIndex(of: "at"), at + 1 < words.endIndex { time = Timestamp(String(words[at + 1])) }
    }

    /// `.spec.replicas is owned by 'kubectl' (Update of scale, 2026-11-23T20:00:00Z)`.
    var words: String {
        let way = subresource.isEmpty ? operation : "\(operation) of \(subresource)"
        return "\(field) is owned by '\(manager)' (\(way)\(time.map { ", \($0)" } ?? ""))"
    }

    /// An autoscaler's count is what the load asks for: the app's own is where that began.
    var isOfAutoscaler: Bool { manager == "kube-controller-manager" && subresource == "scale" }

    package var json: JSON {
        var json: JSON = [
            "field": .string(field), "manager": .string(manager), "operation": .string(operation),
        ]
        if !subresource.isEmpty { json["subresource"] = .string(subresource) }
        if let time { json["time"] = .string(time.description) }
        return json
    }
}

/// Which contested fields a release may take over.
package struct TakenFields: Sendable, Hashable {
    private var takesAll = false
    private var rules: [Rule] = []

    private struct Rule: Hashable {
        /// `deployment/cart`; `nil`: every object.
        var object: String?
        /// `nil`: every field.
        var field: String?
    }

    /// Nothing is taken.
    package init() {}

    /// Whatever is contested.
    static var all: TakenFields {
        var taken = TakenFields()
        taken.takesAll = true
        return taken
    }

    /// Reads `all`, `.spec.replicas`, `deployment/cart` and `deployment/cart:.spec.replicas`.
    ///
    /// Throws `invalidInput` for anything else.
    package init(_ texts: [String]) throws {
        for text in texts {
            if text == "all" {
                takesAll = true
                continue
            }
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isField = parts[0].hasPrefix(".") || parts[0].hasPrefix("spec.") || parts[0].hasPrefix("metadata.")
            let (object, field): (String?, String?) =
                isField ? (nil, text) : (parts[0].lowercased(), parts.count > 1 ? parts[1] : nil)
            guard object.map({ $0.split(separator: "/").count == 2 }) ?? true, field != "" else {
                throw Failure(
                    .invalidInput,
                    "'\(text)' says nothing to take: write 'all', a field such as '.spec.replicas', an object such as 'deployment/cart', or both as 'deployment/cart:.spec.replicas'"
                )
            }
            rules.append(Rule(object: object, field: field.map { $0.hasPrefix(".") ? $0 : ".\($0)" }))
        }
    }

    package var isEmpty: Bool { !takesAll && rules.isEmpty }

    func takes(_ conflict: FieldConflict, of reference: ObjectReference) -> Bool {
        takesAll
            || rules.contains { rule in
                let isObject = rule.object.map { reference.isCalled($0) } ?? true
                let isField = rule.field.map { conflict.field == $0 || conflict.field.hasPrefix("\($0).") } ?? true
                return isObject && isField
            }
    }
}

extension ObjectReference {
    /// `deployment/cart`, `deployments/cart` or `deployments.apps/cart`.
    fileprivate func isCalled(_ text: String) -> Bool {
        [type.kind.lowercased(), type.plural, type.description].contains { "\($0)/\(name)" == text }
    }
}
