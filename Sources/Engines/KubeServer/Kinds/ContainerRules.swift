// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of one container.
struct ContainerRules {
    private let container: JSON
    private let field: String
    private let volumes: Set<String>
    private let isInitial: Bool

    init(_ container: JSON, _ field: String, _ volumes: Set<String>, isInitial: Bool) {
        self.container = container
        self.field = field
        self.volumes = volumes
        self.isInitial = isInitial
    }

    func check(_ errors: inout FieldErrors) {
        let image = container["image"]?.string ?? ""
        if image.isEmpty {
            errors.required("\(field).image")
        } else if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            errors.invalid("\(field).image", image, "must not have leading or trailing whitespace")
        }
        checkPolicies(&errors)
        checkPorts(&errors)
        checkEnvironment(&errors)
        checkMounts(&errors)
        checkProbes(&errors)
        checkLifecycle(&errors)
        ResourceRules.check(container["resources"] ?? [:], "\(field).resources", &errors)
        checkSecurity(&errors)
    }

    private func checkPolicies(_ errors: inout FieldErrors) {
        let pull = container["imagePullPolicy"]?.string ?? ""
        let pulls = ["Always", "IfNotPresent", "Never"]
        if !pulls.contains(pull) { errors.notSupported("\(field).imagePullPolicy", pull, pulls) }
        let message = container["terminationMessagePolicy"]?.string ?? ""
        let messages = ["FallbackToLogsOnError", "File"]
        if message.isEmpty {
            errors.required("\(field).terminationMessagePolicy")
        } else if !messages.contains(message) {
            errors.notSupported("\(field).terminationMessagePolicy", message, messages)
        }
        if isInitial, let policy = container["restartPolicy"]?.string, policy != "Always" {
            errors.notSupported("\(field).restartPolicy", policy, ["Always"])
        }
    }

    private func checkPorts(_ errors: inout FieldErrors) {
        var names: Set<String> = []
        for (place, port) in (container["ports"]?.array ?? []).enumerated() {
            let at = "\(field).ports[\(place)]"
            if let name = port["name"]?.string, !name.isEmpty {
                for problem in NameRules.portNameProblems(name) { errors.invalid("\(at).name", name, problem) }
                if !names.insert(name).inserted { errors.duplicate("\(at).name", .string(name)) }
            }
            let number = port["containerPort"]?.int ?? 0
            if number == 0 {
                errors.required("\(at).containerPort")
            } else if !NameRules.isPort(number) {
                errors.invalid("\(at).containerPort", number, NameRules.portRange)
            }
            if let host = port["hostPort"]?.int, host != 0, !NameRules.isPort(host) {
                errors.invalid("\(at).hostPort", host, NameRules.portRange)
            }
            let transport = port["protocol"]?.string ?? ""
            let supported = ["SCTP", "TCP", "UDP"]
            if transport.isEmpty {
                errors.required("\(at).protocol")
            } else if !supported.contains(transport) {
                errors.notSupported("\(at).protocol", transport, supported)
            }
        }
    }

    private static let fieldPaths = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]

    private func checkEnvironment(_ errors: inout FieldErrors) {
        for (place, variable) in (container["env"]?.array ?? []).enumerated() {
            let at = "\(field).env[\(place)]"
            let name = variable["name"]?.string ?? ""
            if name.isEmpty {
                errors.required("\(at).name")
            } else {
                for problem in Self.variableNameProblems(name) { errors.invalid("\(at).name", name, problem) }
            }
            if let source = variable["valueFrom"] { checkSource(source, variable, "\(at).valueFrom", &errors) }
        }
        for (place, source) in (container["envFrom"]?.array ?? []).enumerated() {
            let at = "\(field).envFrom[\(place)]"
            let kinds = ["configMapRef", "secretRef"].filter { source[$0] != nil }
            if kinds.isEmpty { errors.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`") }
            if kinds.count > 1 { errors.invalid(at, "", "may not have more than one field specified at a time") }
            for kind in kinds where (source[path: kind, "name"]?.string ?? "").isEmpty {
                errors.required("\(at).\(kind).name")
            }
        }
    }

    /// Printable ASCII without `=`.
    private static func variableNameProblems(_ name: String) -> [String] {
        let isFine = name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x3D }
        return isFine
            ? []
            : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    }

    private func checkSource(_ source: JSON, _ variable: JSON, _ at: String, _ errors: inout FieldErrors) {
        let kinds = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"]
            .filter { source[$0] != nil }
        if kinds.isEmpty {
            errors.invalid(
                at,
                "",
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            )
        }
        if !(variable["value"]?.string ?? "").isEmpty, !kinds.isEmpty {
            errors.invalid(at, "", "may not be specified when `value` is not empty")
        } else if kinds.count > 1 {
            errors.invalid(at, "", "may not have more than one field specified at a time")
        }
        if let reference = source["fieldRef"] {
            FieldReferenceRules.check(reference, "\(at).fieldRef", Self.fieldPaths, &errors)
        }
        for kind in ["configMapKeyRef", "secretKeyRef"] {
            guard let reference = source[kind] else { continue }
            if (reference["name"]?.string ?? "").isEmpty { errors.required("\(at).\(kind).name") }
            let key = reference["key"]?.string ?? ""
            if key.isEmpty {
                errors.required("\(at).\(kind).key")
            } else {
                for problem in NameRules.configKeyProblems(key) { errors.invalid("\(at).\(kind).key", key, problem) }
            }
        }
    }

    private func checkMounts(_ errors: inout FieldErrors) {
        var paths: Set<String> = []
        for (place, mount) in (container["volumeMounts"]?.array ?? []).enumerated() {
            let at = "\(field).volumeMounts[\(place)]"
            let name = mount["name"]?.string ?? ""
            if name.isEmpty {
                errors.required("\(at).name")
            } else if !volumes.contains(name) {
                errors.notFound("\(at).name", name)
            }
            let path = mount["mountPath"]?.string ?? ""
            if path.isEmpty { errors.required("\(at).mountPath") }
            if !path.isEmpty, !paths.insert(path).inserted {
                errors.invalid("\(at).mountPath", path, "must be unique")
            }
            let sub = mount["subPath"]?.string ?? ""
            let expression = mount["subPathExpr"]?.string ?? ""
            if !sub.isEmpty { RelativePath.check(sub, "\(at).subPath", &errors) }
            if !expression.isEmpty {
                if !sub.isEmpty {
                    errors.invalid("\(at).subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
                }
                RelativePath.check(expression, "\(at).subPathExpr", &errors)
            }
        }
    }

    private func checkProbes(_ errors: inout FieldErrors) {
        for member in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard let probe = container[member] else { continue }
            if isInitial, container["restartPolicy"]?.string != "Always" {
                errors.forbidden(
                    "\(field).\(member)",
                    "may not be set for init containers without restartPolicy=Always"
                )
                continue
            }
            ProbeRules.check(probe, "\(field).\(member)", &errors)
            if member != "readinessProbe", let threshold = probe["successThreshold"]?.int, threshold != 1 {
                errors.invalid("\(field).\(member).successThreshold", threshold, "must be 1")
            }
        }
    }

    private func checkLifecycle(_ errors: inout FieldErrors) {
        for member in ["postStart", "preStop"] {
            guard let handler = container[path: "lifecycle", member] else { continue }
            if isInitial, container["restartPolicy"]?.string != "Always" {
                errors.forbidden(
                    "\(field).lifecycle",
                    "may not be set for init containers without restartPolicy=Always"
                )
                return
            }
            ProbeRules.checkHandler(
                handler,
                "\(field).lifecycle.\(member)",
                ["exec", "httpGet", "tcpSocket", "sleep"],
                &errors
            )
        }
    }

    private func checkSecurity(_ errors: inout FieldErrors) {
        guard let context = container["securityContext"] else { return }
        let at = "\(field).securityContext"
        for member in ["runAsUser", "runAsGroup"] {
            guard let id = context[member]?.int, !(0...Int(Int32.max)).contains(id) else { continue }
            errors.invalid("\(at).\(member)", id, "must be between 0 and 2147483647, inclusive")
        }
        if context["allowPrivilegeEscalation"]?.bool == false {
            if context["privileged"]?.bool == true {
                errors.invalid(
                    at,
                    .object(context.object ?? [:]),
                    "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
                )
            }
            let added = (context[path: "capabilities", "add"]?.array ?? []).compactMap(\.string)
            if added.contains("CAP_SYS_ADMIN") {
                errors.invalid(
                    at,
                    .object(context.object ?? [:]),
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
                )
            }
        }
    }
}

enum RelativePath {
    static func check(_ path: String, _ field: String, _ errors: inout FieldErrors) {
        if path.hasPrefix("/") { errors.invalid(field, path, "must be a relative path") }
        if path.split(separator: "/").contains("..") { errors.invalid(field, path, "must not contain '..'") }
    }
}

enum FieldReferenceRules {
    static func check(_ reference: JSON, _ at: String, _ supported: [String], _ errors: inout FieldErrors) {
        let version = reference["apiVersion"]?.string ?? ""
        if version.isEmpty { return errors.required("\(at).apiVersion") }
        let path = reference["fieldPath"]?.string ?? ""
        if path.isEmpty { return errors.required("\(at).fieldPath") }
        for map in ["metadata.annotations", "metadata.labels"] where path.hasPrefix("\(map)['") && path.hasSuffix("']")
        {
            let key = String(path.dropFirst(map.count + 2).dropLast(2))
            let problems = NameRules.qualifiedNameProblems(map.hasSuffix("annotations") ? key.lowercased() : key)
            for problem in problems { errors.invalid(at, key, problem) }
            return
        }
        if !supported.contains(path) {
            if path.hasPrefix("metadata.annotations[") || path.hasPrefix("metadata.labels[") {
                return errors.invalid("\(at).fieldPath", path, "invalid field path")
            }
            errors.notSupported("\(at).fieldPath", path, supported)
        }
    }
}
