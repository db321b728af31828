// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Digests
import Model

/// The names and address ranges of one Ballast's pod network.
///
/// Derived from the data folder, so that two of them on one machine never touch each other, and kept in that folder, so
/// that they stay what they are when the machine's other networks change.
package struct NetworkPlan: Sendable, Hashable {
    /// Eight hex digits, different for every data folder.
    package var id: String
    package var podSubnet: IPv4Subnet
    package var serviceSubnet: IPv4Subnet

    package var bridge: String { "bl\(id)" }
    /// The host's address on the bridge: the pods' gateway, and where their DNS answers.
    package var gateway: IPv4Address { podSubnet[1] }
    /// The address of the Service `kubernetes`, the first of the range.
    package var apiAddress: IPv4Address { serviceSubnet[1] }
    var interfacePrefix: String { "bl\(id)v" }
    var namespacePrefix: String { "bl\(id)-" }

    /// Blocks of 8192 addresses in 10.128.0.0/9: one half for Services, one for pods.
    private static let blocks = 1024

    /// The plan kept in the data folder, or a new one whose ranges meet none of `taken`, kept from now on.
    package static func load(dataFolder: String, avoiding taken: @autoclosure () throws -> [IPv4Subnet]) throws
        -> NetworkPlan
    {
        if let plan = kept(in: dataFolder) { return plan }
        guard let plan = choose(for: dataFolder, avoiding: try taken()) else {
            throw Failure(.conflict, "every address range from 10.128.0.0/9 is in use on this machine")
        }
        try plan.save(in: dataFolder)
        return plan
    }

    static func kept(in dataFolder: String) -> NetworkPlan? {
        FileText.content("\(dataFolder)/network.json").flatMap { try? JSON(parsing: $0) }.flatMap { NetworkPlan($0) }
    }

    static func choose(for folder: String, avoiding taken: [IPv4Subnet]) -> NetworkPlan? {
        let id = String(ContentHash.digest(of: Array(folder.utf8)).hex.prefix(8))
        let start = Int(id, radix: 16) ?? 0
        return (0..<blocks).lazy.map { Self(id: id, block: (start + $0) % blocks) }.first { plan in
            !taken.contains { $0.overlaps(plan.podSubnet) || $0.overlaps(plan.serviceSubnet) }
        }
    }

    private init(id: String, block: Int) {
        self.id = id
        let base = IPv4Subnet(IPv4Address(0x0A80_0000 + UInt32(block) << 13), prefixLength: 19)
        serviceSubnet = IPv4Subnet(base.base, prefixLength: 20)
        podSubnet = IPv4Subnet(base[4096], prefixLength: 24)
    }

    private init?(_ json: JSON) {
        guard let id = json["id"]?.string, id.utf8.count == 8, id.utf8.allSatisfy({ $0.isHexDigit }),
            let pods = json["podSubnet"]?.string.flatMap({ IPv4Subnet($0) }), pods.prefixLength == 24,
            let services = json["serviceSubnet"]?.string.flatMap({ IPv4Subnet($0) }), services.prefixLength <= 28
        else { return nil }
        self.id = id
        podSubnet = pods
        serviceSubnet = services
    }

    func save(in dataFolder: String) throws {
        let json: JSON = ["id": .string(id), "podSubnet": "\(podSubnet)", "serviceSubnet": "\(serviceSubnet)"]
        try Folder.make(dataFolder, mode: 0o700, parents: 0o700)
        try FileText.replace("\(dataFolder)/network.json", with: json.bytes)
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
