// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import FoundationEssentials
import Model
import Testing

@testable import KubeServer

/// What `scripts/fuzz` does for an hour, for a second: the seeds of the fuzz targets, broken in ways that never change.
@Suite("broken input")
struct BrokenInputTests {
    /// Numbers that look random and are the same each time.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static func seeds(_ target: String) throws -> [[UInt8]] {
        let folder = "\(KubectlBodyTests.corpus)/Fuzz/\(target)"
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .map { Array(try Data(contentsOf: URL(filePath: "\(folder)/\($0)"))) }
    }

    /// One seed with bytes changed, taken out, or taken over from another one.
    private static func broken(_ seeds: [[UInt8]], _ dice: inout Dice) -> [UInt8] {
        var bytes = seeds[Int.random(in: 0..<seeds.count, using: &dice)]
        let other = seeds[Int.random(in: 0..<seeds.count, using: &dice)]
        for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty && !other.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &dice)
            let end = min(bytes.count, place + Int.random(in: 1...12, using: &dice))
            let start = Int.random(in: 0..<other.count, using: &dice)
            let piece = other[start..<min(other.count, start + Int.random(in: 1...24, using: &dice))]
            switch Int.random(in: 0..<5, using: &dice) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &dice)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: piece, at: place)
            default: bytes.replaceSubrange(place..<end, with: piece)
            }
        }
        return bytes
    }

    @Test("rules are refused or computed, and never trap")
    func expressions() throws {
        let seeds = try Self.seeds("expression")
        var (dice, parsed) = (Dice(state: 1), 0)
        for _ in 0..<5_000 {
            let text = String(decoding: Self.broken(seeds, &dice), as: UTF8.self)
            guard let expression = try? ExpressionParser.parse(text) else { continue }
            parsed += 1
            _ = try? ExpressionChecker().check(expression, ["self": .any])
            var evaluator = ExpressionEvaluator()
            let object: JSON = ["n": 5, "s": "hello", "l": ["a"], "m": ["x": 1], "set": [1, 2], "o": [["k": "a"]]]
            _ = try? evaluator.evaluate(expression, ["self": ExpressionValue(object, nil)])
        }
        #expect(parsed > 500)
    }

    @Test("bodies in protobuf are refused or read, and never trap")
    func bodies() throws {
        let seeds = try Self.seeds("kube-body")
        var (dice, read) = (Dice(state: 2), 0)
        for _ in 0..<5_000 {
            let bytes = Self.broken(seeds, &dice)
            guard let envelope = try? WireEnvelope(bytes),
                let schema = SchemaTable.builtIn.schema(
                    of: ["kind": .string(envelope.kind), "apiVersion": .string(envelope.apiVersion)]
                ),
                let object = try? WireDecoder.decode(bytes, in: envelope.object, as: schema)
            else { continue }
            read += 1
            _ = try? ObjectDecoder.decode(object, as: schema)
        }
        #expect(read > 100)
    }
}
