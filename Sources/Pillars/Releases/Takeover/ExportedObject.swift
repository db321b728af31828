// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// An object that runs, as somebody would have written it: without what only the server writes.
enum ExportedObject {
    /// What a manifest would say; known defaults stay.
    static func full(_ live: KubeObject, _ type: ResourceType) -> KubeObject {
        var object = ObjectNormaliser.normalised(live, type: type)
        var metadata: JSON = ["name": .string(live.name)]
        if let namespace = live.namespace { metadata["namespace"] = .string(namespace) }
        for key in ["labels", "annotations"] {
            let kept = (live.metadata[key]?.object ?? [:]).filter { !isServersOwn($0.key) }
            if !kept.isEmpty { metadata[key] = .object(kept) }
        }
        object["metadata"] = metadata
        switch type {
        case .services: settleService(&object)
        case .persistentVolumeClaims: object.json.set(nil, at: ["spec", "volumeName"])
        case .deployments: object.json.set(nil, at: ["spec", "template", "metadata", "creationTimestamp"])
        default: break
        }
        return object
    }

    private static func isServersOwn(_ annotation: String) -> Bool {
        let parts = annotation.split(separator: "/", maxSplits: 1)
        return MeaningfulDiff.noise.contains(annotation) || annotation == ObjectOwner.adoption
            || parts.count > 1
                && ["pv.kubernetes.io", "volume.kubernetes.io", "volume.beta.kubernetes.io"].contains(String(parts[0]))
    }

    /// Addresses and node ports are the cluster's to give, but for a headless Service.
    private static func settleService(_ service: inout KubeObject) {
        if service.spec["clusterIP"] != "None" {
            for key in ["clusterIP", "clusterIPs"] { service.json.set(nil, at: ["spec", key]) }
        }
        for key in ["ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] { service.json.set(nil, at: ["spec", key]) }
        service.json.change(at: ["spec", "ports"]) { $0.eachElement { port in port["nodePort"] = nil } }
    }

    /// The same without what the server fills in by itself.
    static func brief(_ object: KubeObject, _ type: ResourceType) -> KubeObject {
        var object = object
        switch type {
        case .services:
            object.json.drop(
                ["type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"],
                at: ["spec"]
            )
            object.json.change(at: ["spec", "ports"]) { ports in
                ports.eachElement { port in
                    if port["targetPort"] == port["port"] { port["targetPort"] = nil }
                }
            }
        case .persistentVolumeClaims: object.json.drop(["volumeMode": "Filesystem"], at: ["spec"])
        case .deployments:
            object.json.drop(
                ["revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "minReadySeconds": 0],
                at: ["spec"]
            )
            if object.spec["strategy"]
                == ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": "25%"]]
            {
                object.json.set(nil, at: ["spec", "strategy"])
            }
            object.json.change(at: ["spec", "template", "spec"], shortenPod)
        default: break
        }
        return object
    }

    private static func shortenPod(_ spec: inout JSON) {
        spec.drop(
            [
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
                "securityContext": [:], "terminationGracePeriodSeconds": 30,
            ],
            at: []
        )
        if spec["serviceAccount"] == spec["serviceAccountName"] { spec["serviceAccount"] = nil }
        for list in ["containers", "initContainers"] {
            spec.change(at: [list]) { $0.eachElement(shortenContainer) }
        }
        spec.change(at: ["volumes"]) { volumes in
            volumes.eachElement { volume in
                for kind in ["secret", "configMap", "downwardAPI", "projected"] {
                    volume.drop(["defaultMode": 420], at: [kind])
                }
                volume.drop(["type": ""], at: ["hostPath"])
            }
        }
    }

    private static func shortenContainer(_ container: inout JSON) {
        let image = ImageReference(container["image"]?.string ?? "")
        let isLatest = image?.digest == nil && (image?.tag ?? "latest") == "latest"
        container.drop(
            [
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": [:],
                "imagePullPolicy": isLatest ? "Always" : "IfNotPresent", "securityContext": [:],
            ],
            at: []
        )
        for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
            container.drop(
                ["timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3],
                at: [probe]
            )
            container.drop(["scheme": "HTTP"], at: [probe, "httpGet"])
        }
        container.change(at: ["env"]) { variables in
            variables.eachElement { $0.drop(["apiVersion": "v1"], at: ["valueFrom", "fieldRef"]) }
        }
    }
}

extension JSON {
    /// Takes members out that have exactly these values.
    fileprivate mutating func drop(_ defaults: JSON, at path: [String]) {
        change(at: path) { object in
            for (key, value) in defaults.object ?? [:] where object[key] == value { object[key] = nil }
        }
    }
}

/// What has to be laid over one object to make it another.
enum OverlayDifference {
    /// `brief` decides what must be said, `full` what is already so; `nil` where nothing has to be.
    static func overlay(from base: JSON, to full: JSON, brief: JSON, key: String = "") -> JSON? {
        switch (base, full, brief) {
        case (.object(let said), .object(let stored), .object(let wanted)) where !ManifestOverlay.isAtomic(key):
            var result: JSON = [:]
            for (name, value) in said {
                guard let there = stored[name] else {
                    result[name] = .null
                    continue
                }
                if let inner = overlay(from: value, to: there, brief: wanted[name] ?? there, key: name) {
                    result[name] = inner
                }
            }
            for (name, value) in wanted where said[name] == nil { result[name] = value }
            return result == [:] ? nil : result
        case (.array(let said), .array(let stored), .array(let wanted)):
            guard said != stored else { return nil }
            guard let identity = ManifestOverlay.identity(of: key, said + stored), wanted.count == stored.count else {
                return brief
            }
            return elements(said, stored, wanted, identity)
        default: return base == full ? nil : brief
        }
    }

    private static func elements(_ said: [JSON], _ stored: [JSON], _ wanted: [JSON], _ identity: [String]) -> JSON? {
        func address(_ element: JSON) -> JSON { .object(JSONObject(identity.map { ($0, element[$0] ?? .null) })) }
        var result: [JSON] = []
        for (place, element) in stored.enumerated() {
            guard let before = said.first(where: { address($0) == address(element) }) else {
                result.append(wanted[place])
                continue
            }
            guard let inner = overlay(from: before, to: element, brief: wanted[place]),
                case .object(let members) = inner
            else { continue }
            result.append(
                .object(JSONObject(address(element).object?.map { ($0.key, $0.value) } ?? []).joined(members))
            )
        }
        for element in said where !stored.contains(where: { address($0) == address(element) }) {
            var gone = address(element)
            gone["$patch"] = "delete"
            result.append(gone)
        }
        return result.isEmpty ? nil : .array(result)
    }
}

extension JSONObject {
    fileprivate func joined(_ other: JSONObject) -> JSONObject {
        var result = self
        for (key, value) in other where result[key] == nil { result[key] = value }
        return result
    }
}
