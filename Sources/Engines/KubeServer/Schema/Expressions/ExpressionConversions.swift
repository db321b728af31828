// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// From one type to another, and quantities.
enum ExpressionConversions {
    static func convert(_ value: ExpressionValue, to type: String) throws(ExpressionFault) -> ExpressionValue {
        switch type {
        case "int": return .int(try int(value))
        case "uint": return .uint(try uint(value))
        case "double": return .double(try double(value))
        case "string": return .string(try string(value))
        case "bool": return .bool(try bool(value))
        case "bytes":
            if case .bytes = value { return value }
            guard case .string(let text) = value else { throw .noOverload }
            return .bytes(Array(text.utf8))
        default: break
        }
        switch (type, value) {
        case ("duration", .duration), ("timestamp", .timestamp): return value
        case ("duration", .string(let text)):
            guard let duration = ExpressionText.duration(text) else { throw failed(value, type) }
            return .duration(duration)
        case ("timestamp", .string(let text)):
            guard let time = Timestamp(text) else { throw failed(value, type) }
            return .timestamp(time)
        case ("quantity", .string(let text)):
            guard let quantity = Quantity(text) else {
                throw ExpressionFault(message: "quantities must match the regular expression")
            }
            return .quantity(quantity)
        default: throw .noOverload
        }
    }

    private static func failed(_ value: ExpressionValue, _ type: String) -> ExpressionFault {
        ExpressionFault(message: "type conversion error from '\(value.typeName)' to '\(type)'")
    }

    private static func int(_ value: ExpressionValue) throws(ExpressionFault) -> Int64 {
        switch value {
        case .int(let number): return number
        case .uint(let number):
            guard let whole = Int64(exactly: number) else { throw .overflow }
            return whole
        case .double(let number):
            guard abs(number) < 9.2233720368547e18 else { throw .overflow }
            return Int64(number)
        case .string(let text):
            guard let number = Int64(text) else { throw failed(value, "int") }
            return number
        case .timestamp(let time): return time.seconds
        case .duration(let span): return Int64(clamping: ExpressionText.nanoseconds(span))
        default: throw .noOverload
        }
    }

    private static func uint(_ value: ExpressionValue) throws(ExpressionFault) -> UInt64 {
        switch value {
        case .uint(let number): return number
        case .int(let number):
            guard let whole = UInt64(exactly: number) else {
                throw ExpressionFault(message: "unsigned integer overflow")
            }
            return whole
        case .double(let number):
            guard number >= 0, number < 1.8446744073709e19 else {
                throw ExpressionFault(message: "unsigned integer overflow")
            }
            return UInt64(number)
        case .string(let text):
            guard let number = UInt64(text) else { throw failed(value, "uint") }
            return number
        default: throw .noOverload
        }
    }

    private static func double(_ value: ExpressionValue) throws(ExpressionFault) -> Double {
        switch value {
        case .double(let number): return number
        case .int(let number): return Double(number)
        case .uint(let number): return Double(number)
        case .string(let text):
            guard let number = Double(text) else { throw failed(value, "double") }
            return number
        default: throw .noOverload
        }
    }

    private static func bool(_ value: ExpressionValue) throws(ExpressionFault) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .string(let text):
            if ["1", "t", "T", "TRUE", "true", "True"].contains(text) { return true }
            if ["0", "f", "F", "FALSE", "false", "False"].contains(text) { return false }
            throw failed(value, "bool")
        default: throw .noOverload
        }
    }

    private static func string(_ value: ExpressionValue) throws(ExpressionFault) -> String {
        switch value {
        case .string(let text): return text
        case .int(let number): return "\(number)"
        case .uint(let number): return "\(number)"
        case .bool(let flag): return "\(flag)"
        case .double(let number): return ExpressionText.general(number)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ExpressionFault(message: "invalid UTF-8 in bytes, cannot convert to string")
            }
            return text
        case .timestamp(let time):
            return time.fraction == 0 ? time.description : time.nanoText
        case .duration(let span):
            return ExpressionText.plain(Double(ExpressionText.nanoseconds(span)) / 1e9) + "s"
        case .quantity(let quantity): return quantity.description
        default: throw .noOverload
        }
    }

    // MARK: Quantities

    static func call(
        _ name: String,
        _ quantity: Quantity,
        _ values: [ExpressionValue]
    ) throws(ExpressionFault) -> ExpressionValue {
        let whole = quantity.nanos % 1_000_000_000 == 0 ? Int64(exactly: quantity.nanos / 1_000_000_000) : nil
        switch (name, values.count) {
        case ("isInteger", 0): return .bool(whole != nil)
        case ("asInteger", 0):
            guard let whole else { throw ExpressionFault(message: "cannot convert value to integer") }
            return .int(whole)
        case ("asApproximateFloat", 0): return .double(Double(quantity.nanos) / 1e9)
        case ("sign", 0): return .int(quantity.nanos.signum() < 0 ? -1 : quantity.nanos == 0 ? 0 : 1)
        default: break
        }
        guard values.count == 1, let other = amount(values[0]) else { throw .noOverload }
        switch name {
        case "isLessThan": return .bool(quantity < other)
        case "isGreaterThan": return .bool(other < quantity)
        case "compareTo": return .int(quantity < other ? -1 : quantity == other ? 0 : 1)
        case "add", "sub":
            let (left, right) = (quantity.nanos, other.nanos)
            let sum = name == "add" ? left.addingReportingOverflow(right) : left.subtractingReportingOverflow(right)
            guard !sum.overflow else { throw .overflow }
            return .quantity(Quantity(nanos: sum.partialValue, format: quantity.format))
        default: throw .noOverload
        }
    }

    private static func amount(_ value: ExpressionValue) -> Quantity? {
        switch value {
        case .quantity(let quantity): quantity
        case .int(let number): Quantity(nanos: Int128(number) * 1_000_000_000)
        default: nil
        }
    }
}
