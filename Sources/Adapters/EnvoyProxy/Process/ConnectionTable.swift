// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Glibc

/// The kernel's list of this machine's TCP connections.
enum ConnectionTable {
    /// Whether a connection from this network namespace to one of the address' ports is open.
    static func isConnected(to address: String, _ ports: Set<Int>, in text: [UInt8]? = nil) -> Bool {
        guard let number = hexadecimal(address) else { return false }
        let wanted = Set(ports.map { Array("\(number):\(hexadecimal($0)) 01 ".utf8) })
        for line in (text ?? read("/proc/self/net/tcp")).split(separator: UInt8(ascii: "\n")) {
            // `  sl: local:port remote:port state …`, all in hexadecimal; state 1 is an established connection.
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 4)
            guard fields.count > 4 else { continue }
            if wanted.contains(Array(fields[2] + [UInt8(ascii: " ")] + fields[3] + [UInt8(ascii: " ")])) { return true }
        }
        return false
    }

    /// As the kernel prints it: four bytes in the machine's order.
    private static func hexadecimal(_ address: String) -> String? {
        var parsed = in_addr()
        guard unsafe inet_pton(AF_INET, address, &parsed) == 1 else { return nil }
        return padded(String(parsed.s_addr, radix: 16, uppercase: true), 8)
    }

    private static func hexadecimal(_ port: Int) -> String { padded(String(port, radix: 16, uppercase: true), 4) }

    private static func padded(_ digits: String, _ count: Int) -> String {
        String(repeating: "0", count: max(0, count - digits.count)) + digits
    }

    private static func read(_ path: String) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var (all, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65536))
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
    }
}
