// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Arithmetic, and what `+` does with text and lists.
enum ExpressionMath {
    static func negate(_ value: ExpressionValue) throws(ExpressionFault) -> ExpressionValue {
        switch value {
        case .int(let number):
            guard number != .min else { throw .overflow }
            return .int(-number)
        case .double(let number): return .double(-number)
        default: throw .noOverload
        }
    }

    /// A list's index.
    static func whole(_ value: ExpressionValue) -> Int? {
        switch value {
        case .int(let number): Int(number)
        case .uint(let number): Int(exactly: number)
        case .double(let number): Int(exactly: number)
        default: nil
        }
    }

    static func compute(
        _ name: String,
        _ left: ExpressionValue,
        _ right: ExpressionValue
    ) throws(ExpressionFault) -> ExpressionValue {
        switch (left, right) {
        case (.int(let first), .int(let second)): return .int(try integers(name, first, second))
        case (.uint(let first), .uint(let second)): return .uint(try integers(name, first, second))
        case (.double(let first), .double(let second)): return .double(try doubles(name, first, second))
        default: break
        }
        switch (name, left, right) {
        case ("+", .string(let first), .string(let second)): return .string(first + second)
        case ("+", .bytes(let first), .bytes(let second)): return .bytes(first + second)
        case ("+", .list(let first, let isUnordered), .list(let second, _)):
            // A set stays one.
            let known = isUnordered ? ExpressionBag(first) : nil
            let added = known.map { known in second.filter { !known.contains($0) } } ?? second
            return .list(first + added, isUnordered: isUnordered)
        case ("+", .timestamp(let time), .duration(let span)), ("+", .duration(let span), .timestamp(let time)):
            return .timestamp(try moved(time, ExpressionText.nanoseconds(span)))
        case ("+", .duration(let first), .duration(let second)):
            return try duration(ExpressionText.nanoseconds(first) + ExpressionText.nanoseconds(second))
        case ("-", .timestamp(let time), .duration(let span)):
            return .timestamp(try moved(time, -ExpressionText.nanoseconds(span)))
        case ("-", .timestamp(let first), .timestamp(let second)):
            return try duration(first.nanoseconds - second.nanoseconds)
        case ("-", .duration(let first), .duration(let second)):
            return try duration(ExpressionText.nanoseconds(first) - ExpressionText.nanoseconds(second))
        default: throw .noOverload
        }
    }

    private static func duration(_ nanoseconds: Int128) throws(ExpressionFault) -> ExpressionValue {
        guard let span = Int64(exactly: nanoseconds) else { throw .overflow }
        return .duration(.nanoseconds(span))
    }

    private static func moved(_ time: Timestamp, _ span: Int128) throws(ExpressionFault) -> Timestamp {
        let (seconds, rest) = (time.nanoseconds + span).quotientAndRemainder(dividingBy: 1_000_000_000)
        guard let seconds = Int64(exactly: seconds) else { throw ExpressionFault(message: "timestamp overflow") }
        let moved = Timestamp(seconds: seconds, nanoseconds: Int64(rest))
        guard moved.hasCommonYear else { throw ExpressionFault(message: "timestamp overflow") }
        return moved
    }

    private static func integers<Number: FixedWidthInteger>(
        _ name: String,
        _ left: Number,
        _ right: Number
    ) throws(ExpressionFault) -> Number {
        let result: (partialValue: Number, overflow: Bool)
        switch name {
        case "+": result = left.addingReportingOverflow(right)
        case "-": result = left.subtractingReportingOverflow(right)
        case "*": result = left.multipliedReportingOverflow(by: right)
        case "/":
            guard right != 0 else { throw ExpressionFault(message: "division by zero") }
            result = left.dividedReportingOverflow(by: right)
        case "%":
            guard right != 0 else { throw ExpressionFault(message: "modulus by zero") }
            result = left.remainderReportingOverflow(dividingBy: right)
        default: throw .noOverload
        }
        guard !result.overflow else { throw .overflow }
        return result.partialValue
    }

