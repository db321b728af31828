// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// `Endpoints`: the older form of EndpointSlices, one object for each Service.
struct EndpointsStrategy: KindStrategy {
    let traits = KindTraits(checksMetadataAgain: true, allowsCreateOnUpdate: true)

    func setDefaults(_ object: inout JSON) {
        guard var subsets = object["subsets"]?.array else { return }
        for place in subsets.indices {
            PodDefaults.each(&subsets[place], "ports") { PodDefaults.setIfAbsent(&$0, "protocol", "TCP") }
        }
        object["subsets"] = .array(subsets)
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        for (place, subset) in (object["subsets"]?.array ?? []).enumerated() {
            let field = "subsets[\(place)]"
            let addresses = ["addresses", "notReadyAddresses"].map { ($0, subset[$0]?.array ?? []) }
            if addresses.allSatisfy({ $0.1.isEmpty }) {
                errors.required(field, "must specify `addresses` or `notReadyAddresses`")
            }
            for (member, list) in addresses {
                for (number, address) in list.enumerated() {
                    checkAddress(address, "\(field).\(member)[\(number)]", &errors)
                }
            }
            let ports = subset["ports"]?.array ?? []
            for (number, port) in ports.enumerated() {
                checkPort(port, isNamed: ports.count > 1, "\(field).ports[\(number)]", &errors)
            }
        }
    }

    private func checkAddress(_ address: JSON, _ field: String, _ errors: inout FieldErrors) {
        let text = address["ip"]?.string ?? ""
        if AddressRange.number(text) == nil, !text.contains(":") {
            errors.invalid("\(field).ip", text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        } else if text.hasPrefix("127.") || text == "::1" {
            errors.invalid("\(field).ip", text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
        }
        if let host = address["hostname"]?.string, !host.isEmpty {
            for problem in NameRules.dnsLabelProblems(host) { errors.invalid("\(field).hostname", host, problem) }
        }
    }

    private func checkPort(_ port: JSON, isNamed: Bool, _ field: String, _ errors: inout FieldErrors) {
        let name = port["name"]?.string ?? ""
        if isNamed, name.isEmpty {
            errors.required("\(field).name")
        } else if !name.isEmpty {
            for problem in NameRules.dnsLabelProblems(name) { errors.invalid("\(field).name", name, problem) }
        }
        let number = port["port"]?.int ?? 0
        if !(1...65535).contains(number) {
            errors.invalid("\(field).port", number, "must be between 1 and 65535, inclusive")
        }
        let transport = port["protocol"]?.string ?? ""
        if transport.isEmpty {
            errors.required("\(field).protocol")
        } else if !["SCTP", "TCP", "UDP"].contains(transport) {
            errors.notSupported("\(field).protocol", transport, ["SCTP", "TCP", "UDP"])
        }
    }
}

struct EndpointsColumns: TableColumns {
    let columns: [TableColumn] = [.name, .text("Endpoints"), .age]

    func cells(_ object: JSON, now: Timestamp) -> [JSON] {
        [Cell.name(object), .string(Self.text(object)), Age.of(object, now)]
    }

    /// The first three, and how many more there are.
    private static func text(_ object: JSON) -> String {
        var all: [String] = []
        for subset in object["subsets"]?.array ?? [] {
            let addresses = (subset["addresses"]?.array ?? []).compactMap { $0["ip"]?.string }
            let ports = (subset["ports"]?.array ?? []).compactMap { $0["port"]?.int }
            if ports.isEmpty { all += addresses }
            for port in ports { all += addresses.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" } }
        }
        guard !all.isEmpty else { return "<none>" }
        let shown = all.prefix(3).joined(separator: ",")
        return all.count > 3 ? "\(shown) + \(all.count - 3) more..." : shown
    }
}
