// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct IngressClassStrategy: KindStrategy {
    let traits = KindTraits(generationFields: ["spec"])

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let controller = spec["controller"]?.string ?? ""
        if controller.isEmpty {
            errors.required("spec.controller")
        } else {
            if controller.utf8.count > 250 { errors.tooLong("spec.controller", 250) }
            checkDomainPrefixed(controller, "spec.controller", &errors)
        }
        if let parameters = spec["parameters"] { check(parameters, "spec.parameters", &errors) }
    }

    private func checkDomainPrefixed(_ path: String, _ field: String, _ errors: inout FieldErrors) {
        let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            return errors.invalid(field, path, "must be a domain-prefixed path (such as \"acme.io/foo\")")
        }
        for problem in NameRules.dnsSubdomainProblems(parts[0]) { errors.invalid(field, parts[0], problem) }
        let isPath = parts[1].utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !"\"#<>?[\\]^`{|}%".utf8.contains(byte)
        }
        if !isPath { errors.invalid(field, parts[1], "Invalid path") }
    }

    private func check(_ parameters: JSON, _ field: String, _ errors: inout FieldErrors) {
        for member in ["kind", "name"] {
            let text = parameters[member]?.string ?? ""
            if text.isEmpty { errors.required("\(field).\(member)") }
        }
        let scopes = ["Cluster", "Namespace"]
        let (scope, namespace) = (parameters["scope"]?.string, parameters["namespace"]?.string)
        guard let scope else { return errors.required("\(field).scope") }
        if !scopes.contains(scope) { errors.notSupported("\(field).scope", scope, scopes) }
        if scope == "Namespace" {
            if namespace == nil { errors.required("\(field).namespace", "`parameters.scope` is set to 'Namespace'") }
        } else if namespace != nil {
            errors.forbidden("\(field).namespace", "`parameters.scope` is set to 'Cluster'")
        }
    }

    func setDefaults(_ object: inout JSON) {
        guard object[path: "spec", "parameters"]?.object != nil, object[path: "spec", "parameters", "scope"] == nil
        else {
            return
        }
        object.set("Cluster", at: ["spec", "parameters", "scope"])
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let (now, before) = (object[path: "spec", "controller"], old[path: "spec", "controller"])
        if now != before { errors.invalid("spec.controller", now ?? "", "field is immutable") }
    }
}

struct IngressClassColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Controller"), .text("Parameters"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        let spec = object["spec"] ?? [:]
        var parameters = "<none>"
        if let given = spec["parameters"], given.object != nil {
            let group = given["apiGroup"]?.string.map { ".\($0)" } ?? ""
            parameters = "\(given["kind"]?.string ?? "")\(group)/\(given["name"]?.string ?? "")"
        }
        return [Cell.name(object), Cell.text(spec["controller"]), .string(parameters), Age.of(object, now)]
    }
}

extension KubernetesServer {
    /// What of a new or changed Ingress the edge will not do.
    func notices(about object: JSON, _ resource: Resource) throws(KubeStatus) -> [String] {
        guard resource.type == .ingresses, configuration.warnsOfUnservedIngresses else { return [] }
        let ingress = KubeObject(object)
        var texts: [String] = []
        if let name = EdgeClasses.className(of: ingress), !(try edgeClasses().serve(ingress)) {
            texts.append(
                "spec.ingressClassName: no edge of this cluster serves the class \(FieldErrors.quoted(name)); "
                    + "the class of its own edge is \(FieldErrors.quoted(EdgeClasses.name))"
            )
        }
        if !(ingress.spec["tls"]?.array ?? []).isEmpty {
            texts.append("spec.tls: has no effect on this cluster's edge, which answers plain HTTP only")
        }
        for name in EdgeClasses.ignoredAnnotations(of: ingress) {
            texts.append("metadata.annotations[\(name)]: has no effect on this cluster's edge")
        }
        return texts
    }

    private func edgeClasses() throws(KubeStatus) -> EdgeClasses {
        guard let resource = catalog.resource(of: .ingressClasses) else { return EdgeClasses([]) }
        var classes: [KubeObject] = []
        for stored in try page(resource, nil, ListOptions()).items {
            classes.append(KubeObject(try StoredJSON.parse(stored.value, as: nil)))
        }
        return EdgeClasses(classes)
    }
}
