// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A resource amount as Kubernetes writes it, such as `250m`, `128Mi` or `1e3`.
///
/// The value is exact down to 10⁻⁹; smaller parts round away from zero, as Kubernetes does.
/// Source: the resource quantity grammar of the Kubernetes API.
package struct Quantity: Sendable, Hashable, Comparable {
    package enum Format: Sendable, Hashable { case decimalSI, binarySI, decimalExponent }

    /// The amount in units of 10⁻⁹.
    package let nanos: Int128
    package let format: Format

    package init(nanos: Int128, format: Format = .decimalSI) {
        self.nanos = nanos
        self.format = format
    }

    package static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }
    package static func == (left: Quantity, right: Quantity) -> Bool { left.nanos == right.nanos }
    package func hash(into hasher: inout Hasher) { hasher.combine(nanos) }

    package static func + (left: Quantity, right: Quantity) -> Quantity {
        Quantity(nanos: left.nanos + right.nanos, format: left.nanos == 0 ? right.format : left.format)
    }

    package static func - (left: Quantity, right: Quantity) -> Quantity {
        Quantity(nanos: left.nanos - right.nanos, format: left.format)
    }

    /// The amount in whole units, rounded up.
    package var value: Int64 { Int64(clamping: Self.ceiling(nanos, 1_000_000_000)) }
    /// The amount in thousandths, rounded up: millicores for CPU.
    package var milliValue: Int64 { Int64(clamping: Self.ceiling(nanos, 1_000_000)) }

    private static func ceiling(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest > 0 ? quotient + 1 : quotient
    }
}

extension Quantity: CustomStringConvertible {
    private static let decimalSuffixes: [(suffix: String, exponent: Int)] = [
        ("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9),
    ]
    private static let binarySuffixes: [(suffix: String, shift: Int)] = [
        ("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10),
    ]

    /// Reads a quantity; `nil` where the text is none or does not fit.
    package init?(_ text: String) {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = rest.dropFirst(digits.count)
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard digits.contains(where: \.isNumber), !(parts.last ?? "").contains(".") else { return nil }
        let whole = parts[0]
        let fraction = parts.count > 1 ? parts[1] : ""
        guard let scale = Self.scale(String(suffix)), whole.count + fraction.count <= 30 else { return nil }
        guard let mantissa = Int128(String(whole + fraction)) else { return nil }
        let nanos = Self.nanos(mantissa, decimals: fraction.count, scale: scale)
        self.init(nanos: isNegative ? -nanos : nanos, format: scale.format)
    }

    private struct Scale {
        var multiplier: Int128
        var exponent: Int
        var format: Format
    }

    private static func scale(_ suffix: String) -> Scale? {
        if let found = decimalSuffixes.first(where: { $0.suffix == suffix }) {
            return Scale(multiplier: 1, exponent: found.exponent, format: .decimalSI)
        }
        if let found = binarySuffixes.first(where: { $0.suffix == suffix }) {
            return Scale(multiplier: 1 << Int128(found.shift), exponent: 0, format: .binarySI)
        }
        guard suffix.first == "e" || suffix.first == "E", let exponent = Int(suffix.dropFirst()),
            (-27...27).contains(exponent)
        else { return nil }
        return Scale(multiplier: 1, exponent: exponent, format: .decimalExponent)
    }

    /// Kubernetes caps a quantity at the largest 64-bit integer instead of refusing it.
    private static let cap = Int128(Int64.max) * 1_000_000_000

    private static func nanos(_ mantissa: Int128, decimals: Int, scale: Scale) -> Int128 {
        var (value, overflow) = mantissa.multipliedReportingOverflow(by: scale.multiplier)
        guard !overflow else { return cap }
        var power = 9 + scale.exponent - decimals
        while power > 0 {
            (value, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return cap }
            power -= 1
        }
        var isInexact = false
        while power < 0 {
            let (quotient, rest) = value.quotientAndRemainder(dividingBy: 10)
            isInexact = isInexact || rest != 0
            value = quotient
            power += 1
        }
        return min(isInexact ? value + 1 : value, cap)
    }

    /// The canonical text: the largest suffix that leaves no fraction; `1024Mi` becomes `1Gi`, `0.1` becomes `100m`.
    package var description: String {
        guard nanos != 0 else { return "0" }
        let magnitude = nanos < 0 ? -nanos : nanos
        let sign = nanos < 0 ? "-" : ""
        let unit: Int128 = 1_000_000_000
        if format == .binarySI, magnitude % unit == 0, magnitude / unit >= 1024 {
            let whole = magnitude / unit
            for (suffix, shift) in Self.binarySuffixes where whole % (1 << Int128(shift)) == 0 {
                return "\(sign)\(whole >> Int128(shift))\(suffix)"
            }
            return "\(sign)\(whole)"
        }
        for (suffix, exponent) in Self.decimalSuffixes {
            let divisor = Self.power(exponent + 9)
            guard magnitude % divisor == 0 else { continue }
            if format == .decimalExponent {
                return "\(sign)\(magnitude / divisor)" + (exponent == 0 ? "" : "e\(exponent)")
            }
            return "\(sign)\(magnitude / divisor)\(suffix)"
        }
        return "\(sign)\(magnitude)n"
    }

    private static func power(_ exponent: Int) -> Int128 {
        var value: Int128 = 1
        for _ in 0..<exponent { value *= 10 }
        return value
    }
}
