// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What the API fills into pods and pod templates.
enum PodDefaults {
    /// For a pod's or a template's `spec`.
    static func fill(_ spec: inout JSON) {
        setIfAbsent(&spec, "restartPolicy", "Always")
        setIfAbsent(&spec, "terminationGracePeriodSeconds", 30)
        setIfAbsent(&spec, "dnsPolicy", "ClusterFirst")
        setIfAbsent(&spec, "securityContext", [:])
        setIfAbsent(&spec, "schedulerName", "default-scheduler")
        let usesHostNetwork = spec["hostNetwork"]?.bool == true
        for member in ["initContainers", "containers", "ephemeralContainers"] {
            each(&spec, member) { container(&$0, usesHostNetwork: usesHostNetwork) }
        }
        each(&spec, "volumes") { volume(&$0) }
        each(&spec, "topologySpreadConstraints") { _ in }
        // The older name of the same field follows the newer one.
        if let account = spec["serviceAccountName"], spec["serviceAccount"] == nil { spec["serviceAccount"] = account }
        if let account = spec["serviceAccount"], spec["serviceAccountName"] == nil {
            spec["serviceAccountName"] = account
        }
    }

    /// For pods alone: what templates are spared.
    static func fillPod(_ object: inout JSON) {
        var spec = object["spec"] ?? [:]
        setIfAbsent(&spec, "enableServiceLinks", true)
        if let grace = spec["terminationGracePeriodSeconds"]?.int, grace < 0 {
            spec["terminationGracePeriodSeconds"] = 1
        }
        for (name, amount) in spec[path: "resources", "limits"]?.object ?? [:]
        where spec[path: "resources", "requests", name] == nil {
            spec.set(amount, at: ["resources", "requests", name])
        }
        for member in ["initContainers", "containers"] {
            each(&spec, member) { container in
                // What is limited is also requested.
                for (name, amount) in container[path: "resources", "limits"]?.object ?? [:]
                where container[path: "resources", "requests", name] == nil {
                    container.set(amount, at: ["resources", "requests", name])
                }
            }
        }
        object["spec"] = spec
    }

    static func setIfAbsent(_ object: inout JSON, _ member: String, _ value: JSON) {
        switch object[member] {
        case nil, .null?: object[member] = value
        case .string("")?: object[member] = value
        default: break
        }
    }

    /// Changes every element of a list that is there.
    static func each(_ object: inout JSON, _ member: String, _ change: (inout JSON) -> Void) {
        guard var elements = object[member]?.array else { return }
        object[member] = .null
        for place in elements.indices { change(&elements[place]) }
        object[member] = .array(elements)
    }

