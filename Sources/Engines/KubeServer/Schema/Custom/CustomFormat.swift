// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// The text formats that schemas of custom resources may name. Others say nothing, as with the real server.
enum CustomFormat {
    static func isKnown(_ format: String?) -> Bool {
        guard let format else { return false }
        return numeric.contains(format) || checks[format] != nil
    }

    /// Whether the text has the format; unknown formats accept anything.
    static func accepts(_ text: String, _ format: String) -> Bool { checks[format]?(text) ?? true }

    private static let numeric: Set<String> = ["int32", "int64", "float", "double"]

    private static let checks: [String: @Sendable (String) -> Bool] = [
        "byte": { ScalarText.base64Problem($0) == nil },
        "password": { _ in true },
        "date": { text in text.utf8.count == 10 && Timestamp("\(text)T00:00:00Z") != nil },
        "date-time": { Timestamp($0) != nil },
        "duration": isDuration,
        "uri": isRequestURI,
        "email": matches(#"^[^@\s<>]+@[^@\s<>]+$"#),
        "hostname": isHostname,
        "ipv4": isIPv4,
        "ipv6": isIPv6,
        "cidr": isCIDR,
        "mac": matches(
            #"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$|^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){7}$|^[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2,3}$"#
        ),
        "uuid": matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        "uuid3": matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        "uuid4": matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
        "uuid5": matches("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
        "hexcolor": matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
        "k8s-short-name": { $0.utf8.count <= 63 && isLabel($0) },
        "k8s-long-name": { text in
            text.utf8.count <= 253
                && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel(String($0)) }
        },
    ]

    private static func matches(_ pattern: String) -> @Sendable (String) -> Bool {
        // The patterns above are ours and tested; one that did not compile would accept nothing.
        let compiled = try? Pattern(pattern)
        return { compiled?.matches($0) ?? false }
    }

    private static let isLabel = matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")

    private static let isHostname: @Sendable (String) -> Bool = { text in
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 255
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                    && label.unicodeScalars.allSatisfy {
                        $0 == "-" || $0.properties.isAlphabetic || $0.properties.numericType != nil
                    }
            }
    }

    private static let isDuration = matches(
        #"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*(ns|us|µs|μs|ms|s|m|h|d|w|[a-zA-Z]+)(\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*(ns|us|µs|μs|ms|s|m|h|d|w|[a-zA-Z]+))*$|^0$"#
    )

    private static let isRequestURI = matches(#"^(/|[a-zA-Z][a-zA-Z0-9+.-]*:)[^\s\x00-\x1f\x7f]*$"#)

    private static let isIPv4: @Sendable (String) -> Bool = { text in
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { $0 &- 0x30 < 10 }
                    && (Int(part) ?? 256) < 256
                    && (part.utf8.count == 1 || part.first != "0")
            }
    }

    private static let isIPv6: @Sendable (String) -> Bool = { text in
        let halves = text.components(separatedBy: "::")
        guard halves.count <= 2, !text.contains(":::") else { return false }
        var groups = 0
        for (place, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                let isLast = index == parts.count - 1 && place == halves.count - 1
                if isLast, part.contains(".") {
                    guard isIPv4(String(part)) else { return false }
                    groups += 2
                } else {
                    guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit) else { return false }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups < 8 : groups == 8
    }

    private static let isCIDR: @Sendable (String) -> Bool = { text in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }), let bits = Int(parts[1]) else {
            return false
        }
        return isIPv4(parts[0]) ? bits <= 32 : isIPv6(parts[0]) && bits <= 128
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
