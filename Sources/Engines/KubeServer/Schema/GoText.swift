// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

package import Model

/// How Go prints numbers.
enum GoText {
    /// `%f`: six digits behind the point.
    static func fixed(_ number: Double) -> String {
        let scaled = (abs(number) * 1_000_000).rounded(.toNearestOrEven)
        guard scaled < 1e18 else { return "\(number)" }
        let (whole, rest) = UInt64(scaled).quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(rest)
        return (number < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: 6 - digits.count) + digits
    }
}

extension JSON {
    /// The kind of value, as Go's decoder names it in errors.
    package var goKind: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The value as Go prints it with `%v`: `map[a:1 b:[x y]]`, keys sorted. Errors of a real server contain such text.
    package var goText: String {
        switch self {
        case .null: "<nil>"
        case .bool(let flag): "\(flag)"
        case .number(let number): number.text
        case .string(let text): text
        case .array(let elements): "[" + elements.map(\.goText).joined(separator: " ") + "]"
        case .object(let object):
            "map["
                + object.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.goText)" }.joined(separator: " ") + "]"
        }
    }
}
