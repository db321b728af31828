// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Foundation
import ShopKit
import Testing

@testable import cart

/// A folder of its own for one test.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cart-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var log: String { path + "/cart.log" }
    func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: log)) }
    func write(_ bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: log)) }
}

@Suite("cart log")
struct CartLogTests {
    private static func add(_ product: String, _ quantity: Int) -> CartLog.Record {
        CartLog.Record(op: .add, product: product, quantity: quantity)
    }

    @Test("what was changed is there after a restart")
    func survivesRestart() throws {
        let scratch = try Scratch()
        do {
            var log = try CartLog.opened(in: scratch.path)
            try log.change { _ in Self.add("rope", 2) }
            try log.change { _ in Self.add("chart", 1) }
            try log.change { _ in Self.add("rope", 1) }
            try log.change { _ in CartLog.Record(op: .remove, product: "chart") }
        }
        let log = try CartLog.opened(in: scratch.path)
        #expect(log.items == [CartItem(product: "rope", quantity: 3)])
    }

    @Test("a log cut off at any byte keeps every whole line and goes on from there")
    func tornAnywhere() throws {
        let scratch = try Scratch()
        do {
            var log = try CartLog.opened(in: scratch.path)
            for product in ["rope", "chart", "lantern"] { try log.change { _ in Self.add(product, 1) } }
        }
        let whole = try scratch.bytes()
        for length in 0...whole.count {
            let kept = whole.prefix(length)
            try scratch.write(kept)
            let lines = kept.count { $0 == UInt8(ascii: "\n") }
            do {
                var log = try CartLog.opened(in: scratch.path)
                #expect(log.items.count == lines, "cut at \(length)")
                try log.change { _ in Self.add("anchor", 1) }
            }
            let log = try CartLog.opened(in: scratch.path)
            #expect(log.items.count == lines + 1, "cut at \(length)")
            #expect(log.items.last == CartItem(product: "anchor", quantity: 1))
            #expect(log.damagedLines == 0, "cut at \(length)")
        }
    }

    @Test("a damaged line is passed over and counted")
    func damagedLine() throws {
        let scratch = try Scratch()
        var bytes = Data(#"{"op":"add","product":"rope","quantity":1}"#.utf8) + Data([0x0A])
        bytes += Data(repeating: 0, count: 40) + Data([0x0A])
        bytes += Data(#"{"op":"add","product":"rope","quantity":-4}"#.utf8) + Data([0x0A])
        bytes += Data(#"{"op":"add","product":"chart","quantity":1}"#.utf8) + Data([0x0A])
        try scratch.write(bytes)
        let log = try CartLog.opened(in: scratch.path)
        #expect(log.items.map(\.product) == ["rope", "chart"])
        #expect(log.damagedLines == 2)
    }

    @Test("two processes on one folder see each other's changes and lose none")
    func shared() throws {
        let scratch = try Scratch()
        var old = try CartLog.opened(in: scratch.path)
        var new = try CartLog.opened(in: scratch.path)
        try old.change { _ in Self.add("rope", 1) }
        try new.change { items in
            #expect(items == [CartItem(product: "rope", quantity: 1)])
            return Self.add("rope", 1)
        }
        try old.refresh()
        #expect(old.items == [CartItem(product: "rope", quantity: 2)])
    }

    @Test("a log that grew long is rewritten, and the other process follows")
    func rewritten() throws {
        let scratch = try Scratch()
        var one = try CartLog.opened(in: scratch.path, rewriteAbove: 20)
        var other = try CartLog.opened(in: scratch.path, rewriteAbove: 20)
        for _ in 0..<50 { try one.change { _ in Self.add("rope", 1) } }
        #expect(one.lines <= 22)
        try other.refresh()
        #expect(other.items == [CartItem(product: "rope", quantity: 50)])
        try other.change { _ in Self.add("rope", 1) }
        try one.refresh()
        #expect(one.items == [CartItem(product: "rope", quantity: 51)])
    }

    @Test("a change that is refused writes nothing")
    func refused() throws {
        struct Refusal: Error {}
        let scratch = try Scratch()
        var log = try CartLog.opened(in: scratch.path)
        #expect(throws: Refusal.self) { try log.change { _ in throw Refusal() } }
        #expect(try scratch.bytes().isEmpty)
    }

    @Test("a folder that cannot be made is an error that names it")
    func noFolder() throws {
        let scratch = try Scratch()
        try Data().write(to: URL(fileURLWithPath: scratch.path + "/file"))
        let error = try #require(throws: SystemError.self) {
            _ = try CartStore(folder: scratch.path + "/file/data")
        }
        #expect("\(error)".contains(scratch.path))
    }
}
