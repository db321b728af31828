// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

struct PodStrategy: KindStrategy {
    let traits = KindTraits(
        generationFields: ["spec"],
        hasStatus: true,
        statusResets: .members(["ownerReferences"]),
        checksMetadataAgain: true,
        returnsDeleted: true
    )
    let refusesUnsupported: Bool

    func setDefaults(_ object: inout JSON) {
        guard var spec = object["spec"], spec.object != nil else { return }
        PodDefaults.fill(&spec)
        object["spec"] = spec
        PodDefaults.fillPod(&object)
    }

    func prepareForCreate(_ object: inout JSON, _ context: WriteContext) {
        guard var spec = object["spec"], spec.object != nil else { return }
        PodAdmission.addTolerations(&spec)
        object["spec"] = spec
        object["status"] = ["phase": "Pending", "qosClass": .string(PodAdmission.qualityOfService(spec))]
    }

    func prepareForStatusUpdate(_ object: inout JSON, from old: JSON, _ context: WriteContext) {
        // Whoever leaves the class of service out leaves it as it is.
        guard (object[path: "status", "qosClass"]?.string ?? "").isEmpty,
            let quality = old[path: "status", "qosClass"]
        else { return }
        object.set(quality, at: ["status", "qosClass"])
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        guard let spec = object["spec"], spec.object != nil else { return errors.required("spec.containers") }
        PodRules(spec, at: "spec").check(&errors)
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        PlacementRules.checkNewPod(object["spec"] ?? [:], &errors)
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        PodUpdateRules(object, from: old).check(&errors)
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        PodStatusRules(object, from: old).check(&errors)
    }

    func refusal(_ object: JSON, from old: JSON?) -> String? {
        guard refusesUnsupported, old == nil else { return nil }
        let reasons = NodeLimits.refusals(object["spec"] ?? [:])
        return reasons.isEmpty ? nil : "this cluster's node does not grant \(reasons.joined(separator: "; "))"
    }

    func warnings(_ object: JSON, from old: JSON?) -> [String] {
        guard old == nil else { return [] }
        let spec = object["spec"] ?? [:]
        let texts = PodWarnings.name(object, isPod: true) + PodWarnings.texts(spec, at: "spec")
        return refusesUnsupported ? texts + NodeLimits.ignored(spec, at: "spec") : texts
    }
}

/// What a pod may ask for that the embedded node does not do.
///
/// What would weaken the walls between pods and host, or promise protection that is not there, is refused; what merely
/// has no effect is accepted with a warning.
enum NodeLimits {
    private static let refusedVolumes: Set<String> = ["hostPath"]
    private static let supportedVolumes: Set<String> = [
        "name", "emptyDir", "configMap", "secret", "downwardAPI", "projected", "persistentVolumeClaim",
    ]

    /// Each reason names the field.
    static func refusals(_ spec: JSON) -> [String] {
        var reasons: [String] = []
        for member in ["hostNetwork", "hostPID", "hostIPC"] where spec[member]?.bool == true {
            reasons.append("\(member) (spec.\(member))")
        }
        if spec["shareProcessNamespace"]?.bool == true {
            reasons.append("a shared process namespace (spec.shareProcessNamespace)")
        }
        if let system = spec[path: "os", "name"]?.string, system != "linux" {
            reasons.append("operating system \(system) (spec.os.name)")
        }
        for volume in spec["volumes"]?.array ?? [] {
            let name = volume["name"]?.string ?? ""
            for kind in volume.object?.keys ?? [] where !supportedVolumes.contains(kind) {
                reasons.append("\(kind) volumes (volume \(FieldErrors.quoted(name)))")
            }
        }
        let context = spec["securityContext"] ?? [:]
        reasons += contextRefusals(context, "spec.securityContext")
        if !(context["sysctls"]?.array ?? []).isEmpty { reasons.append("sysctls (spec.securityContext.sysctls)") }
        if spec["hostUsers"]?.bool == false { reasons.append("user namespaces (spec.hostUsers)") }
        if !(spec["runtimeClassName"]?.string ?? "").isEmpty {
            reasons.append("runtime classes (spec.runtimeClassName)")
        }
        for member in ["initContainers", "containers"] {
            for container in spec[member]?.array ?? [] { reasons += containerRefusals(container) }
        }
        return reasons
    }

