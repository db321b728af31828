// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// Patterns of registry hosts, as the kubelet reads them in the keys of logins.
package enum HostPattern {
    /// Whether the host has the pattern's number of labels and each fits; `*` stands for any part of one label.
    ///
    /// Neither has a port.
    package static func fits(_ host: some StringProtocol, _ pattern: some StringProtocol) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let patterns = pattern.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count == patterns.count
            && zip(labels, patterns).allSatisfy { isLabel(Substring($0), matching: Substring($1)) }
    }

    /// Goes back to the last `*` only, so the time is at most the product of the lengths.
    private static func isLabel(_ label: Substring, matching pattern: Substring) -> Bool {
        var (rest, wanted) = (label, pattern)
        var star: (rest: Substring, wanted: Substring)?
        while let character = rest.first {
            if wanted.first == "*" {
                wanted = wanted.dropFirst()
                star = (rest, wanted)
            } else if wanted.first == character {
                (rest, wanted) = (rest.dropFirst(), wanted.dropFirst())
            } else if let last = star {
                star = (last.rest.dropFirst(), last.wanted)
                (rest, wanted) = (last.rest.dropFirst(), last.wanted)
            } else {
                return false
            }
        }
        return wanted.allSatisfy { $0 == "*" }
    }
}
