// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The fields of a pod that its own containers may read (`fieldRef`).
struct PodFields {
    let pod: PodSpec
    let address: String
    let host: String

    /// The text of a field; `nil` for one that is not offered.
    func value(_ path: String) -> String? {
        if let (list, key) = subscripted(path) {
            switch list {
            case "metadata.labels": return pod.object.labels[key] ?? ""
            case "metadata.annotations": return pod.object.annotations[key] ?? ""
            default: return nil
            }
        }
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.uid
        case "metadata.labels": return Self.lines(pod.object.labels)
        case "metadata.annotations": return Self.lines(pod.object.annotations)
        case "spec.nodeName": return pod.spec["nodeName"]?.string ?? ""
        case "spec.serviceAccountName": return pod.serviceAccount
        case "status.hostIP", "status.hostIPs": return host
        case "status.podIP", "status.podIPs": return address
        default: return nil
        }
    }

    private func subscripted(_ path: String) -> (list: String, key: String)? {
        guard path.hasSuffix("']"), let open = path.firstRange(of: "['") else { return nil }
        return (String(path[..<open.lowerBound]), String(path[open.upperBound...].dropLast(2)))
    }

    /// `key="value"` in lines, sorted, values quoted as Go does.
    private static func lines(_ map: [String: String]) -> String {
        map.sorted { $0.key < $1.key }.map { "\($0.key)=\(JSON.string($0.value).text)" }.joined(separator: "\n")
    }
}

/// The resources of a container that it may read (`resourceFieldRef`).
struct ResourceFields {
    let pod: PodSpec
    let machine: MachineFacts

    func value(_ reference: JSON, default container: ContainerSpec?) -> String? {
        let name = reference["containerName"]?.string ?? ""
        guard let spec = name.isEmpty ? container : pod.containers.first(where: { $0.name == name }),
            let resource = reference["resource"]?.string
        else { return nil }
        let parts = resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let divisor = reference["divisor"]?.string.flatMap { Quantity($0) }.flatMap { $0.nanos > 0 ? $0 : nil }
        guard let amount = amount(parts[0], parts[1], spec) else { return nil }
        let unit = divisor?.nanos ?? 1_000_000_000
        // Rounded up, as the kubelet does.
        return "\((amount.nanos + unit - 1) / unit)"
    }

    private func amount(_ list: String, _ resource: String, _ spec: ContainerSpec) -> Quantity? {
        guard list == "limits" || list == "requests" else { return nil }
        if let amount = spec.amount(list, resource) { return amount }
        if list == "requests" { return spec.amount("limits", resource) ?? Quantity(nanos: 0) }
        switch resource {
        case "cpu": return Quantity(nanos: Int128(machine.cores) * 1_000_000_000)
        case "memory": return Quantity(nanos: Int128(machine.memory) * 1_000_000_000)
        default: return Quantity(nanos: 0)
        }
    }
}

/// The ConfigMaps and Secrets that a pod refers to.
enum PodReferences {
    /// The data of a ConfigMap or Secret as bytes by key.
    static func bytes(of object: KubeObject) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        let isSecret = object.kind == "Secret"
        for (key, value) in object["data"]?.stringMap ?? [:] {
            found[key] = isSecret ? Base64.decode(value) ?? [] : Array(value.utf8)
        }
        for (key, value) in object["binaryData"]?.stringMap ?? [:] where !isSecret {
            found[key] = Base64.decode(value) ?? []
        }
        return found
    }

    /// The same as text, for environment variables; a ConfigMap's binary data has none.
    static func texts(of object: KubeObject) -> [String: String] {
        guard object.kind == "Secret" else { return object["data"]?.stringMap ?? [:] }
        return bytes(of: object).mapValues { String(decoding: $0, as: UTF8.self) }
    }
}
