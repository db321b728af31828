// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A host of Alibaba Cloud's registry (ACR): which instance it serves, where, and on which network.
///
/// One image has the same digest under all of an instance's hosts, so it is pushed to the public one and pulled, inside the
/// private network, from the other.
package struct AlibabaRegistry: Sendable, Hashable {
    package enum Network: String, Sendable {
        case open = ""
        /// The private network of a region (VPC).
        case vpc = "-vpc"
        /// The classic network.
        case classic = "-internal"
    }

    /// What stands before `-vpc`: `registry`, `acme-registry`, `crpi-0123456789abcdef`.
    package let instance: String
    package let region: String
    package let network: Network
    /// `.aliyuncs.com`, `.cr.aliyuncs.com` (enterprise) or `.personal.cr.aliyuncs.com`.
    private let suffix: String

    /// `nil` where the host is none of ACR's.
    package init?(host: String) {
        let labels = host.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard labels.count >= 4, labels.allSatisfy({ !$0.isEmpty }) else { return nil }
        let suffix = "." + labels.dropFirst(2).joined(separator: ".")
        guard [".aliyuncs.com", ".cr.aliyuncs.com", ".personal.cr.aliyuncs.com"].contains(suffix) else { return nil }
        var (name, network) = (labels[0], Network.open)
        for candidate in [Network.vpc, .classic] where name.hasSuffix(candidate.rawValue) {
            name.removeLast(candidate.rawValue.count)
            network = candidate
        }
        let fits =
            switch suffix {
            case ".aliyuncs.com": name == "registry"
            case ".cr.aliyuncs.com": name.hasSuffix("-registry") && name != "-registry"
            default: name.hasPrefix("crpi-")
            }
        guard fits else { return nil }
        instance = name
        region = labels[1]
        self.network = network
        self.suffix = suffix
    }

    /// The same instance as seen from another network.
    package func host(on network: Network) -> String { "\(instance)\(network.rawValue).\(region)\(suffix)" }

    /// Whether both are hosts of the same instance, so that what is pushed to one can be pulled from the other.
    package func isSameInstance(as other: AlibabaRegistry) -> Bool { host(on: .open) == other.host(on: .open) }

    /// Whether a host gives out this registry's tokens: `dockerauth[-ee][-vpc].<region>.aliyuncs.com`, in the oldest regions
    /// `dockerauth-<region>.aliyuncs.com`.
    package func isTokenHost(_ host: String) -> Bool {
        let host = host.lowercased()
        guard host.hasPrefix("dockerauth"), host.hasSuffix(".aliyuncs.com") else { return false }
        let rest = host.dropFirst("dockerauth".count).dropLast(".aliyuncs.com".count)
        guard let first = rest.first, first == "." || first == "-" else { return false }
        return rest.dropFirst().split(whereSeparator: { $0 == "." }).count <= 2 && rest.hasSuffix(region)
    }
}
