// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API demands of one container.
struct ContainerRules {
    private let container: JSON
    private let field: String
    private let volumes: Set<String>
    private let isInitial: Bool
    /// How long the pod has to stop.
    private let grace: Int

    init(_ container: JSON, _ field: String, _ volumes: Set<String>, isInitial: Bool, grace: Int) {
        self.grace = grace
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
        SecurityRules.checkContainer(container["securityContext"], "\(field).securityContext", &errors)
    }

    private func checkPolicies(_ errors: inout FieldErrors) {
        let pull = container["imagePullPolicy"]?.string ?? ""
        let pulls = ["Always", "IfNotPresent", "Never"]
        if !pulls.contains(pull) { errors.notSupported("\(field).imagePullPolicy", pull, pulls) }
        let message = container["terminationMessagePolicy"]?.string ?? ""
        let messages = ["File", "FallbackToLogsOnError"]
        if message.isEmpty {
            errors.required("\(field).terminationMessagePolicy")
        } else if !messages.contains(message) {
            errors.notSupported("\(field).terminationMessagePolicy", message, messages)
        }
        let restarts = ["Always", "Never", "OnFailure"]
        if let policy = container["restartPolicy"]?.string, !restarts.contains(policy) {
            errors.notSupported("\(field).restartPolicy", policy, restarts)
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
        var taken: Set<String> = []
        for (place, port) in (container["ports"]?.array ?? []).enumerated() {
            guard let host = port["hostPort"]?.int, host != 0 else { continue }
            let text = "\(port["protocol"]?.string ?? "")/\(port["hostIP"]?.string ?? "")/\(host)"
            if !taken.insert(text).inserted { errors.duplicate("\(field).ports[\(place)].hostPort", .string(text)) }
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
            for kind in kinds {
                let name = source[path: kind, "name"]?.string ?? ""
                if name.isEmpty { errors.required("\(at).\(kind).name") }
                for problem in name.isEmpty ? [] : NameRules.dnsSubdomainProblems(name) {
                    errors.invalid("\(at).\(kind).name", name, problem)
                }
            }
            // Said of the whole list, as the real server does.
            let list = "\(field).envFrom"
            if kinds.isEmpty { errors.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`") }
            if kinds.count > 1 { errors.invalid(list, "", "may not have more than one field specified at a time") }
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
        if let reference = source["resourceFieldRef"] {
            ResourceReferenceRules.check(reference, "\(at).resourceFieldRef", needsContainer: false, &errors)
        }
        for kind in ["configMapKeyRef", "secretKeyRef"] {
            guard let reference = source[kind] else { continue }
            let name = reference["name"]?.string ?? ""
            for problem in NameRules.dnsSubdomainProblems(name) { errors.invalid("\(at).\(kind).name", name, problem) }
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
            if name.isEmpty { errors.required("\(at).name") }
            if !volumes.contains(name) { errors.notFound("\(at).name", name) }
            let path = mount["mountPath"]?.string ?? ""
            if path.isEmpty { errors.required("\(at).mountPath") }
            if !path.isEmpty, !paths.insert(path).inserted {
                errors.invalid("\(at).mountPath", path, "must be unique")
            }
            let sub = mount["subPath"]?.string ?? ""
            let expression = mount["subPathExpr"]?.string ?? ""
            // What follows is said of the whole list, as the real server does.
            let list = "\(field).volumeMounts"
            if !sub.isEmpty { RelativePath.check(sub, "\(list).subPath", &errors) }
            if !expression.isEmpty {
                if !sub.isEmpty {
                    errors.invalid("\(at).subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
                }
                RelativePath.check(expression, "\(list).subPathExpr", &errors)
            }
            checkPropagation(mount, list, &errors)
        }
    }

    private func checkPropagation(_ mount: JSON, _ list: String, _ errors: inout FieldErrors) {
        if let mode = mount["mountPropagation"]?.string {
            let supported = ["Bidirectional", "HostToContainer", "None"]
            if !supported.contains(mode) { errors.notSupported("\(list).mountPropagation", mode, supported) }
            if mode == "Bidirectional", container[path: "securityContext", "privileged"]?.bool != true {
                errors.forbidden(
                    "\(list).mountPropagation",
                    "Bidirectional mount propagation is available only to privileged containers"
                )
            }
        }
        guard let mode = mount["recursiveReadOnly"]?.string else { return }
        let supported = ["Disabled", "Enabled", "IfPossible"]
        if !supported.contains(mode) {
            errors.notSupported("\(list).recursiveReadOnly", mode, supported)
        } else if mode != "Disabled", mount["readOnly"]?.bool != true {
            errors.forbidden("\(list).recursiveReadOnly", "may only be specified when readOnly is true")
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
            if member == "readinessProbe", let seconds = probe["terminationGracePeriodSeconds"]?.int {
                errors.invalid(
                    "\(field).\(member).terminationGracePeriodSeconds",
                    seconds,
                    "must not be set for readinessProbes"
                )
            }
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
                grace: grace,
                &errors
            )
        }
    }
}

enum RelativePath {
    static func check(_ path: String, _ field: String, _ errors: inout FieldErrors) {
        if path.hasPrefix("/") { errors.invalid(field, path, "must be a relative path") }
        if path.split(separator: "/").contains("..") { errors.invalid(field, path, "must not contain '..'") }
    }
}

/// A container's own requests and limits, as a variable or a file of it.
enum ResourceReferenceRules {
    private static let known = [
        "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
        "requests.memory",
    ]

    static func check(_ reference: JSON, _ at: String, needsContainer: Bool, _ errors: inout FieldErrors) {
        let name = reference["resource"]?.string ?? ""
        if needsContainer, (reference["containerName"]?.string ?? "").isEmpty {
            errors.required("\(at).containerName")
        } else if name.isEmpty {
            errors.required("\(at).resource")
        } else if !known.contains(name), !name.contains(".hugepages-") {
            errors.notSupported("\(at).resource", name, known)
        }
        guard let divisor = reference["divisor"]?.string.flatMap({ Quantity($0) }), divisor.nanos != 0 else { return }
        let (allowed, words): ([String], String) =
            if name.hasSuffix(".cpu") {
                (["1m", "1"], "only divisor's values 1m and 1 are supported with the cpu resource")
            } else if name.hasSuffix(".memory") {
                (
                    ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"],
                    "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with "
                        + "the memory resource"
                )
            } else if name.hasSuffix(".ephemeral-storage") {
                (
                    ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"],
                    "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with "
                        + "the local ephemeral storage resource"
                )
            } else { ([], "") }
        guard !allowed.isEmpty, !allowed.contains(where: { Quantity($0) == divisor }) else { return }
        errors.invalid("\(at).divisor", name, words)
    }
}

enum FieldReferenceRules {
    /// Fields of pods that can be selected, though no variable can show them.
    private static func isSelectable(_ path: String) -> Bool {
        [
            "metadata.name", "metadata.namespace", "metadata.uid", "metadata.annotations", "metadata.labels",
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs",
            "status.nominatedNodeName",
            "spec.host",
        ].contains(path)
    }

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
        guard version == "v1" else {
            return errors.invalid(
                "\(at).fieldPath",
                path,
                "error converting fieldPath: unsupported pod version: \(version)"
            )
        }
        if !supported.contains(path) {
            guard path.hasPrefix("metadata.annotations[") || path.hasPrefix("metadata.labels[") || isSelectable(path)
            else {
                return errors.invalid(
                    "\(at).fieldPath",
                    path,
                    "error converting fieldPath: field label not supported: \(path)"
                )
            }
            if path.hasPrefix("metadata.annotations[") || path.hasPrefix("metadata.labels[") {
                return errors.invalid("\(at).fieldPath", path, "invalid field path")
            }
            errors.notSupported("\(at).fieldPath", path, supported)
        }
    }
}
