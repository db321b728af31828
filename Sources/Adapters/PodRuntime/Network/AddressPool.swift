// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Hands out a subnet's addresses; one that was given back is the last to be handed out again.
struct AddressPool {
    private let subnet: IPv4Subnet
    private let first: Int
    private var used: Set<Int> = []
    private var next: Int

    /// The first `reserved` addresses and the last one are never handed out.
    init(_ subnet: IPv4Subnet, reserved: Int) {
        self.subnet = subnet
        first = reserved
        next = reserved
    }

    /// `nil` when all are in use.
    mutating func take() -> IPv4Address? {
        let end = subnet.size - 1
        for step in 0..<(end - first) {
            let offset = first + (next - first + step) % (end - first)
            guard !used.contains(offset) else { continue }
            used.insert(offset)
            next = offset + 1
            return subnet[offset]
        }
        return nil
    }

    mutating func giveBack(_ address: IPv4Address) { used.remove(Int(address.number - subnet.base.number)) }
}
