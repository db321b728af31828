// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// What is allowed in a pod's spec and yet hardly meant, in the real server's words.
enum PodWarnings {
    /// `field` is where the spec is; a pod's own, or a template's.
    static func texts(_ spec: JSON, at field: String) -> [String] {
        var texts: [String] = []
        let selectors = spec["nodeSelector"]?.stringMap ?? [:]
        for (old, new) in labels where selectors[old] != nil {
            texts.append(
                "\(field).nodeSelector[\(old)]: deprecated since v1.14; use \(FieldErrors.quoted(new)) instead"
            )
        }
        for (place, alias) in secrets(spec).enumerated() where alias.isEmpty {
            texts.append("\(field).imagePullSecrets[\(place)].name: invalid empty name \"\"")
        }
        var names: Set<String> = []
        for (place, name) in secrets(spec).enumerated() where !name.isEmpty && !names.insert(name).inserted {
            texts.append("\(field).imagePullSecrets[\(place)].name: duplicate name \(FieldErrors.quoted(name))")
        }
        for volume in spec["volumes"]?.array ?? [] {
            for case .object(let source) in volume[path: "projected", "sources"]?.array ?? [] where source.isEmpty {
                texts.append(
                    "volume \(FieldErrors.quoted(volume["name"]?.string ?? "")) (Projected) has no sources provided"
                )
            }
        }
        for member in ["initContainers", "containers"] {
            for (place, container) in (spec[member]?.array ?? []).enumerated() {
                texts += self.container(container, "\(field).\(member)[\(place)]")
            }
        }
        return texts
    }

    private static let labels = [
        ("beta.kubernetes.io/arch", "kubernetes.io/arch"), ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ]

    private static func secrets(_ spec: JSON) -> [String] {
        (spec["imagePullSecrets"]?.array ?? []).map { $0["name"]?.string ?? "" }
    }

    private static func container(_ container: JSON, _ at: String) -> [String] {
        var texts: [String] = []
        for member in ["limits", "requests"] {
            let amounts = container[path: "resources", member]?.stringMap ?? [:]
            for name in ["memory", "ephemeral-storage"] {
                guard let text = amounts[name], let amount = Quantity(text), amount.nanos % 1_000_000_000 != 0 else {
                    continue
                }
                let value = FieldErrors.quoted(text)
                texts.append(
                    "\(at).resources.\(member)[\(name)]: fractional byte value \(value) is invalid, must be an integer"
                )
            }
        }
        var ports: [String: Int] = [:]
        for (place, port) in (container["ports"]?.array ?? []).enumerated() {
            let number = port["containerPort"]?.int ?? 0
            let host = port["hostPort"]?.int ?? 0
            let (address, transport) = (port["hostIP"]?.string ?? "", port["protocol"]?.string ?? "")
            if !address.isEmpty, host == 0 {
                let name = port["name"]?.string ?? ""
                texts.append(
                    "\(at).ports[\(place)]: hostIP set without hostPort: {Name:\(name) HostPort:0 ContainerPort:\(number) "
                        + "Protocol:\(transport) HostIP:\(address)}"
                )
            }
            let key = "\(number)/\(transport)/\(host)/\(address)"
            if let first = ports[key] {
                texts.append("\(at).ports[\(place)]: duplicate port definition with \(at).ports[\(first)]")
            } else {
                ports[key] = place
            }
        }
        var variables: Set<String> = []
        for (place, variable) in (container["env"]?.array ?? []).enumerated() {
            let name = variable["name"]?.string ?? ""
            guard !variables.insert(name).inserted else { continue }
            texts.append(
                "\(at).env[\(place)]: hides previous definition of \(FieldErrors.quoted(name)), which may be dropped when "
                    + "using apply"
            )
        }
        return texts
    }

    /// A name that is no label makes an odd hostname.
    static func name(_ object: JSON, isPod: Bool) -> [String] {
        let problems = NameRules.dnsLabelProblems(object[path: "metadata", "name"]?.string ?? "")
        guard !problems.isEmpty else { return [] }
        let use = isPod ? "the Pod's hostname" : "Pod names and hostnames"
        return [
            "metadata.name: this is used in \(use), which can result in surprising behavior; a DNS label is recommended: "
                + "[\(problems.joined(separator: " "))]"
        ]
    }
}
