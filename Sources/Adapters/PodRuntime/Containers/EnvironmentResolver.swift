// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Ports

/// Works out a container's environment: the image's, the services', `envFrom`, then `env`.
struct EnvironmentResolver: Sendable {
    /// Something a container refers to is missing; the words are the kubelet's.
    struct Missing: Error, Equatable {
        var message: String
    }

    let services: PodServices
    let pod: PodSpec
    let address: String

    func resolve(_ spec: ContainerSpec, image: ImageConfig) async throws -> ContainerEnvironment {
        var environment = ContainerEnvironment()
        environment.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        for entry in image.environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment.set(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        environment.set("HOSTNAME", pod.hostname)
        let known = try await serviceVariables()
        for (name, value) in known { environment.set(name, value) }
        var own = Dictionary(known, uniquingKeysWith: { $1 })
        for source in spec.json["envFrom"]?.array ?? [] {
            for (name, value) in try await bulk(source) {
                environment.set(name, value)
                own[name] = value
            }
        }
        for entry in spec.json["env"]?.array ?? [] {
            guard let name = entry["name"]?.string, let value = try await value(of: entry, spec, own) else { continue }
            environment.set(name, value)
            own[name] = value
        }
        return environment
    }

    // MARK: Sources

    private func bulk(_ source: JSON) async throws -> [(String, String)] {
        let prefix = source["prefix"]?.string ?? ""
        for (field, type, kind) in [
            ("configMapRef", ResourceType.configMaps, "configmap"), ("secretRef", ResourceType.secrets, "secret"),
        ] {
            guard let reference = source[field], let name = reference["name"]?.string else { continue }
            guard let object = try await find(type, name) else {
                if reference["optional"]?.bool == true { return [] }
                throw Missing(message: "\(kind) \"\(name)\" not found")
            }
            return PodReferences.texts(of: object).sorted { $0.key < $1.key }
                .map { (prefix + $0.key, $0.value) }.filter { Self.isName($0.0) }
        }
        return []
    }

    /// A name may hold any printable ASCII character but the equals sign.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "=") }
    }

    private func value(of entry: JSON, _ spec: ContainerSpec, _ known: [String: String]) async throws -> String? {
        guard let source = entry["valueFrom"] else {
            return ContainerEnvironment.expand(entry["value"]?.string ?? "") { known[$0] }
        }
        if let path = source[path: "fieldRef", "fieldPath"]?.string { return try field(path) }
        if let reference = source["resourceFieldRef"] { return try resource(reference, spec) }
        for (field, type, kind, word) in [
            ("configMapKeyRef", ResourceType.configMaps, "configmap", "ConfigMap"),
            ("secretKeyRef", ResourceType.secrets, "secret", "Secret"),
        ] {
            guard let reference = source[field] else { continue }
            let name = reference["name"]?.string ?? ""
            let key = reference["key"]?.string ?? ""
            let isOptional = reference["optional"]?.bool ?? false
            guard let object = try await find(type, name) else {
                if isOptional { return nil }
                throw Missing(message: "\(kind) \"\(name)\" not found")
            }
            if let value = PodReferences.texts(of: object)[key] { return value }
            if isOptional { return nil }
            throw Missing(message: "couldn't find key \(key) in \(word) \(pod.namespace)/\(name)")
        }
        return nil
    }

    private func find(_ type: ResourceType, _ name: String) async throws -> KubeObject? {
        try await services.api.find(ObjectReference(type, namespace: pod.namespace, name: name))
    }

    private func field(_ path: String) throws -> String {
        let fields = PodFields(pod: pod, address: address, host: services.hostAddress)
        guard let value = fields.value(path) else {
            throw Missing(message: "unsupported fieldPath: \(path)")
        }
        return value
    }

    private func resource(_ reference: JSON, _ spec: ContainerSpec) throws -> String {
        guard let value = ResourceFields(pod: pod, machine: services.machine).value(reference, default: spec) else {
            throw Missing(message: "unsupported container resource: \(reference["resource"]?.string ?? "")")
        }
        return value
    }

    // MARK: Services

    /// Variables of the services in the pod's namespace, and of the API itself.
    private func serviceVariables() async throws -> [(String, String)] {
        var found: [KubeObject] = []
        if pod.spec["enableServiceLinks"]?.bool ?? true {
            found = try await services.api.list(ListQuery(.services, namespace: pod.namespace)).items
        }
        if !(pod.namespace == "default" && found.contains { $0.name == "kubernetes" }) {
            let api = try await services.api.find(ObjectReference(.services, namespace: "default", name: "kubernetes"))
            if let api, !found.contains(where: { $0.name == "kubernetes" }) { found.append(api) }
        }
        return found.flatMap(ServiceVariables.of)
    }
}

/// The environment variables that announce a service, in both of the styles that Kubernetes keeps.
enum ServiceVariables {
    static func of(_ service: KubeObject) -> [(String, String)] {
        guard let address = service.spec["clusterIP"]?.string, !address.isEmpty, address != "None",
            let ports = service.spec["ports"]?.array, let first = ports.first?["port"]?.int
        else { return [] }
        let name = word(service.name)
        var variables = [("\(name)_SERVICE_HOST", address), ("\(name)_SERVICE_PORT", "\(first)")]
        for port in ports {
            guard let portName = port["name"]?.string, !portName.isEmpty, let number = port["port"]?.int else {
                continue
            }
            variables.append(("\(name)_SERVICE_PORT_\(word(portName))", "\(number)"))
        }
        let host = address.contains(":") ? "[\(address)]" : address
        for (index, port) in ports.enumerated() {
            guard let number = port["port"]?.int else { continue }
            let scheme = (port["protocol"]?.string ?? "TCP").lowercased()
            let prefix = "\(name)_PORT_\(number)_\(scheme.uppercased())"
            let url = "\(scheme)://\(host):\(number)"
            if index == 0 { variables.append(("\(name)_PORT", url)) }
            variables += [
                (prefix, url), ("\(prefix)_PROTO", scheme), ("\(prefix)_PORT", "\(number)"),
                ("\(prefix)_ADDR", address),
            ]
        }
        return variables
    }

    private static func word(_ name: String) -> String { name.uppercased().replacing("-", with: "_") }
}
