// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What of a pod may change once it is there.
struct PodUpdateRules {
    private let new: JSON
    private let old: JSON
    private static let containerLists = ["containers", "initContainers"]

    /// Both are whole pods.
    init(_ object: JSON, from former: JSON) {
        new = object["spec"] ?? [:]
        old = former["spec"] ?? [:]
    }

    func check(_ errors: inout FieldErrors) {
        for member in Self.containerLists {
            guard checkImages(member, &errors) else { return }
        }
        guard checkDeadline(&errors) else { return }
        checkTolerations(&errors)
        checkGates(&errors)
        guard new != old else { return }
        checkRest(&errors)
    }

    /// Whether the rest can be looked at.
    private func checkImages(_ member: String, _ errors: inout FieldErrors) -> Bool {
        let containers = new[member]?.array ?? []
        guard containers.count == old[member]?.array?.count ?? 0 else {
            errors.forbidden("spec.\(member)", "pod updates may not add or remove containers")
            return false
        }
        for (place, container) in containers.enumerated() {
            let image = container["image"]?.string ?? ""
            let field = "spec.\(member)[\(place)].image"
            if image.isEmpty { errors.required(field) }
            if image.first?.isWhitespace ?? false || image.last?.isWhitespace ?? false {
                errors.invalid(field, image, "must not have leading or trailing whitespace")
            }
        }
        return true
    }

    private func checkDeadline(_ errors: inout FieldErrors) -> Bool {
        let field = "spec.activeDeadlineSeconds"
        let former = old["activeDeadlineSeconds"]?.int
        guard let seconds = new["activeDeadlineSeconds"]?.int else {
            if former != nil {
                errors.invalid(field, .null, "must not update from a positive integer to nil value")
            }
            return true
        }
        guard (0...Int(Int32.max)).contains(seconds) else {
            errors.invalid(field, seconds, "must be between 0 and 2147483647, inclusive")
            return false
        }
        guard seconds <= former ?? seconds else {
            errors.invalid(field, seconds, "must be less than or equal to previous value")
            return false
        }
        return true
    }

    private func checkTolerations(_ errors: inout FieldErrors) {
        func timeless(_ toleration: JSON) -> JSON {
            var result = toleration
            result["tolerationSeconds"] = nil
            return result
        }
        let tolerations = new["tolerations"]?.array ?? []
        let known = tolerations.map(timeless)
        guard (old["tolerations"]?.array ?? []).allSatisfy({ known.contains(timeless($0)) }) else {
            return errors.forbidden(
                "spec.tolerations",
                "existing toleration can not be modified except its tolerationSeconds"
            )
        }
        for (place, toleration) in tolerations.enumerated() {
            TolerationRules.check(toleration, "spec.tolerations[\(place)]", &errors)
        }
    }

    private func checkGates(_ errors: inout FieldErrors) {
        let known = Set((old["schedulingGates"]?.array ?? []).compactMap { $0["name"]?.string })
        for (place, gate) in (new["schedulingGates"]?.array ?? []).enumerated() {
            guard let name = gate["name"]?.string, !known.contains(name) else { continue }
            errors.forbidden(
                "spec.schedulingGates[\(place)].name",
                "only deletion is allowed, but found new scheduling gate '\(name)'"
            )
        }
    }

    private static let changeable =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

    /// Everything that has no rule of its own stays; what differs is shown line by line.
    private func checkRest(_ errors: inout FieldErrors) {
        var kept = new
        for member in Self.containerLists {
            let former = old[member]?.array ?? []
            guard let containers = kept[member]?.array else { continue }
            kept[member] = .array(
                zip(containers, former).map { container, before in
                    var result = container
                    result["image"] = before["image"]
                    return result
                }
            )
        }
        for member in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] { kept[member] = old[member] }
        if let grace = old["terminationGracePeriodSeconds"]?.int, grace < 0, kept["terminationGracePeriodSeconds"] == 1
        {
            kept["terminationGracePeriodSeconds"] = JSON(grace)
        }
        if !(old["schedulingGates"]?.array ?? []).isEmpty { checkGated(&kept, &errors) }
        let before = InternalForm.value(old, as: "PodSpec")
        let after = InternalForm.value(kept, as: "PodSpec")
        guard before != after else { return }
        let difference = UnifiedDiff(before.indentedLines, after.indentedLines)
        errors.forbidden("spec", "\(Self.changeable)\n\(difference.text)")
    }

    /// A pod that is held back may be narrowed down to fewer nodes.
    private func checkGated(_ kept: inout JSON, _ errors: inout FieldErrors) {
        let former = old["nodeSelector"]?.stringMap ?? [:]
        let selector = kept["nodeSelector"]?.stringMap ?? [:]
        if former.contains(where: { selector[$0.key] != $0.value }) {
            errors.invalid(
                "spec.nodeSelector",
                kept["nodeSelector"] ?? .null,
                "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            )
        }
        kept["nodeSelector"] = old["nodeSelector"]
        let path = ["affinity", "nodeAffinity"]
        let (now, before) = (kept[path: path], old[path: path])
        guard now != before else { return }
        checkTerms(now, before, &errors)
        kept.set(before, at: path)
        if old["affinity"] == nil, kept["affinity"]?.object?.isEmpty ?? false { kept["affinity"] = nil }
    }

    private func checkTerms(_ now: JSON?, _ before: JSON?, _ errors: inout FieldErrors) {
        let path = ["requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"]
        let field = "spec.affinity.nodeAffinity." + path.joined(separator: ".")
        let former = before?[path: path]?.array ?? []
        let terms = now?[path: path]?.array ?? []
        guard !former.isEmpty else { return }
        guard former.count == terms.count else {
            return errors.invalid(
                field,
                InternalForm.list(now?[path: path], of: "NodeSelectorTerm"),
                "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
            )
        }
        for (place, term) in terms.enumerated() {
            guard !Self.isKept(former[place], in: term) else { continue }
            errors.invalid(
                "\(field)[\(place)]",
                InternalForm.value(term, as: "NodeSelectorTerm"),
                "only additions are allowed (no mutations or deletions)"
            )
        }
    }

    /// What a term asked for it still asks for, first; one that asked for nothing stays so.
    private static func isKept(_ former: JSON, in term: JSON) -> Bool {
        let members = ["matchExpressions", "matchFields"]
        func demands(_ term: JSON, _ member: String) -> [JSON] { term[member]?.array ?? [] }
        guard members.contains(where: { !demands(former, $0).isEmpty }) else {
            return members.allSatisfy { demands(term, $0).isEmpty }
        }
        return members.allSatisfy { member in
            let wanted = demands(former, member)
            return Array(demands(term, member).prefix(wanted.count)) == wanted
        }
    }
}
