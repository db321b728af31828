// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Reads amounts as people write them in Kubernetes files.
enum Quantity {
    /// `300ms`, `1.5s`, `2m`, `250us`; a bare `0` too.
    static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60)]
        if text == "0" { return .zero }
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let number = number(text.dropLast(suffix.count)), number * factor <= 86_400 else { return nil }
            return .seconds(number * factor)
        }
        return nil
    }

    /// `10Mi`, `1.5G`, `4096`.
    static func bytes(_ text: some StringProtocol) -> Int? {
        let units: [(String, Double)] = [
            ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("", 1),
        ]
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let number = number(text.dropLast(suffix.count)), number * factor < 1e15 else { return nil }
            return Int(number * factor)
        }
        return nil
    }

    /// `10Mi/s`; a bare `0` too.
    static func bytesPerSecond(_ text: String) -> Int? {
        if text == "0" { return 0 }
        return text.hasSuffix("/s") ? bytes(text.dropLast(2)) : nil
    }

    /// `0.25` or `25%`, from nothing to all.
    static func share(_ text: String) -> Double? {
        let isPercent = text.hasSuffix("%")
        guard let value = number(isPercent ? text.dropLast() : text[...]) else { return nil }
        let share = isPercent ? value / 100 : value
        return (0...1).contains(share) ? share : nil
    }

    /// Digits and at most one point; `Double` alone would also take "1e3", "nan" and "0x10".
    private static func number(_ text: some StringProtocol) -> Double? {
        guard text.first?.isNumber == true, text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) else {
            return nil
        }
        return Double(text)
    }
}

extension Duration {
    /// From text such as `300ms` or `2s`.
    public init?(quantity text: String) {
        guard let duration = Quantity.duration(text) else { return nil }
        self = duration
    }
}
