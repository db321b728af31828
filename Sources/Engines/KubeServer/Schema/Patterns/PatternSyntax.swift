// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A regular expression as a tree.
indirect enum PatternNode: Equatable {
    case empty
    case scalars(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `maximum` `nil` is without end.
    case repetition(PatternNode, minimum: Int, maximum: Int?)
}

enum PatternAssertion: Equatable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
}

/// Why a text is no regular expression, in the words of the Go library that the real server uses.
struct PatternError: Error, Equatable, CustomStringConvertible {
    let reason: String
    let excerpt: String

    var description: String { "error parsing regexp: \(reason): `\(excerpt)`" }
}

/// A set of Unicode scalars, as sorted ranges that do not touch.
struct ScalarSet: Equatable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let all = ScalarSet([0...0x10FFFF])
    static let newline = ScalarSet([10...10])
    static let digits = ScalarSet([48...57])
    static let words = ScalarSet([48...57, 65...90, 95...95, 97...122])
    static let spaces = ScalarSet([9...10, 12...13, 32...32])

    init(_ ranges: [ClosedRange<UInt32>] = []) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound &+ 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    var isEmpty: Bool { ranges.isEmpty }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    var inverted: ScalarSet {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return ScalarSet(result)
    }

    func contains(_ value: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }

    /// With the other case of every letter; outside ASCII only single-scalar mappings count.
    var foldingCase: ScalarSet {
        var more: [ClosedRange<UInt32>] = []
        for range in ranges {
            // A range this wide holds whole alphabets, both cases included.
            guard range.count <= 4096 else { continue }
            for value in range {
                guard let scalar = Unicode.Scalar(value) else { continue }
                for text in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
                    let mapped = text.unicodeScalars
                    if mapped.count == 1, let other = mapped.first, other != scalar {
                        more.append(other.value...other.value)
                    }
                }
            }
        }
        return ScalarSet(ranges + more)
    }
}

extension ScalarSet {
    static let posix: [String: ScalarSet] = [
        "alnum": ScalarSet([48...57, 65...90, 97...122]), "alpha": ScalarSet([65...90, 97...122]),
        "ascii": ScalarSet([0...127]), "blank": ScalarSet([9...9, 32...32]), "cntrl": ScalarSet([0...31, 127...127]),
        "digit": digits, "graph": ScalarSet([33...126]), "lower": ScalarSet([97...122]),
        "print": ScalarSet([32...126]), "punct": ScalarSet([33...47, 58...64, 91...96, 123...126]),
        "space": ScalarSet([9...13, 32...32]), "upper": ScalarSet([65...90]), "word": words,
        "xdigit": ScalarSet([48...57, 65...70, 97...102]),
    ]

    /// The scalars of a Unicode general category such as `L` or `Lu`; `nil` for names that are none.
    static func category(_ name: String) -> ScalarSet? {
        guard let wanted = categories[name] else { return nil }
        var ranges: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for value in UInt32(0)...0x10FFFF {
            let isIn = Unicode.Scalar(value).map { wanted.contains($0.properties.generalCategory) } ?? false
            if isIn, start == nil { start = value }
            if !isIn, let first = start {
                ranges.append(first...value - 1)
                start = nil
            }
        }
        if let first = start { ranges.append(first...0x10FFFF) }
        return ScalarSet(ranges)
    }

    private static let categories: [String: Set<Unicode.GeneralCategory>] = {
        let single: [String: Unicode.GeneralCategory] = [
            "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter, "Lm": .modifierLetter,
            "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark, "Me": .enclosingMark,
            "Nd": .decimalNumber, "Nl": .letterNumber, "No": .otherNumber, "Pc": .connectorPunctuation,
            "Pd": .dashPunctuation, "Ps": .openPunctuation, "Pe": .closePunctuation, "Pi": .initialPunctuation,
            "Pf": .finalPunctuation, "Po": .otherPunctuation, "Sm": .mathSymbol, "Sc": .currencySymbol,
            "Sk": .modifierSymbol, "So": .otherSymbol, "Zs": .spaceSeparator, "Zl": .lineSeparator,
            "Zp": .paragraphSeparator, "Cc": .control, "Cf": .format, "Co": .privateUse,
        ]
        var sets = single.mapValues { Set([$0]) }
        for (name, category) in single { sets[String(name.prefix(1)), default: []].insert(category) }
        return sets
    }()
}
