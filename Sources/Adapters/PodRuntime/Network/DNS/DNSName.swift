// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A domain name: its labels in lower case, the leftmost first, without the root.
struct DNSName: Sendable, Hashable, CustomStringConvertible {
    var labels: [String]

    init(_ labels: [String]) { self.labels = labels }

    /// Reads `a.b.c` or `a.b.c.`; `nil` where a label is empty or longer than 63 bytes.
    init?(_ text: String) {
        var parts = text.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.last == "" { parts.removeLast() }
        guard parts.allSatisfy({ (1...63).contains($0.utf8.count) }), parts.reduce(1, { $0 + $1.utf8.count + 1 }) <= 255
        else {
            return nil
        }
        labels = parts
    }

    var description: String { labels.joined(separator: ".") }

    /// The labels before `suffix`; `nil` where the name does not end with it.
    func labels(before suffix: DNSName) -> [String]? {
        guard labels.count >= suffix.labels.count, labels.suffix(suffix.labels.count).elementsEqual(suffix.labels)
        else {
            return nil
        }
        return Array(labels.dropLast(suffix.labels.count))
    }

    /// As messages carry it, without compression.
    var bytes: [UInt8] { labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0] }

    static let cluster = DNSName(["cluster", "local"])
    static let reverse = DNSName(["in-addr", "arpa"])
}

/// The record types that are answered here.
struct DNSType: Sendable, Hashable {
    let number: UInt16
    static let a = DNSType(number: 1)
    static let ns = DNSType(number: 2)
    static let cname = DNSType(number: 5)
    static let soa = DNSType(number: 6)
    static let ptr = DNSType(number: 12)
    static let txt = DNSType(number: 16)
    static let aaaa = DNSType(number: 28)
    static let srv = DNSType(number: 33)
    static let any = DNSType(number: 255)
}

/// One resource record of a zone.
struct DNSRecord: Sendable, Hashable {
    enum Data: Sendable, Hashable {
        case address(IPv4Address)
        case alias(DNSName)
        case pointer(DNSName)
        case service(port: UInt16, target: DNSName)
        case text(String)
        case start(serial: UInt32)
    }

    var name: DNSName
    var data: Data

    var type: DNSType {
        switch data {
        case .address: .a
        case .alias: .cname
        case .pointer: .ptr
        case .service: .srv
        case .text: .txt
        case .start: .soa
        }
    }

    /// The record as messages carry it; `seconds` is how long it may be kept.
    func bytes(seconds: UInt32 = 5) -> [UInt8] {
        let data = dataBytes
        return name.bytes + Self.big(type.number) + Self.big(UInt16(1)) + Self.big(seconds)
            + Self.big(UInt16(data.count)) + data
    }

    private var dataBytes: [UInt8] {
        switch data {
        case .address(let address): return address.bytes
        case .alias(let name), .pointer(let name): return name.bytes
        case .service(let port, let target):
            let (priority, weight): (UInt16, UInt16) = (0, 100)
            return Self.big(priority) + Self.big(weight) + Self.big(port) + target.bytes
        case .text(let text): return [UInt8(min(text.utf8.count, 255))] + text.utf8.prefix(255)
        case .start(let serial):
            let names = DNSName(["ns", "dns"] + name.labels).bytes + DNSName(["hostmaster"] + name.labels).bytes
            let (refresh, retry, expiry, negative): (UInt32, UInt32, UInt32, UInt32) = (7200, 1800, 86400, 5)
            return names + [serial, refresh, retry, expiry, negative].flatMap { Self.big($0) }
        }
    }

    static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        stride(from: number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
