// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

/// A compiled regular expression of RE2's dialect, matched in time linear in the text.
///
/// Swift's own `Regex` backtracks, so that a pattern in a CustomResourceDefinition and a text made for it could occupy the
/// server for hours, and it reads `\d`, `\w` and `.` differently. This matcher follows all alternatives at once. It answers
/// only whether the text matches somewhere; a match costs at most ``stepLimit`` steps.
final class Pattern: Sendable {
    enum Verdict: Equatable {
        case matches, doesNotMatch
        /// The step limit ended the search.
        case undecided
    }

    private enum Instruction: Sendable {
        case scalars(Int)
        case jump(Int)
        case split(Int, Int)
        case assertion(PatternAssertion)
        case match
    }

    static let sizeLimit = 12_000
    static let stepLimit = 20_000_000

    let text: String
    private let program: [Instruction]
    private let sets: [ScalarSet]

    init(_ text: String) throws(PatternError) {
        self.text = text
        var compiler = Compiler()
        try compiler.emit(try PatternParser.parse(text), of: text)
        compiler.program.append(.match)
        program = compiler.program
        sets = compiler.sets
    }

    func matches(_ input: String) -> Bool { verdict(on: input) == .matches }

    /// Whether any part of the input matches.
    func verdict(on input: String) -> Verdict {
        let scalars = Array(input.unicodeScalars)
        var search = Search(program: program, sets: sets)
        for place in 0...scalars.count {
            search.start(at: place, in: scalars)
            if search.isMatched { return .matches }
            if search.steps > Self.stepLimit { return .undecided }
            guard place < scalars.count else { break }
            search.advance(over: scalars[place].value, at: place, in: scalars)
            if search.isMatched { return .matches }
        }
        return .doesNotMatch
    }
}

extension Pattern {
    private struct Compiler {
        var program: [Instruction] = []
        var sets: [ScalarSet] = []

        mutating func emit(_ node: PatternNode, of text: String) throws(PatternError) {
            guard program.count < Pattern.sizeLimit else {
                throw PatternError(reason: "expression too large", excerpt: text)
            }
            switch node {
            case .empty: break
            case .scalars(let set): program.append(.scalars(number(of: set)))
            case .assertion(let assertion): program.append(.assertion(assertion))
            case .sequence(let nodes): for node in nodes { try emit(node, of: text) }
            case .choice(let branches): try emit(branches, of: text)
            case .repetition(let node, let minimum, let maximum):
                for _ in 0..<minimum { try emit(node, of: text) }
                if let maximum {
                    try emitOptional(node, times: maximum - minimum, of: text)
                } else {
                    let start = program.count
                    program.append(.split(start + 1, 0))
                    try emit(node, of: text)
                    program.append(.jump(start))
                    program[start] = .split(start + 1, program.count)
                }
            }
        }

        private mutating func emit(_ branches: [PatternNode], of text: String) throws(PatternError) {
            var ends: [Int] = []
            for (place, branch) in branches.enumerated() {
                let split = program.count
                let isLast = place == branches.count - 1
                if !isLast { program.append(.split(split + 1, 0)) }
                try emit(branch, of: text)
                guard !isLast else { break }
                ends.append(program.count)
                program.append(.jump(0))
                program[split] = .split(split + 1, program.count)
            }
            for end in ends { program[end] = .jump(program.count) }
        }

        private mutating func emitOptional(_ node: PatternNode, times: Int, of text: String) throws(PatternError) {
            var splits: [Int] = []
            for _ in 0..<times {
                splits.append(program.count)
                program.append(.split(program.count + 1, 0))
                try emit(node, of: text)
            }
            for split in splits { program[split] = .split(split + 1, program.count) }
        }

        private mutating func number(of set: ScalarSet) -> Int {
            if let known = sets.firstIndex(of: set) { return known }
            sets.append(set)
            return sets.count - 1
        }
    }

    /// The instructions reached after some prefix of the text, each at most once.
    private struct Search {
        let program: [Instruction]
        let sets: [ScalarSet]
        private(set) var isMatched = false
        private(set) var steps = 0
        private var current: [Int] = []
        private var upcoming: [Int] = []
        /// The round in which an instruction was last reached.
        private var seen: [Int]
        private var round = 1
        private var stack: [Int] = []

        init(program: [Instruction], sets: [ScalarSet]) {
            self.program = program
            self.sets = sets
            seen = [Int](repeating: 0, count: program.count)
        }

        /// A match may begin here too.
        mutating func start(at place: Int, in text: [Unicode.Scalar]) {
            var list: [Int] = []
            swap(&list, &current)
            reach(0, at: place, in: text, into: &list)
            current = list
        }

        mutating func advance(over scalar: UInt32, at place: Int, in text: [Unicode.Scalar]) {
            round += 1
            var next: [Int] = []
            swap(&next, &upcoming)
            next.removeAll(keepingCapacity: true)
            for counter in current {
                steps += 1
                if case .scalars(let set) = program[counter], sets[set].contains(scalar) {
                    reach(counter + 1, at: place + 1, in: text, into: &next)
                }
            }
            upcoming = current
            current = next
        }

        private mutating func reach(_ first: Int, at place: Int, in text: [Unicode.Scalar], into list: inout [Int]) {
            stack.append(first)
            while let counter = stack.popLast() {
                guard seen[counter] != round else { continue }
                seen[counter] = round
                steps += 1
                switch program[counter] {
                case .match: isMatched = true
                case .scalars: list.append(counter)
                case .jump(let target): stack.append(target)
                case .split(let left, let right):
                    stack.append(right)
                    stack.append(left)
                case .assertion(let assertion):
                    if Self.holds(assertion, at: place, in: text) { stack.append(counter + 1) }
                }
            }
        }

        private static func holds(_ assertion: PatternAssertion, at place: Int, in text: [Unicode.Scalar]) -> Bool {
            func isWord(_ index: Int) -> Bool {
                text.indices.contains(index) && ScalarSet.words.contains(text[index].value)
            }
            switch assertion {
            case .textStart: return place == 0
            case .textEnd: return place == text.count
            case .lineStart: return place == 0 || text[place - 1] == "\n"
            case .lineEnd: return place == text.count || text[place] == "\n"
            case .wordBoundary: return isWord(place - 1) != isWord(place)
            case .noWordBoundary: return isWord(place - 1) == isWord(place)
            }
        }
    }
}