    private static func doubles(_ name: String, _ left: Double, _ right: Double) throws(ExpressionFault) -> Double {
        switch name {
        case "+": return left + right
        case "-": return left - right
        case "*": return left * right
        case "/": return left / right
        default: throw .noOverload
        }
    }
}

/// Texts that expressions read and write.
enum ExpressionText {
    /// Field names that are no identifiers are written with escapes in rules: `__dash__`, `__namespace__`.
    static func unescaped(_ name: String) -> String {
        guard name.contains("__") else { return name }
        if name.hasPrefix("__"), name.hasSuffix("__"), name.count > 4 {
            let inner = String(name.dropFirst(2).dropLast(2))
            if keywords.contains(inner) { return inner }
        }
        var text = ""
        var rest = name[...]
        while let start = rest.firstRange(of: "__") {
            text += rest[..<start.lowerBound]
            let tail = rest[start.lowerBound...]
            if let (escape, plain) = escapes.first(where: { tail.hasPrefix($0.0) }) {
                text += plain
                rest = tail.dropFirst(escape.count)
            } else {
                text += "__"
                rest = rest[start.upperBound...]
            }
        }
        return text + rest
    }

    private static let escapes = [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")]
    private static let keywords: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return",
    ]

    private static let units: [(String, Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]

    /// A duration as Go writes it: `1h30m`, `-1.5s`.
    static func duration(_ text: String) -> Duration? {
        var rest = text[...]
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        if rest == "0" { return .zero }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            guard let number = Double(digits.hasPrefix(".") ? "0\(digits)" : String(digits)) else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isLetter }
            guard let unit = units.first(where: { $0.0 == name }) else { return nil }
            rest = rest.dropFirst(name.count)
            total += number * Double(unit.1)
        }
        guard total < 9.2e18 else { return nil }
        return .nanoseconds(Int64(isNegative ? -total : total))
    }

    /// A number as Go's `%g` writes it: `1.5`, `1e+06`.
    static func general(_ number: Double) -> String {
        guard let (sign, digits, exponent) = decimal(number) else { return plain(number) }
        guard exponent < -4 || exponent >= 6 else { return plain(number) }
        let rest = digits.count > 1 ? "." + digits.dropFirst() : ""
        let power = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
        return "\(sign)\(digits.prefix(1))\(rest)e\(exponent < 0 ? "-" : "+")\(power)"
    }

    /// A number without an exponent, however long that is.
    static func plain(_ number: Double) -> String {
        guard let (sign, digits, exponent) = decimal(number) else {
            return number.isNaN ? "NaN" : number < 0 ? "-Inf" : number > 0 ? "+Inf" : number.sign == .minus ? "-0" : "0"
        }
        guard exponent >= 0 else { return "\(sign)0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = digits.prefix(exponent + 1)
        let fraction = digits.dropFirst(exponent + 1)
        let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
        return "\(sign)\(whole)\(zeros)" + (fraction.isEmpty ? "" : ".\(fraction)")
    }

    /// The shortest digits that mean the number, and the power of ten of the first; `nil` for zero and what is not finite.
    private static func decimal(_ number: Double) -> (sign: String, digits: String, exponent: Int)? {
        guard number.isFinite, number != 0 else { return nil }
        let parts = "\(abs(number))".split(separator: "e")
        let whole = parts[0].prefix { $0 != "." }
        let all = parts[0].filter { $0 != "." }
        let digits = all.drop { $0 == "0" }
        let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        var significant = digits
        while significant.last == "0" { significant.removeLast() }
        let exponent = power + whole.count - 1 - (all.count - digits.count)
        return (number < 0 ? "-" : "", String(significant), exponent)
    }

    static func nanoseconds(_ duration: Duration) -> Int128 {
        Int128(duration.components.seconds) * 1_000_000_000 + Int128(duration.components.attoseconds / 1_000_000_000)
    }
}