    private static func container(_ container: inout JSON, usesHostNetwork: Bool) {
        setIfAbsent(&container, "imagePullPolicy", .string(pullPolicy(container["image"]?.string ?? "")))
        setIfAbsent(&container, "resources", [:])
        setIfAbsent(&container, "terminationMessagePath", "/dev/termination-log")
        setIfAbsent(&container, "terminationMessagePolicy", "File")
        each(&container, "ports") { port in
            setIfAbsent(&port, "protocol", "TCP")
            if usesHostNetwork, port["hostPort"] == nil { port["hostPort"] = port["containerPort"] }
        }
        each(&container, "env") { variable in
            if var source = variable["valueFrom"] {
                fillDivisor(&source)
                variable["valueFrom"] = source
            }
            guard variable[path: "valueFrom", "fieldRef"] != nil,
                (variable[path: "valueFrom", "fieldRef", "apiVersion"]?.string ?? "").isEmpty
            else { return }
            variable.set("v1", at: ["valueFrom", "fieldRef", "apiVersion"])
        }
        for member in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard var probe = container[member], probe.object != nil else { continue }
            fillProbe(&probe)
            container[member] = probe
        }
        for member in ["postStart", "preStop"] {
            guard var action = container[path: "lifecycle", member, "httpGet"] else { continue }
            fillHTTPGet(&action)
            container.set(action, at: ["lifecycle", member, "httpGet"])
        }
    }

    private static func fillProbe(_ probe: inout JSON) {
        for (member, value) in [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
        ]
        where (probe[member]?.int ?? 0) == 0 {
            probe[member] = JSON(value)
        }
        if var action = probe["httpGet"], action.object != nil {
            fillHTTPGet(&action)
            probe["httpGet"] = action
        }
        if probe["grpc"]?.object != nil, probe[path: "grpc", "service"] == nil {
            probe.set("", at: ["grpc", "service"])
        }
    }

    private static func fillHTTPGet(_ action: inout JSON) {
        setIfAbsent(&action, "path", "/")
        setIfAbsent(&action, "scheme", "HTTP")
    }

    /// Images without a tag, or with `latest`, are pulled every time.
    static func pullPolicy(_ image: String) -> String {
        guard !image.contains("@") else { return "IfNotPresent" }
        let last = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let parts = last.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count > 1, parts[1] != "latest" else { return "Always" }
        return "IfNotPresent"
    }

    private static func volume(_ volume: inout JSON) {
        let name = volume["name"]
        if (volume.object ?? [:]).filter({ $0.key != "name" }).isEmpty {
            volume = ["name": name ?? "", "emptyDir": [:]]
        }
        for member in ["secret", "configMap", "downwardAPI", "projected"]
        where volume[member]?.object != nil && volume[path: member, "defaultMode"] == nil {
            volume.set(420, at: [member, "defaultMode"])
        }
        if volume["hostPath"]?.object != nil, volume[path: "hostPath", "type"] == nil {
            volume.set("", at: ["hostPath", "type"])
        }
        fillFieldRefs(&volume, at: "downwardAPI")
        guard var projected = volume["projected"], projected.object != nil else { return }
        each(&projected, "sources") { source in
            fillFieldRefs(&source, at: "downwardAPI")
            if source["serviceAccountToken"]?.object != nil,
                source[path: "serviceAccountToken", "expirationSeconds"] == nil
            {
                source.set(3600, at: ["serviceAccountToken", "expirationSeconds"])
            }
        }
        volume["projected"] = projected
    }

    /// The real server says an amount even where there is none.
    private static func fillDivisor(_ holder: inout JSON) {
        guard holder["resourceFieldRef"]?.object != nil, holder[path: "resourceFieldRef", "divisor"] == nil else {
            return
        }
        holder.set("0", at: ["resourceFieldRef", "divisor"])
    }

    private static func fillFieldRefs(_ holder: inout JSON, at member: String) {
        guard var source = holder[member], source.object != nil else { return }
        each(&source, "items") { item in
            fillDivisor(&item)
            guard item["fieldRef"]?.object != nil, item[path: "fieldRef", "apiVersion"] == nil else { return }
            item.set("v1", at: ["fieldRef", "apiVersion"])
        }
        holder[member] = source
    }
}

/// What the server's admission adds to new pods.
enum PodAdmission {
    /// For how long a pod stays on a node that is gone, unless it says otherwise.
    static func addTolerations(_ spec: inout JSON) {
        var tolerations = spec["tolerations"]?.array ?? []
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let isTolerated = tolerations.contains { toleration in
                let covers = ["", key].contains(toleration["key"]?.string ?? "")
                let effect = toleration["effect"]?.string ?? ""
                return covers && (effect.isEmpty || effect == "NoExecute")
            }
            guard !isTolerated else { continue }
            tolerations.append([
                "key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            ])
        }
        spec["tolerations"] = .array(tolerations)
    }

    /// How the pod is treated when memory runs short, from its requests and limits.
    static func qualityOfService(_ spec: JSON) -> String {
        // What the pod asks for as a whole stands for what its containers ask for.
        let isWhole = ["requests", "limits"].contains { !(spec[path: "resources", $0]?.object ?? [:]).isEmpty }
        let each = (spec["containers"]?.array ?? []) + (spec["initContainers"]?.array ?? [])
        let containers = isWhole ? [spec] : each
        var isBestEffort = true
        var isGuaranteed = !containers.isEmpty
        for container in containers {
            let resources = container["resources"] ?? [:]
            func amount(_ kind: String, _ name: String) -> Quantity? {
                guard let text = resources[path: kind, name]?.string, let amount = Quantity(text), amount.nanos > 0
                else {
                    return nil
                }
                return amount
            }
            for name in ["cpu", "memory"] {
                let limit = amount("limits", name)
                let request = amount("requests", name)
                if limit != nil || request != nil { isBestEffort = false }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        return isGuaranteed ? "Guaranteed" : isBestEffort ? "BestEffort" : "Burstable"
    }
}