    private static func containerRefusals(_ container: JSON) -> [String] {
        let name = FieldErrors.quoted(container["name"]?.string ?? "")
        let context = container["securityContext"] ?? [:]
        var reasons: [String] = []
        if context["privileged"]?.bool == true {
            reasons.append("privileged containers (container \(name): securityContext.privileged)")
        }
        let added = (context[path: "capabilities", "add"]?.array ?? []).compactMap(\.string)
            .filter { !grantable.contains($0.hasPrefix("CAP_") ? String($0.dropFirst(4)) : $0) }
        if !added.isEmpty {
            reasons.append(
                "capabilities \(added.joined(separator: ", ")) (container \(name): securityContext.capabilities.add)"
            )
        }
        if context["allowPrivilegeEscalation"]?.bool == true {
            reasons.append(
                "privilege escalation (container \(name): securityContext.allowPrivilegeEscalation)"
            )
        }
        if let mount = context["procMount"]?.string, mount != "Default" {
            reasons.append("procMount \(mount) (container \(name): securityContext.procMount)")
        }
        reasons += contextRefusals(context, "container \(name): securityContext")
        for port in container["ports"]?.array ?? [] where (port["hostPort"]?.int ?? 0) != 0 {
            reasons.append("host ports (container \(name): ports.hostPort)")
        }
        if !(container["volumeDevices"]?.array ?? []).isEmpty {
            reasons.append("block devices (container \(name): volumeDevices)")
        }
        return reasons
    }

    /// The default capabilities of containers, without NET_RAW: what may be named under `capabilities.add`.
    private static let grantable: Set<String> = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    private static func contextRefusals(_ context: JSON, _ at: String) -> [String] {
        var reasons: [String] = []
        if let profile = context[path: "seccompProfile", "type"]?.string,
            profile == "Localhost" || profile == "Unconfined"
        {
            reasons.append("seccomp profile \(profile) (\(at).seccompProfile)")
        }
        if let profile = context[path: "appArmorProfile", "type"]?.string, profile != "Unconfined" {
            reasons.append("AppArmor profiles (\(at).appArmorProfile)")
        }
        if !(context["seLinuxOptions"]?.object?.isEmpty ?? true) {
            reasons.append("SELinux options (\(at).seLinuxOptions)")
        }
        return reasons
    }

    private static let ignoredMembers: [[String]] = [
        ["affinity", "podAffinity"], ["affinity", "podAntiAffinity"],
        ["affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"],
        ["topologySpreadConstraints"], ["resourceClaims"],
    ]

    /// Fields that have no effect here.
    static func ignored(_ spec: JSON, at field: String) -> [String] {
        var texts: [String] = []
        for member in ignoredMembers {
            let value = spec[path: member]
            let isEmpty = (value?.array?.isEmpty ?? true) && (value?.object?.isEmpty ?? true)
            if !isEmpty {
                texts.append("\(field).\(member.joined(separator: ".")): has no effect on this cluster's node")
            }
        }
        if !(spec["ephemeralContainers"]?.array ?? []).isEmpty {
            texts.append("\(field).ephemeralContainers: has no effect on this cluster's node")
        }
        for member in ["initContainers", "containers"] {
            for (place, container) in (spec[member]?.array ?? []).enumerated() {
                let at = "\(field).\(member)[\(place)]"
                if container[path: "lifecycle", "stopSignal"]?.string != nil {
                    texts.append("\(at).lifecycle.stopSignal: has no effect on this cluster's node")
                }
            }
        }
        return texts
    }
}
