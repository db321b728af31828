// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What this node refuses, whatever the API server let through: everything that would lead out of a pod.
enum Confinement {
    /// Why a container is refused; `nil` where it is not.
    static func refusal(of spec: ContainerSpec, in pod: PodSpec) -> String? {
        let security = spec.securityContext
        if security["privileged"]?.bool == true { return "privileged containers are not allowed on this node" }
        for field in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"] where pod.spec[field]?.bool == true
        {
            return "\(field) is not supported on this node"
        }
        if security["procMount"]?.string == "Unmasked" { return "an unmasked /proc is not allowed on this node" }
        if !(spec.json["volumeDevices"]?.array ?? []).isEmpty { return "block devices are not supported on this node" }
        for context in [security, pod.securityContext] {
            if context[path: "seccompProfile", "type"]?.string == "Localhost" {
                return "seccomp profiles of type Localhost are not supported on this node"
            }
            if context[path: "appArmorProfile", "type"]?.string == "Localhost" {
                return "AppArmor profiles of type Localhost are not supported on this node"
            }
        }
        return nil
    }

    /// `runAsNonRoot` needs to know the image's user; the words are the kubelet's.
    static func refusal(of spec: ContainerSpec, in pod: PodSpec, imageUser: String) -> String? {
        let mustNotBeRoot = (spec.securityContext["runAsNonRoot"] ?? pod.securityContext["runAsNonRoot"])?.bool ?? false
        guard mustNotBeRoot else { return nil }
        let place = "(pod: \"\(pod.label)\", container: \(spec.name))"
        if let user = Security(spec, in: pod).user {
            return user == 0 ? "container's runAsUser breaks non-root policy \(place)" : nil
        }
        let name = imageUser.split(separator: ":", omittingEmptySubsequences: false).first ?? ""
        if name.isEmpty || name == "0" { return "container has runAsNonRoot and image will run as root \(place)" }
        guard Int(name) != nil else {
            return "container has runAsNonRoot and image has non-numeric user (\(name)), "
                + "cannot verify user is non-root \(place)"
        }
        return nil
    }
}
